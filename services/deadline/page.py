"""Pages for people: how a due date came about, and what is to be expected of each unit."""

from __future__ import annotations

from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from services.deadline.explain import Explanation
from services.deadline.forecast import Forecast
from services.deadline.words import HEADS, Language, arithmetic, cells, head
from shared.domain.model import View
from shared.runtime.gateway import Gateway
from shared.runtime.pages import language, page
from shared.runtime.routes import Routes

PAGES = Environment(
    loader=PackageLoader("services.deadline", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

WORDS = {
    "zh": {
        "forecast": "逾期预测",
        "method": (
            "按各单位最近 {} 个工作日（{} 起）的办复速度，按到期先后办理，不计新增。推算日：{}。"
        ),
        "breaches": "预计逾期 {} 件",
        "pace": "期间办复 {} 件，每个工作日 {} 件；待办复 {} 件，其中已逾期 {} 件",
        "due-day": "到期日",
        "cases": "件数",
        "queue": "累计待办",
        "days-left": "剩余工作日",
        "can-answer": "可办复",
        "will-breach": "将逾期",
        "nothing-open": "没有待办复的事项。",
        "reckoning": "期限推算",
    },
    "en": {
        "forecast": "Breaches to come",
        "method": (
            "Each unit answers at the pace of its last {} working days (from {}), in the order of"
            " the due dates, and nothing new comes in. Reckoned on {}."
        ),
        "breaches": "{} to breach",
        "pace": "{} answered in these days, {} on a working day; {} owe an answer, {} overdue",
        "due-day": "due",
        "cases": "cases",
        "queue": "until then",
        "days-left": "working days left",
        "can-answer": "can be answered",
        "will-breach": "will breach",
        "nothing-open": "No case owes an answer.",
        "reckoning": "How the due date came about",
    },
}


class Wish(View):
    """What the address says; what others add to it is ignored."""

    lang: str | None = None


def pages(
    gateway: Gateway,
    forecast: Callable[[], Forecast],
    explained: Callable[[str], Explanation],
) -> Routes:
    """`/forecast/page` and `/cases/CASE/deadline/page`."""
    routes = Routes("deadline")

    @routes.get("/forecast/page", media_type="text/html")
    def forecast_page(query: Wish, request: Request) -> Response:
        """How many open cases of each unit will breach at its present pace, with the reckoning."""
        lang = _language(query, request)
        units = gateway.policy.units

        def title(unit: str) -> str:
            return units[unit].title.get(lang, unit) if unit in units else unit

        return _page("forecast.html", lang, found=forecast(), title=title)

    @routes.get("/cases/{case_id}/deadline/page", media_type="text/html")
    def days_page(case_id: str, query: Wish, request: Request) -> Response:
        """How the due date of a case came about, day by day."""
        lang = _language(query, request)
        found = explained(case_id)
        return _page(
            "days.html",
            lang,
            head=list(head(found, lang)),
            heads=HEADS[lang],
            days=[(day.kind.value, cells(day, lang)) for day in found.days],
            sum=arithmetic(found, lang),
        )

    return routes


def _language(query: Wish, request: Request) -> Language:
    chosen = language(query.lang, request.headers.get("accept-language"))
    return "zh" if chosen == "zh" else "en"


def _page(template: str, lang: Language, **values: object) -> Response:
    made = PAGES.get_template(template)
    return page(
        lambda nonce: made.render(words=WORDS[lang], lang=lang, nonce=nonce, **values), lang=lang
    )
