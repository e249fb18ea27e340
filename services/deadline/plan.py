"""From what is known of a case to its due dates and marks, as pure functions.

Everything is reckoned anew from the facts in the clocks: limits, start, pauses, extensions, what
was said. So it does not matter in which order these became known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from math import ceil
from operator import attrgetter

from shared.domain.aggregates import Clocks, Escalation, ExtensionState, Mark
from shared.domain.calendar import REMEMBERED, WorkingCalendar
from shared.domain.case import State
from shared.domain.clock_rules import Share
from shared.domain.policy import Policy
from shared.domain.working_time import Still, after_hours, day_seconds, nth_day

DUE_SOON = "due-soon"
OVERDUE = "overdue"
ESCALATE = "escalate"
RESUME = "resume"

REPLY = "reply"
ACCEPT = "accept"

TICK = timedelta(microseconds=1)
"""From the last moment of a day to the first of the next."""

DAY = timedelta(days=1)


def runs(clocks: Clocks) -> bool:
    """Whether an answer is awaited in the round that the clocks know."""
    standing, handled = clocks.standing, clocks.handled_round
    return (
        clocks.due_at is not None
        and clocks.stopped_at is None
        and standing.state is State.OPEN
        and handled in {None, standing.round}  # else a later round has begun
    )


def planned(clocks: Clocks, policy: Policy) -> Clocks:
    """The clocks with due dates and marks as their facts have them; the version stays.

    Raises `ConfigurationError` where a due date lies outside the policy's calendar.
    """
    calendar = policy.calendar
    due = due_at(clocks, calendar)
    changed = clocks.pauses or clocks.extensions
    reckoned = clocks.but(
        due_at=due,
        original_due_at=due_at(clocks, calendar, original=True) if changed else due,
        accept_due_at=accept_due_at(clocks, policy),
        working_days=reply_days(clocks) if due else None,
        provisional=due is not None and calendar.is_provisional(due),
    )
    return reckoned.but(marks=_marks(reckoned, policy))


def due_at(clocks: Clocks, calendar: WorkingCalendar, *, original: bool = False) -> datetime | None:
    """When the answer is due; None where none is owed.

    `original` leaves out pauses and extensions.
    """
    start, limits = clocks.started_at, clocks.limits
    if start is None:
        return None
    still = () if original else stood_still(clocks)
    more = 0 if original else extended_by(clocks)
    if limits.reply_hours is not None:
        seconds = limits.reply_hours * 3600 + more * day_seconds(calendar)
        return after_hours(start, seconds, still, calendar)
    days = reply_days(clocks)
    return None if days is None else _end_of_nth(start, days + more, still, calendar)


def reply_days(clocks: Clocks) -> int | None:
    """The limit of the answer in working days; None where it is in hours, or none is owed."""
    if clocks.handled_round is None and clocks.limits.reply is None:
        return clocks.working_days  # written by a release that did not keep the limits
    return clocks.limits.reply


def accept_due_at(clocks: Clocks, policy: Policy) -> datetime | None:
    """Until when the unit has to accept the case; None where there is no such limit.

    It is counted from the start of the round; where the policy says `at_transfer: anew`, from the
    moment at which the case came to the unit. Pauses move it, extensions do not.
    """
    limits, start = clocks.limits, _given_at(clocks, policy)
    if start is None:
        return None
    if limits.accept_hours is not None:
        return after_hours(start, limits.accept_hours * 3600, stood_still(clocks), policy.calendar)
    if limits.accept is None:
        return None
    return _end_of_nth(start, limits.accept, stood_still(clocks), policy.calendar)


def rating_days(clocks: Clocks, policy: Policy) -> int:
    """Working days for which the link to rate the answer will live."""
    return clocks.limits.rating or policy.rating_days


def stood_still(clocks: Clocks) -> Still:
    """When the clocks stand still: of a pause that lasts, until it ends by itself.

    Once the answer is given they stand anyway: what would come after that has no effect.
    """
    if not clocks.pauses:
        return ()
    stopped = clocks.stopped_at
    spans = (pause.span for pause in clocks.pauses)
    if stopped is None:
        return list(spans)
    return [(begin, min(end, stopped)) for begin, end in spans if begin < stopped]


def extended_by(clocks: Clocks) -> int:
    """Working days granted in this round, before its answer."""
    return sum(
        each.days
        for each in clocks.extensions
        if each.state is ExtensionState.GRANTED
        and (clocks.stopped_at is None or (each.decided_at or each.at) < clocks.stopped_at)
    )


def next_repeat(clocks: Clocks, policy: Policy, now: datetime) -> Mark | None:
    """The next time that the end of the chain is told again; of several missed, only the last.

    None where the policy does not repeat, or steps up the chain are still to come.
    """
    climb = clocks.escalation
    if climb is None or not climb.repeat or not climb.units or clocks.due_at is None:
        return None
    if any(mark.kind == ESCALATE for mark in clocks.marks):
        return None
    passed = policy.calendar.working_days_between(clocks.due_at, now) - climb.first
    step = max(len(climb.units), passed // climb.days, _next_step(clocks))
    due_day = policy.calendar.local_day(clocks.due_at)
    at = _step_at(due_day, step, climb, policy.calendar)
    if at <= now:
        step, at = step + 1, _step_at(due_day, step + 1, climb, policy.calendar)
    return Mark(at=at, kind=ESCALATE, step=step, to_unit=climb.units[-1])


def _end_of_nth(start: datetime, number: int, still: Still, calendar: WorkingCalendar) -> datetime:
    return calendar.end_of(nth_day(calendar.local_day(start), number, still, calendar))


def _marks(clocks: Clocks, policy: Policy) -> tuple[Mark, ...]:
    if not runs(clocks):
        return ()
    pause = clocks.pause
    if pause is not None:
        return (Mark(at=pause.until, kind=RESUME),)
    assert clocks.due_at is not None
    overdue = Mark(at=clocks.due_at + TICK, kind=OVERDUE)
    present, due_day = _present(clocks), policy.calendar.local_day(clocks.due_at)
    warnings = _warnings(clocks, due_day, policy) if overdue.at >= present else []
    climb = _climb(clocks.escalation, _next_step(clocks), due_day, policy.calendar)
    marks = [*warnings, overdue, *climb]
    came = max(present, clocks.given_at or present)
    awaited = [mark for mark in marks if mark.at >= present]
    awaited += [mark for mark in _acceptance(clocks) if mark.at >= came]
    return _to_come(awaited, clocks.said)


def _acceptance(clocks: Clocks) -> list[Mark]:
    if clocks.accept_due_at is None or clocks.accepted_at is not None:
        return []
    return [Mark(at=clocks.accept_due_at + TICK, kind=OVERDUE, clock=ACCEPT)]


def _warnings(clocks: Clocks, due_day: date, policy: Policy) -> list[Mark]:
    return [
        Mark(at=at, kind=DUE_SOON, step=step)
        for step, warn in enumerate(policy.warnings(clocks.colour))
        if (at := _warned_at(clocks, due_day, warn, policy.calendar)) is not None
    ]


def _warned_at(
    clocks: Clocks, due_day: date, warn: int | Share, calendar: WorkingCalendar
) -> datetime | None:
    """When a warning is given; None where there is no time for it."""
    start, still = clocks.started_at, stood_still(clocks)
    assert start is not None
    hours = clocks.limits.reply_hours
    if hours is not None:
        total = hours * 3600 + extended_by(clocks) * day_seconds(calendar)
        passed = total * warn.percent / 100 if isinstance(warn, Share) else total - warn * 3600
        return after_hours(start, passed, still, calendar) if passed > 0 else None
    if isinstance(warn, Share):
        total = (reply_days(clocks) or 0) + extended_by(clocks)
        days = ceil(total * warn.percent / 100)
        if days >= total:
            return None
        return _end_of_nth(start, days, still, calendar) + TICK
    return _days_before(due_day, warn, calendar)


@lru_cache(REMEMBERED)
def _days_before(day: date, number: int, calendar: WorkingCalendar) -> datetime:
    """The start of the working day that lies so many working days before another one."""
    return calendar.start_of(calendar.nth_working_day(day, -number) if number else day)


@lru_cache(REMEMBERED)
def _climb(
    climb: Escalation | None, following: int, due_day: date, calendar: WorkingCalendar
) -> tuple[Mark, ...]:
    """A step up the chain each time that so many working days have passed since the breach.

    Remembered, because the cases of a unit that are due on one day climb alike.
    """
    if climb is None or not climb.units:
        return ()
    steps = dict(enumerate(climb.units))
    if climb.repeat and following >= len(steps):
        steps[following] = climb.units[-1]
    return tuple(
        Mark(at=_step_at(due_day, step, climb, calendar), kind=ESCALATE, step=step, to_unit=above)
        for step, above in steps.items()
    )


def _step_at(due_day: date, step: int, climb: Escalation, calendar: WorkingCalendar) -> datetime:
    """The beginning of the day after so many working days, which count from the due day."""
    day = calendar.nth_working_day(due_day, climb.first + step * climb.days)
    return calendar.start_of(day + DAY)


def _next_step(clocks: Clocks) -> int:
    return max((mark.step + 1 for mark in clocks.said if mark.kind == ESCALATE), default=0)


def _to_come(marks: Iterable[Mark], said: Sequence[Mark]) -> tuple[Mark, ...]:
    """Those that have not been said, in order of time.

    Where the due date has moved to later, its warnings and its breach are others than before: a
    promise that was broken and renewed can be broken again. A step up the chain is taken once a
    round.
    """
    known: dict[tuple[str, str, int], datetime] = {}
    for mark in said:
        known[_name(mark)] = max(mark.at, known.get(_name(mark), mark.at))
    if known:
        marks = [mark for mark in marks if _is_another(mark, known.get(_name(mark)))]
    return tuple(sorted(marks, key=attrgetter("at")))


def _is_another(mark: Mark, said_at: datetime | None) -> bool:
    return said_at is None or (mark.kind != ESCALATE and mark.at > said_at)


def _name(mark: Mark) -> tuple[str, str, int]:
    return mark.kind, mark.clock, mark.step


def _given_at(clocks: Clocks, policy: Policy) -> datetime | None:
    start = clocks.started_at
    if start is None or clocks.given_at is None or policy.clocks.at_transfer == "goes-on":
        return start
    return max(start, clocks.given_at)


def _present(clocks: Clocks) -> datetime:
    """When this round could first be acted on: its start, or later, when the case came in.

    The past raises no alarms.
    """
    assert clocks.started_at is not None
    return max(clocks.started_at, clocks.received_at or clocks.started_at)
