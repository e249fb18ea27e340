"""The evaluation service over HTTP: its command, a case's judgement, and the page to rate on."""

from __future__ import annotations

from services.evaluation.handlers import COMMANDS
from services.evaluation.rating_page import rating_page
from services.evaluation.store import JUDGEMENTS
from shared.domain.aggregates import Judgement
from shared.runtime.commands import command_routes
from shared.runtime.gateway import Gateway
from shared.runtime.routes import Routes


def api(gateway: Gateway) -> Routes:
    """The routes of the evaluation service."""
    routes = command_routes("evaluation", COMMANDS, gateway)
    routes.include(rating_page(gateway))

    @routes.get("/cases/{case_id}/judgement")
    def judgement(case_id: str) -> Judgement:
        """Who may rate the answer, and how it was rated; no link, which is its holder's secret."""
        return gateway.fetch(JUDGEMENTS, case_id)

    return routes
