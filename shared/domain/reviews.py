"""The monthly review of a unit: one for each month, signed by somebody above (一月一审)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from shared.domain.clock_rules import PARENT
from shared.domain.model import Instant, Value

Month = Annotated[str, StringConstraints(pattern=r"^(19[7-9]\d|2\d{3})-(0[1-9]|1[0-2])$")]
"""A calendar month, such as `2026-11`."""


@dataclass(frozen=True)
class ReviewRules:
    """Which units are reviewed, until when, and by whom."""

    levels: Sequence[str]
    days: int = 5
    """The review of a month is due at the end of this working day of the next month."""
    by: Sequence[str] = (PARENT,)
    """Who signs: `parent`, or units' ids; never the unit that is reviewed."""


class ReviewState(StrEnum):
    """Where a review stands."""

    OPEN = "open"
    OVERDUE = "overdue"
    """Its due date passed without a signature, and that was said."""
    SIGNED = "signed"


class ReviewFigures(Value):
    """The cases recorded in a month that lie with a unit, as they stood when the review opened."""

    recorded: int = 0
    answered: int = 0
    """With an answer in their present or last round."""
    closed: int = 0
    on_time: int = 0
    """Closed, and every round was answered by its due date."""
    late: int = 0
    """Closed, and not on time."""
    open_overdue: int = 0
    """Open, and the promise is broken."""
    asked: int = 0
    """Answers of this unit to cases of the month that somebody was asked to rate."""
    rated: int = 0
    satisfied: int = 0
    repeats: int = 0


class Signature(Value):
    """Who signed a review, for which unit, and with which remark."""

    unit: str
    person: str
    remark: str = ""
    at: Instant


class Review(Value):
    """One month of one unit; its figures never change."""

    unit: str
    month: str
    """Such as `2026-11`, by the policy's time zone."""
    state: ReviewState = ReviewState.OPEN
    opened_at: Instant
    due_at: Instant | None
    """None where it lies beyond the policy's calendar."""
    signers: tuple[str, ...]
    """The units that may sign."""
    figures: ReviewFigures
    overdue_at: Instant | None = None
    """When it was said that it is overdue."""
    signature: Signature | None = None

    @property
    def key(self) -> str:
        """Unit and month: there is one review of each."""
        return key_of(self.unit, self.month)


def key_of(unit: str, month: str) -> str:
    """The key of a review."""
    return f"{unit}/{month}"
