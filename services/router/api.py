"""The router over HTTP: its commands, and where a case's handling stands."""

from __future__ import annotations

from services.router.explanation import explain_cases
from services.router.handlers import COMMANDS
from services.router.policy_api import policy_routes
from services.router.store import HANDLINGS
from shared.domain.aggregates import Handling
from shared.runtime.commands import command_routes
from shared.runtime.gateway import Gateway
from shared.runtime.routes import Routes


def api(gateway: Gateway) -> Routes:
    """The routes of the router."""
    routes = command_routes("router", COMMANDS, gateway)

    @routes.get("/cases/{case_id}/handling")
    def handling(case_id: str) -> Handling:
        """Who has to answer the case, and how far that is."""
        return gateway.fetch(HANDLINGS, case_id)

    explain_cases(routes, gateway, gateway.versions)
    routes.include(policy_routes(gateway))
    return routes
