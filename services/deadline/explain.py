"""How a due date came about: every day from the start to the end, and why it counts or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.deadline.logic import days_paused, is_overdue
from services.deadline.plan import extended_by, reply_days, stood_still
from shared.domain.aggregates import Clocks
from shared.domain.calendar import WorkingCalendar
from shared.domain.case import State
from shared.domain.errors import Conflict
from shared.domain.model import Instant, View
from shared.domain.working_time import hours_between, still_days

DAY = timedelta(days=1)


class DayKind(StrEnum):
    """Why a day counts or does not."""

    RECEIVED = "received"
    """The day of the start, which does not count for a limit in days."""
    COUNTED = "counted"
    MAKE_UP = "make-up"
    """A day of the weekend that is worked to make up for a holiday: it counts."""
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    PAUSED = "paused"
    """The clock stood still at its end."""


class Day(View):
    """One day of the reckoning."""

    day: date
    kind: DayKind
    name: Mapping[str, str] = {}
    """What a day off is called, by language, where the library knows it."""
    number: int | None = None
    """Which working day of the limit it is."""
    hours: float | None = None
    """Hours of work that count, for a limit in hours."""
    extended: bool = False
    """Whether it counts only because more time was granted."""


class Outcome(StrEnum):
    """How it stands between the answer and the due date."""

    AWAITED = "awaited"
    OVERDUE = "overdue"
    IN_TIME = "in-time"
    LATE = "late"
    ENDED = "ended"
    """Closed or withdrawn without an answer."""


class Explanation(View):
    """How the due date of the current round came about."""

    case_id: str
    unit: str
    colour: str
    zone: str
    started_at: Instant
    due_at: Instant
    original_due_at: Instant
    """Without pauses and extensions."""
    accept_due_at: Instant | None
    accepted_at: Instant | None
    stopped_at: Instant | None
    outcome: Outcome
    limit_days: int | None
    limit_hours: int | None
    extended_by: int
    """Working days granted."""
    paused_days: int
    """Working days left out."""
    provisional: bool
    rating_days: int | None = None
    """Working days for which the link to rate the answer will live; the evaluation owns it."""
    counts: Mapping[DayKind, int]
    """How many days there are of each kind; together, all from the start to the end."""
    days: tuple[Day, ...]


def explain(
    clocks: Clocks, calendar: WorkingCalendar, now: datetime, rating_days: int | None = None
) -> Explanation:
    """The reckoning of a case's due date; raises `Conflict` where no answer is owed."""
    start, due = clocks.started_at, clocks.due_at
    if start is None or due is None:
        raise Conflict.of("case_id", "no-clock", "no answer is owed, so there is no due date")
    days = tuple(_days(clocks, start, due, calendar))
    return Explanation(
        case_id=clocks.case_id,
        unit=clocks.unit,
        colour=clocks.colour,
        zone=calendar.zone.key,
        started_at=start,
        due_at=due,
        original_due_at=clocks.original_due_at or due,
        accept_due_at=clocks.accept_due_at,
        accepted_at=clocks.accepted_at,
        stopped_at=clocks.stopped_at,
        outcome=_outcome(clocks, now),
        limit_days=reply_days(clocks),
        limit_hours=clocks.limits.reply_hours,
        extended_by=extended_by(clocks),
        paused_days=days_paused(clocks, calendar),
        provisional=clocks.provisional,
        rating_days=rating_days,
        counts=dict(Counter(day.kind for day in days)),
        days=days,
    )


def _days(
    clocks: Clocks, start: datetime, due: datetime, calendar: WorkingCalendar
) -> Iterator[Day]:
    first, last = calendar.local_day(start), calendar.local_day(due)
    paused = still_days(stood_still(clocks), calendar)
    limit, number = reply_days(clocks), 0
    day = first
    while day <= last:
        works = calendar.is_working_day(day)
        name = {} if works else calendar.names.get(day.toordinal(), {})
        if limit is None:
            hours = _hours(clocks, day, start, due, calendar)
            kind = _off_or_on(day, calendar)
            yield Day(day=day, kind=kind, name=name, hours=hours if works else None)
        elif day == first:
            yield Day(day=day, kind=DayKind.RECEIVED, name=name)
        elif works and any(begin <= day < end for begin, end in paused):
            yield Day(day=day, kind=DayKind.PAUSED)
        elif works:
            number += 1
            kind = _off_or_on(day, calendar)
            yield Day(day=day, kind=kind, number=number, extended=number > limit)
        else:
            yield Day(day=day, kind=_off_or_on(day, calendar), name=name)
        day += DAY


def _off_or_on(day: date, calendar: WorkingCalendar) -> DayKind:
    weekend = day.weekday() in calendar.weekend
    if calendar.is_working_day(day):
        return DayKind.MAKE_UP if weekend else DayKind.COUNTED
    named = day.toordinal() in calendar.names
    return DayKind.WEEKEND if weekend and not named else DayKind.HOLIDAY


def _hours(
    clocks: Clocks, day: date, start: datetime, due: datetime, calendar: WorkingCalendar
) -> float:
    begin = max(start, calendar.start_of(day))
    end = min(due, calendar.start_of(day + DAY))
    return round(hours_between(begin, end, stood_still(clocks), calendar), 4)


def _outcome(clocks: Clocks, now: datetime) -> Outcome:
    overdue = is_overdue(clocks, now)
    if clocks.stopped_at is not None:
        return Outcome.LATE if overdue else Outcome.IN_TIME
    if clocks.standing.state is not State.OPEN:
        return Outcome.ENDED
    return Outcome.OVERDUE if overdue else Outcome.AWAITED
