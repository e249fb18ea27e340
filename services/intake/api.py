"""Intake over HTTP: its commands, and what was recorded."""

from __future__ import annotations

from fastapi import APIRouter

from services.intake.handlers import COMMANDS
from services.intake.store import RECORDS
from shared.domain.aggregates import Record
from shared.runtime.commands import command_routes
from shared.runtime.gateway import Gateway


def api(gateway: Gateway) -> APIRouter:
    """The routes of intake."""
    router = command_routes(COMMANDS, gateway)

    @router.get("/cases/{case_id}/record")
    def record(case_id: str) -> Record:
        """The case as it was recorded."""
        return gateway.fetch(RECORDS, case_id)

    return router
