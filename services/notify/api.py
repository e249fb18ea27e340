"""The notify service over HTTP: who was told what, and what became of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from services.notify.handlers import COMMANDS
from services.notify.notices import Notice, NoticeState
from services.notify.store import WATCHES, in_state, of_case
from shared.domain.model import Input, Instant
from shared.domain.notices import Way
from shared.runtime.commands import command_routes
from shared.runtime.gateway import Gateway
from shared.runtime.routes import Routes


class Shown(BaseModel):
    """A message as its record shows it: to whom by unit and role, not by address."""

    id: str
    case_id: str | None
    """Null for a list of the morning."""
    event: str
    way: Way
    endpoint: str | None
    """Of a webhook: the id of its endpoint."""
    role: str
    unit: str | None
    row: str
    """The row of the policy that says so."""
    state: NoticeState
    happened_at: Instant
    planned_at: Instant
    """When it was to go out first, after the quiet hours."""
    next_at: Instant | None
    """When it is tried next, or at the latest, should whoever tries it now have died."""
    tries: int
    done_at: Instant | None
    reason: str
    """Why the last try failed."""

    @classmethod
    def of(cls, notice: Notice) -> Shown:
        """The record without the address."""
        return cls(
            id=notice.id,
            case_id=notice.case_id or None,
            event=notice.event,
            way=notice.way,
            endpoint=notice.to if notice.way is Way.WEBHOOK else None,
            role=notice.role,
            unit=notice.unit or None,
            row=notice.row,
            state=notice.state,
            happened_at=notice.happened_at,
            planned_at=notice.planned_at,
            next_at=notice.next_at,
            tries=notice.tries,
            done_at=notice.done_at,
            reason=notice.reason,
        )


class Record(BaseModel):
    """Messages and what became of them."""

    notifications: list[Shown]


class Asked(Input):
    """Which messages are asked for."""

    state: NoticeState | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


def api(gateway: Gateway) -> Routes:
    """The routes of the notify service."""
    routes = command_routes("notify", COMMANDS, gateway)

    @routes.get("/cases/{case_id}/notifications")
    def of_one_case(case_id: str) -> Record:
        """Who was told of the case, when, how often it was tried, and why it failed."""
        gateway.fetch(WATCHES, case_id)
        with gateway.read() as connection:
            found = of_case(connection, case_id)
        return Record(notifications=[Shown.of(each) for each in found])

    @routes.get("/notifications")
    def newest(query: Asked) -> Record:
        """The newest messages, such as those that failed."""
        with gateway.read() as connection:
            found = in_state(connection, query.state, query.limit)
        return Record(notifications=[Shown.of(each) for each in found])

    return routes
