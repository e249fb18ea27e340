"""When the clock of a case speaks, as pure functions of its handling, the policy and the moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from shared.domain.aggregates import Clocks, Handling, Mark
from shared.domain.calendar import WorkingCalendar
from shared.domain.case import Standing, State
from shared.domain.events import CaseDueSoon, CaseEscalated, CaseOverdue, ClocksEvent
from shared.domain.policy import Policy

DUE_SOON = "due-soon"
OVERDUE = "overdue"
ESCALATE = "escalate"

TICK = timedelta(microseconds=1)
"""From the last moment of a day to the first of the next."""


def follow(known: Clocks, handling: Handling, policy: Policy) -> Clocks:
    """The clocks after a newer handling; the version rises where a due date was reckoned.

    Raises `ConfigurationError` where that lies outside the policy's calendar.
    """
    standing = known.standing.join(handling.standing)
    runs = (
        handling.replied_at is None
        and standing.state is State.OPEN
        and standing == handling.standing  # else a later round has begun
    )
    changes: dict[str, object] = {
        "standing": standing,
        "handling_version": handling.version,
        "stopped_at": handling.replied_at,
        "colour": handling.colour,
        "unit": handling.unit,
    }
    if handling.started_at != known.started_at:
        due = _due(handling, policy.calendar)
        changes |= _new_round(handling, due, policy.calendar)
        if due is None:
            return known.model_copy(update=changes)
        if runs:
            changes["marks"] = _all_marks(due, handling, policy)
        return known.next(**changes)
    if _is_other_promise(known, handling):
        return known.next(**changes, **_new_promise(known, handling, policy, runs=runs))
    if not runs:
        changes["marks"] = ()
    elif handling.unit != known.unit and known.due_at is not None:
        changes["marks"] = _with_chain_of(known, known.due_at, handling, policy)
    return known.model_copy(update=changes)


def settle(known: Clocks, standing: Standing) -> Clocks:
    """The clocks after another service's fact about where the case stands.

    A case that is over has nothing more to be warned of, nor has the round before a new one.
    """
    joined = known.standing.join(standing)
    if joined == known.standing:
        return known
    return known.model_copy(update={"standing": joined, "marks": ()})


def speak(known: Clocks, calendar: WorkingCalendar, now: datetime) -> list[ClocksEvent]:
    """An event for each mark that has been reached, in their order, however long ago that was.

    The last event carries the clocks that are left.
    """
    events: list[ClocksEvent] = []
    clocks = known
    while clocks.marks and clocks.marks[0].at <= now:
        mark, *later = clocks.marks
        clocks = clocks.next(marks=tuple(later), said=(*clocks.said, mark))
        events.append(_event(clocks, mark, calendar, now))
    return events


def working_days_left(clocks: Clocks, calendar: WorkingCalendar, now: datetime) -> int | None:
    """Working days after today up to the due day, 0 on it; None where no clock runs.

    Negative once it has passed: then the working days by which the case is overdue.
    """
    if clocks.due_at is None or clocks.stopped_at or clocks.standing.state is not State.OPEN:
        return None
    if now <= clocks.due_at:
        return calendar.working_days_between(now, clocks.due_at)
    return -calendar.working_days_between(clocks.due_at, now)


def is_overdue(clocks: Clocks, now: datetime) -> bool:
    """Whether the answer came after the due day, or is still owed beyond it."""
    if clocks.due_at is None:
        return False
    if clocks.stopped_at is not None:
        return clocks.stopped_at > clocks.due_at
    return clocks.standing.state is State.OPEN and now > clocks.due_at


def _due(handling: Handling, calendar: WorkingCalendar) -> datetime | None:
    """When the answer is due; None where none is owed."""
    limit = handling.limits.reply
    if handling.started_at is None or limit is None or not handling.answer_owed:
        return None
    return calendar.due(handling.started_at, limit)


def _is_other_promise(known: Clocks, handling: Handling) -> bool:
    """Whether the case was decided anew within its round."""
    limit = handling.limits.reply if handling.answer_owed else None
    return limit != known.working_days or (limit is not None and handling.colour != known.colour)


def _new_promise(
    known: Clocks, handling: Handling, policy: Policy, *, runs: bool
) -> dict[str, object]:
    """Reckoned from the start of the round; what has been said is not said again for it.

    It is, where its moment has moved to later: another promise can be broken again.
    """
    due = _due(handling, policy.calendar)
    changes = _new_round(handling, due, policy.calendar) | {"said": known.said}
    if due is not None and runs:
        said = {(mark.kind, mark.step): mark.at for mark in known.said}
        changes["marks"] = tuple(
            mark
            for mark in _all_marks(due, handling, policy)
            if (mark.kind, mark.step) not in said or mark.at > said[mark.kind, mark.step]
        )
    return changes


def _new_round(
    handling: Handling, due: datetime | None, calendar: WorkingCalendar
) -> dict[str, object]:
    return {
        "started_at": handling.started_at,
        "due_at": due,
        "working_days": None if due is None else handling.limits.reply,
        "provisional": due is not None and calendar.is_provisional(due),
        "marks": (),
        "said": (),
    }


def _all_marks(due: datetime, handling: Handling, policy: Policy) -> tuple[Mark, ...]:
    overdue = Mark(at=due + TICK, kind=OVERDUE)
    warnings = _warnings(due, handling, policy) if overdue.at >= _present(handling) else []
    return _to_come([*warnings, overdue, *_escalation(due, handling.unit, policy)], handling)


def _with_chain_of(
    known: Clocks, due: datetime, handling: Handling, policy: Policy
) -> tuple[Mark, ...]:
    """The marks of a case that has moved: the chain is the new unit's, from the step not taken."""
    kept = [mark for mark in known.marks if mark.kind != ESCALATE]
    taken = {mark.step for mark in known.said if mark.kind == ESCALATE}
    chain = _escalation(due, handling.unit, policy)
    return _to_come([*kept, *(mark for mark in chain if mark.step not in taken)], handling)


