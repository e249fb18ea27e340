"""Working time by the calendar: days for most clocks, hours of work for the quick ones.

Both count what lies between a start and an end, and leave out the time in which the clock stood
still. Because they look at the sets of days and spans alone, it makes no difference in which order
pauses and extensions came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from shared.domain.calendar import MIDNIGHT, WorkingCalendar
from shared.domain.errors import ConfigurationError

Still = Sequence[tuple[datetime, datetime]]
"""Spans of time in which a clock stood still, from their beginning to before their end."""


def merged(spans: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The same time as spans that neither meet nor overlap, in order."""
    found: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(span for span in spans if span[0] < span[1]):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def still_days(still: Still, calendar: WorkingCalendar) -> list[tuple[date, date]]:
    """The days at whose end the clock stood still, as spans from a day to before another one.

    Such a day is not counted: a pause and its end on one day cost nothing, one over a night costs
    the day on which it began.
    """
    return [(calendar.local_day(begin), calendar.local_day(end)) for begin, end in merged(still)]


def paused_days(still: Still, after: date, until: date, calendar: WorkingCalendar) -> int:
    """Working days after one day up to another one, itself included, that are not counted."""
    one = timedelta(days=1)
    number = 0
    for begin, end in still_days(still, calendar):
        first, last = max(begin - one, after), min(end - one, until)
        if first < last:
            number += calendar.working_days_in(first, last)
    return number


def nth_day(start: date, number: int, still: Still, calendar: WorkingCalendar) -> date:
    """The `number`-th working day after `start` that is counted.

    Raises `ConfigurationError` where it lies outside the calendar.
    """
    if not still:
        return calendar.nth_working_day(start, number)
    left_out = 0
    while True:
        day = calendar.nth_working_day(start, number + left_out)
        paused = paused_days(still, start, day, calendar)
        if paused == left_out:
            return day
        left_out = paused


def day_seconds(calendar: WorkingCalendar) -> int:
    """Seconds of work in a working day by the clock on the wall."""
    return sum(end - begin for begin, end in calendar.hours) * 60


def after_hours(
    start: datetime, seconds: float, still: Still, calendar: WorkingCalendar
) -> datetime:
    """When so many seconds of working time have passed since `start`, in UTC.

    Raises `ConfigurationError` where that lies outside the calendar.
    """
    left = timedelta(seconds=seconds)
    for begin, end in _working(start, merged(still), calendar):
        if end - begin >= left:
            return (begin + left).astimezone(UTC)
        left -= end - begin
    raise ConfigurationError(
        f"The calendar knows {calendar.first} to {calendar.last}: {seconds / 3600:g} hours of work"
        f" from {calendar.local_day(start)} lie outside. Check the date, or widen `calendar.years`"
        " in the policy."
    )


def hours_between(start: datetime, end: datetime, still: Still, calendar: WorkingCalendar) -> float:
    """Hours of working time between two moments; 0 where the end comes first."""
    total = timedelta()
    for begin, until in _working(start, merged(still), calendar):
        if begin >= end:
            break
        total += min(until, end) - begin
    return total.total_seconds() / 3600


def _working(
    start: datetime, still: Still, calendar: WorkingCalendar
) -> Iterator[tuple[datetime, datetime]]:
    """The spans of working time from `start` on in which the clock does not stand still."""
    day = calendar.local_day(start)
    if not calendar.first <= day <= calendar.last:
        return
    while day <= calendar.last:
        if calendar.is_working_day(day):
            for begin, end in _hours_of(day, calendar):
                if end > start:
                    yield from _without(max(begin, start), end, still)
        day += timedelta(days=1)


def _hours_of(day: date, calendar: WorkingCalendar) -> Iterator[tuple[datetime, datetime]]:
    for begin, end in calendar.hours:
        yield _moment(day, begin, calendar), _moment(day, end, calendar)


def _moment(day: date, minutes: int, calendar: WorkingCalendar) -> datetime:
    """A time on the wall as a moment; one that a change of the clocks skips, as if it had not."""
    if minutes == MIDNIGHT:
        return calendar.start_of(day + timedelta(days=1))
    wall = time(minutes // 60, minutes % 60)
    return datetime.combine(day, wall, calendar.zone).astimezone(UTC)


def _without(begin: datetime, end: datetime, still: Still) -> Iterator[tuple[datetime, datetime]]:
    for pause, resume in still:
        if resume <= begin or pause >= end:
            continue
        if begin < pause:
            yield begin, pause
        begin = max(begin, resume)
    if begin < end:
        yield begin, end
