"""The router over HTTP: its commands, and where a case's handling stands."""

from __future__ import annotations

from fastapi import APIRouter

from services.router.handlers import COMMANDS
from services.router.policy_api import policy_routes
from services.router.store import HANDLINGS
from shared.domain.aggregates import Handling
from shared.runtime.commands import command_routes
from shared.runtime.gateway import Gateway


def api(gateway: Gateway) -> APIRouter:
    """The routes of the router."""
    router = command_routes(COMMANDS, gateway)

    @router.get("/cases/{case_id}/handling")
    def handling(case_id: str) -> Handling:
        """Who has to answer the case, and how far that is."""
        return gateway.fetch(HANDLINGS, case_id)

    router.include_router(policy_routes(gateway))
    return router
