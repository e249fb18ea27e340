"""Working days: the day of receipt does not count, and a limit of N ends with the Nth day's end."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.errors import ConfigurationError


@dataclass(frozen=True)
class WorkingCalendar:
    """The working days of a place, as a sorted table.

    `published_until` is the last day for which holidays and make-up working days are known for
    certain; what lies beyond is reckoned from fixed rules and marked provisional.
    """

    zone: ZoneInfo
    published_until: date
    _ordinals: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, days: Iterable[date], zone: ZoneInfo, published_until: date) -> WorkingCalendar:
        """A calendar from its working days, in any order."""
        return cls(zone, published_until, tuple(sorted(day.toordinal() for day in days)))

    @property
    def first(self) -> date:
        """The first day that the table knows."""
        return date.fromordinal(self._ordinals[0])

    @property
    def last(self) -> date:
        """The last day that the table knows."""
        return date.fromordinal(self._ordinals[-1])

    def local_day(self, at: datetime) -> date:
        """The day on the wall of the place."""
        return at.astimezone(self.zone).date()

    def is_working_day(self, day: date) -> bool:
        """Whether people work on that day."""
        index = bisect_left(self._ordinals, day.toordinal())
        return index < len(self._ordinals) and self._ordinals[index] == day.toordinal()

    def nth_working_day(self, day: date, number: int) -> date:
        """The `number`-th working day after `day` (before it where negative), in O(log days)."""
        if number == 0:
            raise ValueError("a limit of 0 working days has no end: give 1 or more")
        if number > 0:
            index = bisect_right(self._ordinals, day.toordinal()) + number - 1
        else:
            index = bisect_left(self._ordinals, day.toordinal()) + number
        if not self.first <= day <= self.last or not 0 <= index < len(self._ordinals):
            raise ConfigurationError(
                f"The calendar knows {self.first} to {self.last}: {number} working days from {day}"
                " lie outside. Check the date, or widen `calendar.years` in the policy."
            )
        return date.fromordinal(self._ordinals[index])

    def end_of(self, day: date) -> datetime:
        """The last moment of a day in the place, in UTC: one microsecond before the next begins."""
        midnight = datetime.combine(day + timedelta(days=1), time(), self.zone)
        return midnight.astimezone(UTC) - timedelta(microseconds=1)

    def start_of(self, day: date) -> datetime:
        """The first moment of a day in the place, in UTC."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def due(self, start: datetime, working_days: int) -> datetime:
        """The end of the last working day allowed, in UTC."""
        return self.end_of(self.nth_working_day(self.local_day(start), working_days))

    def is_provisional(self, due: datetime) -> bool:
        """Whether the reckoning reached beyond the published years."""
        return self.local_day(due) > self.published_until

    def working_days_between(self, start: datetime, end: datetime) -> int:
        """How many working days end after the day of `start` and not after the day of `end`."""
        after = bisect_right(self._ordinals, self.local_day(start).toordinal())
        return bisect_right(self._ordinals, self.local_day(end).toordinal()) - after
