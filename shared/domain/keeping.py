"""What is kept: the score of a year, and for how long what is personal, in everybody's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.calendar import WorkingCalendar
from shared.domain.case import Kind
from shared.domain.model import Value


class Measure(StrEnum):
    """What of a year's work is measured; each is a share from 0 to 1, the higher the better."""

    ON_TIME = "on-time"
    SATISFACTION = "satisfaction"
    COMPLETION = "completion"
    REPEATS = "repeats"


class AssessmentRule(Value):
    """What each measure weighs in the score of a unit or a level."""

    weights: Mapping[Measure, int]
    """In percent; together 100."""
    at_least: int = 1
    """With fewer cases there is no score."""


class RetentionRule(Value):
    """For how long what is personal in a case is kept after its end."""

    days: int | None
    """Calendar days; None keeps it for ever."""
    kinds: Mapping[Kind, int | None] = {}
    """The same for kinds that differ."""

    def days_of(self, kind: Kind) -> int | None:
        """For how many calendar days it is kept in cases of a kind; None for ever."""
        return self.kinds.get(kind, self.days)


def kept_since(now: datetime, days: int, calendar: WorkingCalendar) -> datetime:
    """Cases that ended before this moment have been kept for so many calendar days.

    The day of the end does not count, by the wall clock of the place: what ended on a Monday and is
    kept for two days goes at the beginning of the Thursday.
    """
    return calendar.start_of(calendar.local_day(now) - timedelta(days=days))
