"""What a policy says of the clocks of one case: limits, due dates, pace, who may do what. Pure."""

from __future__ import annotations

from datetime import datetime

from shared.domain.aggregates import Handling, Limits
from shared.domain.calendar import WorkingCalendar
from shared.domain.clock_rules import entitled
from shared.domain.errors import ConfigurationError
from shared.domain.model import Instant, View
from shared.domain.working_time import after_hours
from shared.policy.policy import CompiledPolicy


class Pace(View):
    """How an overdue case climbs."""

    first: int
    """Working days from the breach to the first step."""
    days: int
    """Working days between two steps."""
    repeat: bool
    """Whether the last step is taken again and again until the case is answered."""
    first_step_at: Instant | None
    """The last moment before the first step; None where there is no step."""


class Rights(View):
    """Units that may do something with the clocks, where the case lies now."""

    pause: dict[str, tuple[str, ...]]
    """By reason."""
    ask: tuple[str, ...]
    """Who may ask for more time."""
    decide: tuple[str, ...]
    """Who decides on it."""


class ClockExplanation(View):
    """The clocks of a case to which an answer is owed, before any pause and extension."""

    limits: Limits
    accept_due_at: Instant | None
    """Until when the unit has to accept the case."""
    pace: Pace
    rights: Rights


def explain_clocks(
    handling: Handling, policy: CompiledPolicy, start: datetime | None
) -> ClockExplanation:
    """The clocks of a case that began at `start`."""
    climb, due = policy.escalation(handling), due_at(handling.limits, policy, start)
    first = _after_days(due, climb.first, policy.calendar) if climb.units else None
    return ClockExplanation(
        limits=handling.limits,
        accept_due_at=_accept_due_at(handling, policy, start),
        pace=Pace(first=climb.first, days=climb.days, repeat=climb.repeat, first_step_at=first),
        rights=_rights(handling, policy),
    )


def due_at(limits: Limits, policy: CompiledPolicy, start: datetime | None) -> datetime | None:
    """When the answer is due; None where none is owed, or the calendar does not reach so far."""
    return _end(start, limits.reply, limits.reply_hours, policy.calendar)


def _accept_due_at(
    handling: Handling, policy: CompiledPolicy, start: datetime | None
) -> datetime | None:
    given = handling.given_at
    if start is not None and given is not None and policy.clocks.at_transfer == "anew":
        start = max(start, given)
    return _end(start, handling.limits.accept, handling.limits.accept_hours, policy.calendar)


def _end(
    start: datetime | None, days: int | None, hours: int | None, calendar: WorkingCalendar
) -> datetime | None:
    if start is None or hours is None:
        return _after_days(start, days, calendar)
    try:
        return after_hours(start, hours * 3600, (), calendar)
    except (ConfigurationError, OverflowError):
        return None


def _after_days(
    start: datetime | None, days: int | None, calendar: WorkingCalendar
) -> datetime | None:
    if start is None or days is None:
        return None
    try:
        return calendar.due(start, days)
    except (ConfigurationError, OverflowError):
        # Beyond the calendar of the policy, or of all calendars: intake refuses such a case.
        return None


def _rights(handling: Handling, policy: CompiledPolicy) -> Rights:
    own, rules = policy.units.get(handling.unit), policy.clocks
    parent = own.parent if own else None
    more = rules.extension
    return Rights(
        pause={
            reason: entitled(pause.by, handling.unit, parent)
            for reason, pause in rules.pauses.items()
        },
        ask=() if more is None else entitled(more.asked_by, handling.unit, parent),
        decide=() if more is None else entitled(more.decided_by, handling.unit, parent),
    )
