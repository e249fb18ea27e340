"""The deadline service over HTTP: when a case is due, and how long that is."""

from __future__ import annotations

from datetime import date, datetime

from starlette.responses import PlainTextResponse, Response

from services.deadline.explain import Explanation, explain
from services.deadline.forecast import Forecast
from services.deadline.gauges import expected
from services.deadline.handlers import COMMANDS
from services.deadline.logic import days_paused, is_overdue, working_days_left
from services.deadline.page import pages
from services.deadline.plan import rating_days
from services.deadline.store import CLOCKS
from services.deadline.words import Language, text
from shared.domain.aggregates import Clocks, Extension, Mark, Pause
from shared.domain.calendar import WorkingCalendar
from shared.domain.case import Standing
from shared.domain.errors import ConfigurationError, Conflict
from shared.domain.model import Input, Instant, View
from shared.runtime.commands import command_routes
from shared.runtime.gateway import Gateway
from shared.runtime.routes import Routes


class Deadline(View):
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
    hours: int | None
    """The limit in hours of work, where it is not in working days."""
    working_days_left: int | None
    """Working days after today, 0 on the due day, negative when overdue; null if no clock runs."""
    overdue: bool
    """Whether the answer came after the due day, or is owed beyond it."""
    provisional: bool
    stopped_at: Instant | None
    original_due_at: Instant | None
    """Without pauses and extensions."""
    accept_due_at: Instant | None
    """Until when the unit has to accept the case; null where the policy sets no limit."""
    accepted_at: Instant | None
    paused: bool
    """Whether the clocks stand still by a pause."""
    paused_days: int
    """Working days that the pauses of this round leave out."""
    pauses: tuple[Pause, ...]
    extensions: tuple[Extension, ...]
    rating_days: int
    """Working days for which the link to rate the answer will live; the evaluation owns it."""
    marks: tuple[Mark, ...]
    """What is still to be said."""
    said: tuple[Mark, ...]
    """What has been said."""

    @classmethod
    def of(
        cls, clocks: Clocks, calendar: WorkingCalendar, now: datetime, rating_days: int
    ) -> Deadline:
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
            hours=clocks.limits.reply_hours,
            working_days_left=working_days_left(clocks, calendar, now),
            overdue=is_overdue(clocks, now),
            provisional=clocks.provisional,
            stopped_at=clocks.stopped_at,
            original_due_at=clocks.original_due_at,
            accept_due_at=clocks.accept_due_at,
            accepted_at=clocks.accepted_at,
            paused=clocks.pause is not None,
            paused_days=days_paused(clocks, calendar),
            pauses=clocks.pauses,
            extensions=clocks.extensions,
            rating_days=rating_days,
            marks=clocks.marks,
            said=clocks.said,
        )


class Wording(Input):
    """In which language a text is asked for."""

    language: Language = "en"


def api(gateway: Gateway) -> Routes:
    """The routes of the deadline service."""
    routes = command_routes("deadline", COMMANDS, gateway)

    @routes.get("/cases/{case_id}/deadline")
    def deadline(case_id: str) -> Deadline:
        """When the case is due, and how many working days are left."""
        context = gateway.context
        policy = context.policy
        clocks = gateway.fetch(CLOCKS, case_id)
        return Deadline.of(clocks, policy.calendar, context.now, rating_days(clocks, policy))

    @routes.get("/cases/{case_id}/deadline/days")
    def days(case_id: str) -> Explanation:
        """How the due date came about, day by day."""
        return explained(gateway, case_id)

    @routes.get("/cases/{case_id}/deadline/table", media_type="text/plain")
    def table(case_id: str, query: Wording) -> Response:
        """The same as a table of text, in Chinese or in English."""
        return PlainTextResponse(text(explained(gateway, case_id), query.language))

    def expectation() -> Forecast:
        try:
            with gateway.read() as connection:
                return expected(connection, gateway.context)
        except ConfigurationError as outside:
            raise Conflict.of("", "outside-calendar", f"{outside}") from outside

    @routes.get("/forecast")
    def forecast() -> Forecast:
        """How many open cases of each unit will breach at its present pace, with the reckoning."""
        return expectation()

    routes.include(pages(gateway, expectation, lambda case_id: explained(gateway, case_id)))
    return routes


def explained(gateway: Gateway, case_id: str) -> Explanation:
    """How the due date of a case came about; raises `NotFound`, and `Conflict` without one."""
    context = gateway.context
    policy = context.policy
    clocks = gateway.fetch(CLOCKS, case_id)
    return explain(clocks, policy.calendar, context.now, rating_days(clocks, policy))
