"""The page on which an answer is rated. Opening it records nothing: mail scanners follow links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from jinja2 import Environment, PackageLoader
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.evaluation.logic import LONGEST_COMMENT, rateable
from services.evaluation.store import JUDGEMENTS
from services.evaluation.texts import TEXTS
from shared.domain.aggregates import Judgement
from shared.domain.commands import RateReply
from shared.domain.errors import NotFound, Problem, Refusal, Unavailable
from shared.domain.events import CaseClosed, CaseReopened, Event
from shared.domain.ids import case_of_token
from shared.domain.model import View
from shared.domain.policy import Titled
from shared.domain.problems import problems_of
from shared.runtime.gateway import Gateway
from shared.runtime.pages import language, page
from shared.runtime.routes import Routes

PAGES = Environment(
    loader=PackageLoader("services.evaluation", "pages"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)

GONE = 410
"""The status of a page whose time is over; to programs that is a conflict like the others."""


class Wish(View):
    """What the address says besides the token; what mail programs add to it is ignored."""

    lang: str | None = None


class Filled(View):
    """The form as it was sent, right or wrong: what is wrong is told on the page."""

    score: str = ""
    comment: str = ""


def rating_page(gateway: Gateway) -> Routes:
    """`/rate/TOKEN`: the form to look at, and to send."""
    routes = Routes("evaluation")

    @routes.get("/rate/{token}", media_type="text/html")
    def show(token: str, query: Wish, request: Request) -> Response:
        """What is to be rated, and the scale. Records nothing."""
        visit = _Visit(gateway, token, _language(query, request))
        return visit.answer(visit.form)

    @routes.post("/rate/{token}", media_type="text/html")
    def rate(token: str, query: Wish, form: Filled, request: Request) -> Response:
        """Record the rating, and say thank you."""
        visit = _Visit(gateway, token, _language(query, request))
        return visit.answer(lambda: visit.send(form.score, form.comment))

    return routes


def _language(query: Wish, request: Request) -> str:
    return language(query.lang, request.headers.get("accept-language"))


class _Visit:
    """One request by the holder of a link."""

    def __init__(self, gateway: Gateway, token: str, lang: str) -> None:
        self._gateway = gateway
        self._token = token
        self._lang = lang

    def answer(self, page: Callable[[], HTMLResponse]) -> HTMLResponse:
        """The page, or one that says why there is none."""
        try:
            return page()
        except Refusal as refusal:
            code = refusal.problems[0].code
            gone = code in {"link-lapsed", "case-erased"}
            return self._page("notice.html", GONE if gone else refusal.status, code)
        except Unavailable:
            response = self._page("notice.html", 503, "unavailable")
            response.headers["Retry-After"] = "1"
            return response

    def form(
        self, score: str = "", comment: str = "", problems: Sequence[Problem] = ()
    ) -> HTMLResponse:
        """The answer, the scale, and what was filled in before; raises `Refusal` without either."""
        judgement = self._judgement()
        policy = self._gateway.policy
        assert judgement.lapses_at is not None
        return self._page(
            "form.html",
            422 if problems else 200,
            judgement=judgement,
            scale=[(each.id, self._title(each)) for each in policy.scale.values()],
            until=policy.calendar.local_day(judgement.lapses_at),
            score=score,
            comment=comment.replace("\0", ""),
            problems=[(each.field, _words_for(each)) for each in problems],
        )

    def send(self, score: str, comment: str) -> HTMLResponse:
        """Record the rating; what can be mended is shown in the form once more."""
        try:
            command = RateReply(token=self._token, score=score, comment=comment)
            events = self._gateway.execute(command)
        except ValidationError as error:
            return self.form(score, comment, problems_of(error))
        except Refusal as refusal:
            if any(problem.field == "token" for problem in refusal.problems):
                raise
            return self.form(score, comment, refusal.problems)
        return self._page("thanks.html", 200, _outcome(events))

    def _judgement(self) -> Judgement:
        """What the link entitles to rate; raises `Refusal` where that is nothing any more."""
        judgement: Judgement | None = None
        with suppress(NotFound):  # `rateable` has the words for it
            judgement = self._gateway.fetch(JUDGEMENTS, case_of_token(self._token))
        return rateable(judgement, self._token, self._gateway.context.now)

    def _title(self, thing: Titled) -> str:
        return thing.title.get(self._lang) or next(iter(thing.title.values()), thing.id)

    def _page(self, template: str, status: int, about: str = "", **values: object) -> HTMLResponse:
        made = page(
            lambda nonce: PAGES.get_template(template).render(
                words=TEXTS[self._lang],
                lang=self._lang,
                limit=LONGEST_COMMENT,
                about=about,
                nonce=nonce,
                **values,
            ),
            lang=self._lang,
            status=status,
        )
        # The address is the secret: no index may keep it either.
        made.headers["X-Robots-Tag"] = "noindex, nofollow"
        return made


def _words_for(problem: Problem) -> str:
    """The key of the words by which a mistake in the form is explained."""
    if problem.field == "score":
        return "choose"
    return "too-long" if problem.code == "too-long" else "forbidden-characters"


def _outcome(events: Sequence[Event]) -> str:
    """The key of the words for what a rating led to."""
    if any(isinstance(event, CaseReopened) for event in events):
        return "reopened"
    return next((event.reason for event in events if isinstance(event, CaseClosed)), "")