def _warnings(due: datetime, handling: Handling, policy: Policy) -> list[Mark]:
    """At the start of the working day that lies so many working days before the due day."""
    calendar = policy.calendar
    due_day = calendar.local_day(due)
    days = policy.warnings(handling.colour)
    return [
        Mark(at=calendar.start_of(_days_before(due_day, ahead, calendar)), kind=DUE_SOON, step=step)
        for step, ahead in enumerate(days)
    ]


def _days_before(day: date, number: int, calendar: WorkingCalendar) -> date:
    return calendar.nth_working_day(day, -number) if number else day


def _escalation(due: datetime, unit: str, policy: Policy) -> list[Mark]:
    """A step up the chain each time that so many working days have passed since the breach."""
    return [
        Mark(
            at=policy.calendar.due(due, (step + 1) * policy.escalation_days) + TICK,
            kind=ESCALATE,
            step=step,
            to_unit=above,
        )
        for step, above in enumerate(policy.escalation(unit))
    ]


def _to_come(marks: Sequence[Mark], handling: Handling) -> tuple[Mark, ...]:
    """Without those that had passed before the case came in: the past raises no alarms."""
    present = _present(handling)
    return tuple(sorted((mark for mark in marks if mark.at >= present), key=lambda mark: mark.at))


def _present(handling: Handling) -> datetime:
    """When this round could first be acted on: its start, or later, when the case came in."""
    assert handling.started_at is not None
    return max(handling.started_at, handling.received_at or handling.started_at)


def _event(clocks: Clocks, mark: Mark, calendar: WorkingCalendar, now: datetime) -> ClocksEvent:
    case_id = clocks.case_id
    if mark.kind == DUE_SOON:
        left = max(0, working_days_left(clocks, calendar, now) or 0)
        return CaseDueSoon(case_id=case_id, clocks=clocks, working_days_left=left)
    if mark.kind == OVERDUE:
        return CaseOverdue(case_id=case_id, clocks=clocks)
    assert mark.to_unit is not None
    return CaseEscalated(case_id=case_id, clocks=clocks, to_unit=mark.to_unit, step=mark.step)
