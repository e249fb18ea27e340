"""The deadline service over HTTP: when a case is due, and how long that is."""

from __future__ import annotations

from datetime import date, datetime

from services.deadline.logic import is_overdue, working_days_left
from services.deadline.store import CLOCKS
from shared.domain.aggregates import Clocks, Mark
from shared.domain.calendar import WorkingCalendar
from shared.domain.case import Standing
from shared.domain.model import Instant, Value
from shared.runtime.gateway import Gateway
from shared.runtime.routes import Routes


class Deadline(Value):
    """When the current round of a case is due, as of the moment of asking."""

    case_id: str
    standing: Standing
    unit: str
    colour: str
    started_at: Instant | None
    due_at: Instant | None
    """The end of the due day; null where no answer is owed."""
    due_day: date | None
    """By the calendar on the wall of the place."""
    working_days: int | None
    working_days_left: int | None
    """Working days after today, 0 on the due day, negative when overdue; null if no clock runs."""
    overdue: bool
    """Whether the answer came after the due day, or is owed beyond it."""
    provisional: bool
    stopped_at: Instant | None
    marks: tuple[Mark, ...]
    """What is still to be said."""
    said: tuple[Mark, ...]
    """What has been said."""

    @classmethod
    def of(cls, clocks: Clocks, calendar: WorkingCalendar, now: datetime) -> Deadline:
        """The clocks as people read them."""
        due = clocks.due_at
        return cls(
            case_id=clocks.case_id,
            standing=clocks.standing,
            unit=clocks.unit,
            colour=clocks.colour,
            started_at=clocks.started_at,
            due_at=due,
            due_day=calendar.local_day(due) if due else None,
            working_days=clocks.working_days,
            working_days_left=working_days_left(clocks, calendar, now),
            overdue=is_overdue(clocks, now),
            provisional=clocks.provisional,
            stopped_at=clocks.stopped_at,
            marks=clocks.marks,
            said=clocks.said,
        )


def api(gateway: Gateway) -> Routes:
    """The routes of the deadline service."""
    routes = Routes("deadline")

    @routes.get("/cases/{case_id}/deadline")
    def deadline(case_id: str) -> Deadline:
        """When the case is due, and how many working days are left."""
        context = gateway.context
        return Deadline.of(gateway.fetch(CLOCKS, case_id), context.policy.calendar, context.now)

    return routes
