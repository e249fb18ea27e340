"""Intake over HTTP: its commands, and what was recorded."""

from __future__ import annotations

from services.intake.handlers import COMMANDS
from services.intake.store import RECORDS
from shared.domain.aggregates import Record
from shared.runtime.commands import command_routes
from shared.runtime.gateway import Gateway
from shared.runtime.routes import Routes


def api(gateway: Gateway) -> Routes:
    """The routes of intake."""
    routes = command_routes("intake", COMMANDS, gateway)

    @routes.get("/cases/{case_id}/record")
    def record(case_id: str) -> Record:
        """The case as it was recorded."""
        return gateway.fetch(RECORDS, case_id)

    return routes
