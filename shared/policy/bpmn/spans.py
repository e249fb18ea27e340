"""Working time as durations: for BPMN's timers by ISO 8601, with a choice where facts decide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from shared.policy.schema.clocks import HoursPart

_HOUR, _DAY = 60, 24 * 60


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes of working time; a working day stands here as 24 hours."""

    minutes: int
    in_hours: bool = False
    """Whether the policy counts it in hours of work."""

    @classmethod
    def of(cls, limit: int | HoursPart) -> Span:
        """A limit of the policy file."""
        if isinstance(limit, HoursPart):
            return cls.counted(limit.hours, in_hours=True)
        return cls.counted(limit, in_hours=False)

    @classmethod
    def counted(cls, number: int, *, in_hours: bool) -> Span:
        """So many hours of work, or working days."""
        return cls(number * (_HOUR if in_hours else _DAY), in_hours)

    @property
    def unit(self) -> str:
        """`hours` or `days`."""
        return "hours" if self.in_hours else "days"

    @property
    def number(self) -> int:
        """How many of its unit, which is whole for every limit."""
        return self.minutes // (_HOUR if self.in_hours else _DAY)

    def passed(self, warn: int | str) -> Span | None:
        """What has passed of it at a warning, None where there is no time for one.

        A warning stands `2` of the unit before the end, or at `50%`; a share of working days is
        whole ones.
        """
        unit = _HOUR if self.in_hours else _DAY
        if isinstance(warn, int):
            minutes = self.minutes - warn * unit
        elif self.in_hours:
            minutes = round(self.minutes * _percent(warn) / 100)
        else:
            minutes = -(-self.number * _percent(warn) // 100) * unit
        return Span(minutes, self.in_hours) if 0 < minutes < self.minutes else None

    @property
    def iso(self) -> str:
        """An ISO 8601 duration: `P5D`, `PT4H`, `PT1H30M`."""
        if not self.in_hours:
            return f"P{self.number}D"
        hours, minutes = divmod(self.minutes, _HOUR)
        parts = ((hours, "H"), (minutes, "M"))
        return f"PT{''.join(f'{number}{unit}' for number, unit in parts if number)}"


def _percent(share: str) -> int:
    return int(share.rstrip("%"))


def chosen(fact: str, spans: Mapping[str, Span | None], otherwise: Span | None = None) -> str:
    """A timer's duration that a fact decides: plain ISO 8601 where all agree, else FEEL.

    `otherwise` is for the values that `spans` does not name. None is a timer that is not set.
    """
    if all(span == otherwise for span in spans.values()):
        return _feel(otherwise) if otherwise is None else otherwise.iso
    cases = (
        f"if {fact} = {json.dumps(value)} then {_feel(span)} else "
        for value, span in spans.items()
        if span != otherwise
    )
    return f"{''.join(cases)}{_feel(otherwise)}"


def _feel(span: Span | None) -> str:
    return "null" if span is None else f'duration("{span.iso}")'
