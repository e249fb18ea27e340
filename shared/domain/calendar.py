"""Working days: the day of receipt does not count, and a limit of N ends with the Nth day's end."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from hashlib import sha256
from zoneinfo import ZoneInfo

from shared.domain.errors import ConfigurationError

MIDNIGHT = 24 * 60
"""Minutes of a day by the clock on the wall."""

REMEMBERED = 1024
"""Days whose first moments are remembered, three years, and as many limits' last days: 0.4 MB."""

_DAY, _MICROSECOND = timedelta(days=1), timedelta(microseconds=1)

Spans = tuple[tuple[int, int], ...]
"""Hours of work, as minutes from midnight by the clock on the wall: begin and end of each span."""

WHOLE_DAY: Spans = ((0, MIDNIGHT),)

Names = Mapping[int, Mapping[str, str]]
"""What a day off is called, by its ordinal and by language, `zh` and `en`."""


@dataclass(frozen=True, eq=False)
class WorkingCalendar:
    """The working days of a place, as a sorted table.

    `published_until` is the last day for which holidays and make-up working days are known for
    certain; what lies beyond is reckoned from fixed rules and marked provisional. Two tables are
    never compared day by day: what is reckoned by one can be remembered by the object itself.
    """

    zone: ZoneInfo
    published_until: date
    _ordinals: tuple[int, ...] = field(repr=False)
    hours: Spans = WHOLE_DAY
    """When people work on a working day: what clocks in hours count."""
    weekend: frozenset[int] = frozenset({5, 6})
    """Days of the week, from Monday's 0, on which people work only to make up for a holiday."""
    names: Names = field(default_factory=dict, repr=False)

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

    @cached_property
    def begins(self) -> datetime:
        """The first moment of the first day, in UTC."""
        return self.start_of(self.first)

    @cached_property
    def digest(self) -> str:
        """By which two calendars that lead to the same due dates are known as the same."""
        parts = (self.zone.key, self.published_until, self.hours, self._ordinals)
        return sha256(repr(parts).encode()).hexdigest()[:16]

    @cached_property
    def _passed(self) -> array[int]:
        """How many working days have passed by the end of each day from the first to the last."""
        passed, index = array("l"), 0
        for ordinal in range(self._ordinals[0], self._ordinals[-1] + 1):
            index += self._ordinals[index] == ordinal
            passed.append(index)
        return passed

    def local_day(self, at: datetime) -> date:
        """The day on the wall of the place."""
        return at.astimezone(self.zone).date()

    def is_working_day(self, day: date) -> bool:
        """Whether people work on that day."""
        index = bisect_left(self._ordinals, day.toordinal())
        return index < len(self._ordinals) and self._ordinals[index] == day.toordinal()

    def nth_working_day(self, day: date, number: int) -> date:
        """The `number`-th working day after `day` (before it where negative), in O(1).

        Remembered, because the cases of a day have few limits. Raises `ConfigurationError` where it
        lies outside the table.
        """
        return self._nth(day, number)

    @cached_property
    def _nth(self) -> Callable[[date, int], date]:
        return lru_cache(REMEMBERED)(self._count)

    def _count(self, day: date, number: int) -> date:
        if number == 0:
            raise ValueError("a limit of 0 working days has no end: give 1 or more")
        offset = day.toordinal() - self._ordinals[0]
        if 0 <= offset < len(self._passed):
            index = self._passed[offset] + number - 1
            if number < 0:
                index += 1 - self.is_working_day(day)
            if 0 <= index < len(self._ordinals):
                return date.fromordinal(self._ordinals[index])
        raise ConfigurationError(
            f"The calendar knows {self.first} to {self.last}: {number} working days from {day}"
            " lie outside. Check the date, or widen `calendar.years` in the policy."
        )

    def nth_working_days(self, days: Sequence[int], number: int) -> list[int]:
        """The `number`-th working day after each of these days, all as ordinals, millions a second.

        Raises `ConfigurationError` where one lies outside the table.
        """
        if number < 1:
            raise ValueError("a limit has 1 working day or more")
        passed, ordinals, first = self._passed, self._ordinals, self._ordinals[0]
        if not days:
            return []
        for day in (min(days), max(days)):
            self.nth_working_day(date.fromordinal(day), number)
        before = number - 1
        return [ordinals[passed[day - first] + before] for day in days]

    def end_of(self, day: date) -> datetime:
        """The last moment of a day in the place, in UTC: one microsecond before the next begins."""
        return self._midnight(day + _DAY) - _MICROSECOND

    def start_of(self, day: date) -> datetime:
        """The first moment of a day in the place, in UTC."""
        return self._midnight(day)

    @cached_property
    def _midnight(self) -> Callable[[date], datetime]:
        """When a day begins: remembered, because deadlines and warnings fall on a few days."""

        def begins(day: date) -> datetime:
            return datetime.combine(day, time(), self.zone).astimezone(UTC)

        return lru_cache(REMEMBERED)(begins)

    def due(self, start: datetime, working_days: int) -> datetime:
        """The end of the last working day allowed, in UTC."""
        return self.end_of(self.nth_working_day(self.local_day(start), working_days))

    def is_provisional(self, due: datetime) -> bool:
        """Whether the reckoning reached beyond the published years."""
        return self.local_day(due) > self.published_until

    def working_days_between(self, start: datetime, end: datetime) -> int:
        """How many working days end after the day of `start` and not after the day of `end`."""
        return self.working_days_in(self.local_day(start), self.local_day(end))

    def working_days_in(self, after: date, until: date) -> int:
        """How many working days lie after one day, up to another one, itself included."""
        return self._passed_by(until) - self._passed_by(after)

    def _passed_by(self, day: date) -> int:
        offset = day.toordinal() - self._ordinals[0]
        if offset < 0:
            return 0
        return self._passed[min(offset, len(self._passed) - 1)]
