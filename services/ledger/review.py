"""The monthly review, as pure functions: which months, when due, who signs, what is said late."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from services.ledger.queries import Figures, Votes
from shared.domain.calendar import WorkingCalendar
from shared.domain.clock_rules import entitled
from shared.domain.commands import SignReview
from shared.domain.errors import ConfigurationError, Conflict
from shared.domain.policy import Policy, Unit
from shared.domain.review_events import ReviewOverdue
from shared.domain.reviews import Review, ReviewFigures, ReviewRules, ReviewState, Signature

MOST = 12
"""Months that are caught up, the last one included."""

PUNCTUAL = timedelta(minutes=1)
"""What is said later than this says so."""


def months(first: datetime, now: datetime, calendar: WorkingCalendar) -> list[str]:
    """The months that have ended, from that of the first case on, the oldest first."""
    begun = _first_day(calendar.local_day(first))
    month, found = _first_day(calendar.local_day(now)), list[str]()
    while len(found) < MOST:
        month = _first_day(month - timedelta(days=1))
        if month < begun:
            break
        found.append(f"{month:%Y-%m}")
    return found[::-1]


def days_of(month: str) -> tuple[date, date]:
    """The first and the last day of a month."""
    first = date.fromisoformat(f"{month}-01")
    return first, _first_day(first + timedelta(days=31)) - timedelta(days=1)


def due(month: str, days: int, calendar: WorkingCalendar) -> datetime | None:
    """The end of the `days`-th working day of the next month; None beyond the calendar."""
    try:
        return calendar.end_of(calendar.nth_working_day(days_of(month)[1], days))
    except ConfigurationError:
        return None


def reviewed(policy: Policy, rules: ReviewRules) -> list[Unit]:
    """The units of the levels that are reviewed."""
    return [unit for unit in policy.units.values() if unit.level in rules.levels]


def opened(
    unit: Unit, month: str, rules: ReviewRules, policy: Policy, now: datetime, told: ReviewFigures
) -> Review:
    """The review of a unit and month, with who may sign it: never the unit itself."""
    signers = entitled(rules.by, unit.id, unit.parent)
    return Review(
        unit=unit.id,
        month=month,
        opened_at=now,
        due_at=due(month, rules.days, policy.calendar),
        signers=tuple(name for name in signers if name != unit.id),
        figures=told,
    )


def figures_of(
    unit: str,
    counts: Mapping[str, Figures],
    votes: Mapping[str, Votes],
    answered: Mapping[str, int],
) -> ReviewFigures:
    """What is reviewed of a unit, from the counts of all units."""
    count, judged = counts.get(unit, Figures()), votes.get(unit, Votes())
    return ReviewFigures(
        recorded=count.cases,
        answered=answered.get(unit, 0),
        closed=count.closed,
        on_time=count.on_time,
        late=count.late,
        open_overdue=count.open_overdue,
        asked=judged.asked,
        rated=judged.rated,
        satisfied=judged.satisfied,
        repeats=count.repeats,
    )


def sign(known: Review, command: SignReview, now: datetime) -> Review:
    """The review with its signature; raises `Conflict` for a second one, and for whoever may not.

    A late signature is taken: `overdue_at` stays and tells of it.
    """
    if known.signature is not None:
        by = f"{known.signature.person} for {known.signature.unit}"
        reason = f"{by} signed the review of {known.key} on {known.signature.at:%Y-%m-%d}"
        raise Conflict.of("reviewed", "already-signed", reason)
    if command.unit not in known.signers:
        who = " or ".join(known.signers)
        reason = f"{command.unit} may not sign the review of {known.key}: {who} signs it"
        raise Conflict.of("unit", "not-entitled", reason)
    signature = Signature(unit=command.unit, person=command.person, remark=command.remark, at=now)
    return known.but(state=ReviewState.SIGNED, signature=signature)


def overdue(known: Review, now: datetime) -> ReviewOverdue:
    """What is said, once, of a review that nobody signed in time."""
    assert known.due_at is not None
    late = now - known.due_at
    return ReviewOverdue(
        review=known.but(state=ReviewState.OVERDUE, overdue_at=now),
        late_by=round(late.total_seconds()) if late > PUNCTUAL else None,
    )


def _first_day(day: date) -> date:
    return day.replace(day=1)
