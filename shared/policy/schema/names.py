"""The names that a policy file declares, and references that must be among them.

The names are gathered from the raw data first, leniently, so that a mistake in one entry does not
make every reference to it look wrong as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints, ValidationInfo
from pydantic_core import PydanticCustomError

from shared.domain.clock_rules import PARENT, ROLES

STATION = "station"
CATEGORY_UNIT = "category-unit"

MANY = 300
"""Known names beyond which only those that begin alike are suggested."""

SPECIAL_TARGETS = (STATION, CATEGORY_UNIT)
"""Words that a row's `unit:` understands besides the units' ids."""


def suggest(name: object, known: Collection[str]) -> str:
    """How to mend an unknown name: the closest known ones, or all where they are few."""
    text = f"{name}"
    if len(known) > MANY:
        # difflib takes 20 µs a pair: a large file with many mistakes must not take minutes.
        alike = (one for one in known if one[:2] == text[:2] and abs(len(one) - len(text)) <= 2)
        close = get_close_matches(text, list(islice(alike, 20)), n=3)
    else:
        close = get_close_matches(text, known, n=3)
    if close:
        return "did you mean " + " or ".join(f"`{match}`" for match in close) + "?"
    if not known:
        return "none is declared."
    if len(known) <= 12:
        return "known are " + ", ".join(f"`{one}`" for one in sorted(known)) + "."
    return f"it is none of the {len(known)} that are declared."


@dataclass(frozen=True)
class Names:
    """Every id that the file declares, by what it names."""

    unit: frozenset[str]
    level: frozenset[str]
    step: frozenset[str]
    channel: frozenset[str]
    category: frozenset[str]
    item: frozenset[str]
    colour: frozenset[str]
    campaign: frozenset[str]
    attribute: frozenset[str]
    mention: frozenset[str]
    count: frozenset[str]
    kind: frozenset[str]

    @classmethod
    def of(cls, data: dict[str, Any]) -> Names:
        """The names in raw data, whatever else is wrong with it."""
        categories = data.get("categories")
        items = [entry.get("items") for entry in _entries(categories)]
        return cls(
            unit=frozenset(_unit_ids(data.get("units"))),
            level=_ids(data.get("levels")),
            step=_keys(data.get("steps")),
            channel=_ids(data.get("channels")),
            category=_ids(categories),
            item=frozenset(name for group in items for name in _ids(group)),
            colour=_ids(data.get("colours")),
            campaign=_ids(data.get("campaigns")),
            attribute=_keys(data.get("attributes")),
            mention=_keys(data.get("mentions")),
            count=_keys(data.get("counts")),
            kind=_keys(data.get("kinds")),
        )


def _entries(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (entry for entry in value if isinstance(entry, dict))


def _ids(value: Any) -> frozenset[str]:
    return frozenset(f"{entry['id']}" for entry in _entries(value) if "id" in entry)


def _keys(value: Any) -> frozenset[str]:
    return frozenset(value) if isinstance(value, dict) else frozenset()


def _unit_ids(value: Any) -> Iterator[str]:
    for entry in _entries(value):
        if "id" in entry:
            yield f"{entry['id']}"
        yield from _unit_ids(entry.get("children"))


def _known(kind: str, extra: tuple[str, ...] = ()) -> AfterValidator:
    def check(name: str, info: ValidationInfo) -> str:
        names = info.context
        if isinstance(names, Names):
            declared: frozenset[str] = getattr(names, kind)
            if name not in declared and name not in extra:
                known = [*declared, *extra]
                raise PydanticCustomError(
                    f"unknown-{kind}",
                    "there is no {kind} `{name}`: {hint}",
                    {"kind": kind, "name": name, "hint": suggest(name, known)},
                )
        return name

    return AfterValidator(check)


_Reference = Annotated[str, StringConstraints(strict=True, max_length=64)]


UnitRef = Annotated[_Reference, _known("unit")]
WhoRef = Annotated[_Reference, _known("unit", ROLES)]
SignerRef = Annotated[_Reference, _known("unit", (PARENT,))]
LevelRef = Annotated[_Reference, _known("level")]
StepRef = Annotated[_Reference, _known("step")]
CategoryRef = Annotated[_Reference, _known("category")]
ColourRef = Annotated[_Reference, _known("colour")]
TargetRef = Annotated[_Reference, _known("unit", SPECIAL_TARGETS)]
