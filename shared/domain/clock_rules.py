"""What a policy says about clocks beyond their limits: pauses, extensions, escalation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

HANDLER = "handler"
"""The unit with which the case lies."""
PARENT = "parent"
"""The unit directly above it."""

ROLES = (HANDLER, PARENT)
"""Words that say who may do something, besides the units' ids."""


@dataclass(frozen=True)
class Share:
    """A warning once this share of the limit has passed, in percent."""

    percent: int


Warn = int | Share
"""Working days before the due date (hours of work, for a limit in hours), or a share."""


@dataclass(frozen=True)
class PauseRule:
    """A reason for which a clock may stand still."""

    title: Mapping[str, str]
    by: Sequence[str] = (HANDLER,)
    """Who may pause for it, and resume: roles or units' ids."""
    max_days: int = 20
    """Working days after which a pause ends by itself."""


@dataclass(frozen=True)
class ExtensionRule:
    """How a unit gets more time."""

    most: int = 1
    """Extensions in one round, those asked for included."""
    max_days: int = 10
    """Working days of one extension."""
    asked_by: Sequence[str] = (HANDLER,)
    decided_by: Sequence[str] = (PARENT,)


@dataclass(frozen=True)
class EscalationRule:
    """How an overdue case climbs."""

    first: int | None
    """Working days from the breach to the first step; None: as between two."""
    days: int
    """Working days between two steps."""
    repeat: bool = False
    """Whether the last step is taken again and again until the case is answered."""


@dataclass(frozen=True)
class ClockRules:
    """The policy's sections about clocks."""

    escalation: EscalationRule
    pauses: Mapping[str, PauseRule] = field(default_factory=dict)
    """By reason."""
    extension: ExtensionRule | None = None
    """None where nobody gets more time."""
    at_transfer: Literal["anew", "goes-on"] = "anew"
    """What becomes of the acceptance clock when the case moves to another unit."""


def entitled(roles: Sequence[str], unit: str, parent: str | None) -> tuple[str, ...]:
    """The units that these roles stand for, where the case lies with `unit`."""
    stands_for = {HANDLER: unit, PARENT: parent}
    named = (stands_for.get(role, role) for role in roles)
    return tuple(dict.fromkeys(name for name in named if name is not None))
