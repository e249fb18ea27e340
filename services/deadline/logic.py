"""What becomes of the clocks of a case when something is heard, and when time has passed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from services.deadline.plan import (
    DUE_SOON,
    ESCALATE,
    OVERDUE,
    RESUME,
    next_repeat,
    planned,
    runs,
    stood_still,
)
from shared.domain.aggregates import Clocks, Extension, Handling, Limits, Mark, Pause
from shared.domain.calendar import WorkingCalendar
from shared.domain.case import Standing, State
from shared.domain.events import (
    CaseDueSoon,
    CaseEscalated,
    CaseOverdue,
    CaseResumed,
    ClocksEvent,
    DeadlineMoved,
    DeadlineSet,
)
from shared.domain.policy import Policy
from shared.domain.working_time import paused_days

Act = TypeVar("Act", Pause, Extension)

IRREVERSIBLE = (OVERDUE, ESCALATE, RESUME)
"""Kinds of marks that nobody can take back once they are said."""

PUNCTUAL = timedelta(minutes=1)
"""Up to this after its moment, a mark counts as said in time."""


def follow(known: Clocks, handling: Handling, policy: Policy) -> Clocks:
    """The clocks after a newer handling; the version rises where a due date was reckoned anew.

    Raises `ConfigurationError` where that lies outside the policy's calendar.
    """
    new_round = handling.started_at != known.started_at
    clocks = known.but(
        standing=known.standing.join(handling.standing),
        handling_version=handling.version,
        handled_round=handling.standing.round,
        colour=handling.colour,
        unit=handling.unit,
        limits=handling.limits if handling.answer_owed else Limits(),
        escalation=policy.escalation(handling) if handling.answer_owed else None,
        started_at=handling.started_at,
        received_at=handling.received_at,
        given_at=handling.given_at,
        accepted_at=handling.accepted_at,
        stopped_at=handling.replied_at,
        said=() if new_round else known.said,
        pauses=_since(handling.started_at, known.pauses),
        extensions=_since(handling.started_at, known.extensions),
    )
    clocks = planned(clocks, policy)
    if clocks.due_at == known.due_at and clocks.pause == known.pause and not new_round:
        return clocks
    if clocks.due_at is None and known.due_at is None:
        return clocks
    return clocks.next()


def news(known: Clocks, clocks: Clocks, calendar: WorkingCalendar) -> list[ClocksEvent]:
    """The event of what a newer handling changed in the due date; none where nothing."""
    case_id = clocks.case_id
    if clocks.version == known.version:
        return []
    if clocks.started_at != known.started_at or known.due_at is None:
        return [DeadlineSet(case_id=case_id, clocks=clocks)]
    if known.pause is not None and clocks.pause is None and clocks.stopped_at is not None:
        ended = known.pause.but(ended_at=clocks.stopped_at)
        return [resumed(clocks, ended, calendar)]
    return [moved(known, clocks, "re-triage")]


def moved(known: Clocks, clocks: Clocks, why: str) -> DeadlineMoved:
    """The event of a due date that was reckoned anew."""
    return DeadlineMoved(
        case_id=clocks.case_id,
        clocks=clocks,
        moved_from=known.due_at,
        moved_to=clocks.due_at,
        why=why,
    )


def resumed(clocks: Clocks, pause: Pause, calendar: WorkingCalendar) -> CaseResumed:
    """The event of a pause that is over."""
    return CaseResumed(
        case_id=clocks.case_id,
        clocks=clocks,
        pause=pause,
        paused_days=days_paused(clocks, calendar),
    )


def settle(known: Clocks, standing: Standing) -> Clocks:
    """The clocks after another service's fact about where the case stands.

    A case that is over has nothing more to be warned of, nor has the round before a new one.
    """
    joined = known.standing.join(standing)
    if joined == known.standing:
        return known
    return known.but(standing=joined, marks=())


def recalculated(known: Clocks, policy: Policy, now: datetime) -> Clocks:
    """The clocks by another calendar; the version rises where the due date has moved.

    What is over or overdue stays as it was reckoned.
    """
    if not runs(known) or (known.due_at is not None and known.due_at < now):
        return known
    clocks = planned(known, policy)
    return clocks if clocks.due_at == known.due_at else clocks.next()


def speak(
    known: Clocks, policy: Policy, now: datetime, *, certain: bool = True
) -> list[ClocksEvent]:
    """An event for each mark that has been reached, in their order, however long ago that was.

    The last event carries the clocks that are left. Where `now` is not certain, what cannot be
    taken back waits.
    """
    events: list[ClocksEvent] = []
    clocks = known
    while clocks.marks and clocks.marks[0].at <= now:
        mark = clocks.marks[0]
        if mark.kind in IRREVERSIBLE and not certain:
            break
        clocks = _after(clocks, mark, policy, now)
        events.append(_event(clocks, mark, policy.calendar, now))
    return events


def working_days_left(clocks: Clocks, calendar: WorkingCalendar, now: datetime) -> int | None:
    """Working days after today up to the due day, 0 on it; None where no clock runs.

    Negative once it has passed: then the working days by which the case is overdue. Days on which
    the clock stands still are left out.
    """
    if clocks.due_at is None or clocks.stopped_at or clocks.standing.state is not State.OPEN:
        return None
    if now <= clocks.due_at:
        today, due_day = calendar.local_day(now), calendar.local_day(clocks.due_at)
        still = paused_days(stood_still(clocks), today, due_day, calendar)
        return calendar.working_days_in(today, due_day) - still
    return -calendar.working_days_between(clocks.due_at, now)


def is_overdue(clocks: Clocks, now: datetime) -> bool:
    """Whether the answer came after the due day, or is still owed beyond it."""
    if clocks.due_at is None:
        return False
    if clocks.stopped_at is not None:
        return clocks.stopped_at > clocks.due_at
    return clocks.standing.state is State.OPEN and now > clocks.due_at


def days_paused(clocks: Clocks, calendar: WorkingCalendar) -> int:
    """Working days that the pauses of this round leave out."""
    if clocks.started_at is None or clocks.due_at is None:
        return 0
    first, last = map(calendar.local_day, (clocks.started_at, clocks.due_at))
    return paused_days(stood_still(clocks), first, last, calendar)


def _since(start: datetime | None, acts: tuple[Act, ...]) -> tuple[Act, ...]:
    """Those of the round that began then: what was done in an earlier one is over."""
    return tuple([act for act in acts if start is not None and act.at >= start]) if acts else ()


def _after(clocks: Clocks, mark: Mark, policy: Policy, now: datetime) -> Clocks:
    """The clocks once a mark has been said."""
    if mark.kind == RESUME:
        pauses = (*clocks.pauses[:-1], clocks.pauses[-1].but(ended_at=mark.at))
        ended = clocks.but(pauses=pauses, said=(*clocks.said, mark))
        return planned(ended, policy).next()
    after = clocks.next(marks=clocks.marks[1:], said=(*clocks.said, mark))
    again = next_repeat(after, policy, now) if mark.kind == ESCALATE else None
    if again is None:
        return after
    return after.but(marks=(*after.marks, again))


def _event(clocks: Clocks, mark: Mark, calendar: WorkingCalendar, now: datetime) -> ClocksEvent:
    case_id = clocks.case_id
    late = now - mark.at
    late_by = round(late.total_seconds()) if late > PUNCTUAL else None
    if mark.kind == RESUME:
        return resumed(clocks, clocks.pauses[-1], calendar)
    if mark.kind == DUE_SOON:
        left = max(0, working_days_left(clocks, calendar, now) or 0)
        return CaseDueSoon(case_id=case_id, clocks=clocks, working_days_left=left, late_by=late_by)
    if mark.kind == OVERDUE:
        return CaseOverdue(case_id=case_id, clocks=clocks, clock=mark.clock, late_by=late_by)
    assert mark.to_unit is not None
    return CaseEscalated(
        case_id=case_id, clocks=clocks, to_unit=mark.to_unit, step=mark.step, late_by=late_by
    )
