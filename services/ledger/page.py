"""A plain page of the books: rendered here first, kept up to date by its own script.

Without JavaScript, in a text browser or by `curl`, it shows the same figures and cases.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.ledger.figures import Report
from services.ledger.report import percent
from services.ledger.search import CaseQuery, search
from shared.domain.case import State, Text
from shared.domain.model import View
from shared.runtime.gateway import Gateway
from shared.runtime.pages import language, page
from shared.runtime.routes import Routes

SHOWN = 20
"""Cases on the page."""

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Asked(View):
    """What the page's own form and links ask for; what others put into links is ignored."""

    lang: str | None = None
    q: Annotated[Text, Field(max_length=200)] = ""
    state: State | Literal[""] = ""
    """Empty is any, as the form sends it."""


def home_page(gateway: Gateway, report: Callable[[date | None, date | None], Report]) -> Routes:
    """`GET /`."""
    routes = Routes("ledger")

    @routes.get("/", media_type="text/html")
    def home(query: Asked, request: Request) -> Response:
        """The figures and the newest cases, for people."""
        calendar = gateway.policy.calendar

        def day(at: datetime | None) -> str:
            return calendar.local_day(at).isoformat() if at else ""

        listed = search(gateway, CaseQuery(q=query.q, state=query.state or None, limit=SHOWN))
        lang = language(query.lang, request.headers.get("accept-language"))
        return page(
            lambda nonce: _PAGES.get_template("page.html").render(
                report=report(None, None),
                listed=listed,
                asked=query,
                states=list(State),
                lang=lang,
                day=day,
                percent=percent,
                nonce=nonce,
                shown=SHOWN,
            ),
            lang=lang,
            policy="connect-src 'self'; form-action 'self'",
        )

    return routes
