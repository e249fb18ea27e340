"""The page on which people rate, over HTTP against a running service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from services.evaluation.service import EVALUATION
from shared.domain.aggregates import JudgementState
from shared.domain.errors import Unavailable
from shared.domain.events import CaseClosed, CaseReopened, EvaluationReceived, EvaluationRequested
from shared.observe.metrics import Metrics
from shared.runtime.gateway import Gateway
from shared.runtime.http import application
from tests.support.browser import Browser
from tests.support.house import (
    SmallPolicy,
    Unchanging,
    answering,
    at,
    replied,
    routed,
    routing,
    withdrawing,
)
from tests.support.machine import Machine, machine, storage_of

NOW = at("2026-03-04 10:00")
LONG_AFTER = at("2026-06-01 00:00")


@dataclass
class Rating:
    """A running evaluation service, a browser, and the wall clock."""

    machine: Machine
    browser: Browser
    now: datetime = NOW

    def ask(self, subject: str = "No light", reply: str = "The lamp is mended.") -> str:
        """A case is answered; the path of the personal link."""
        handling = routed(subject=subject)
        self.machine.send(routing(handling))
        self.machine.send(answering(replied(handling, NOW), reply))
        [asked] = self.machine.of(EvaluationRequested)
        assert isinstance(asked, EvaluationRequested)
        return "/rate/" + asked.link.rsplit("/", 1)[-1]


@pytest.fixture
def rating(tmp_path: Path) -> Iterator[Rating]:
    held: list[Rating] = []

    def clock() -> datetime:
        return held[0].now if held else NOW

    storage, policy = storage_of(EVALUATION, tmp_path), Unchanging(SmallPolicy())
    with machine(EVALUATION, storage, policy, tmp_path, clock) as running:
        app = application([running.host], Metrics())
        held.append(Rating(running, Browser(app, "en-GB,en;q=0.9")))
        yield held[0]


class Outline(HTMLParser):
    """What a reader, or a reader's screen reader, finds on a page."""

    def __init__(self, page: httpx.Response) -> None:
        super().__init__()
        self.language = ""
        self.labelled: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if tag == "html":
            self.language = values["lang"] or ""
        if tag == "label" and values.get("for"):
            self.labelled.add(values["for"] or "")
        if tag in {"input", "textarea"}:
            self.fields.append(values)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_the_matter_the_answer_and_the_scale(rating: Rating) -> None:
    page = rating.browser.get(rating.ask())
    outline = Outline(page)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for shown in (
        "No light",
        "The lamp is mended.",
        "Very satisfied",
        "Dissatisfied",
        "2026-03-18",
    ):
        assert shown in outline.text
    scale = [each["value"] for each in outline.fields if each.get("name") == "score"]
    assert scale == ["very-satisfied", "satisfied", "dissatisfied"]


def test_looking_however_often_records_nothing(rating: Rating) -> None:
    link = rating.ask()
    before = rating.browser.get("/cases/case-1/judgement").json()
    for _ in range(3):
        assert rating.browser.get(f"{link}?score=satisfied").status_code == 200
    assert rating.browser.get("/cases/case-1/judgement").json() == before
    assert rating.machine.of(EvaluationReceived) == []


def test_the_page_can_be_used_without_seeing_it(rating: Rating) -> None:
    outline = Outline(rating.browser.get(rating.ask()))
    assert outline.language == "en"
    assert {"fieldset", "legend", "h1", "main", "title"} <= set(outline.tags)
    assert "comment" in outline.labelled
    assert outline.tags.count("label") == 4  # each score inside its own, and the comment's


def test_sending_the_form_records_the_rating_and_says_thank_you(rating: Rating) -> None:
    link = rating.ask()
    form = {"score": "very-satisfied", "comment": "Quick.\r\nThank you."}
    thanks = rating.browser.post(link, form)
    assert thanks.status_code == 200
    assert "Thank you for your rating" in thanks.text
    assert "the matter is closed" in thanks.text
    shown = rating.browser.get("/cases/case-1/judgement").json()
    assert shown["state"] == JudgementState.RATED
    assert shown["rating"]["comment"] == "Quick.\nThank you."
    [closed] = rating.machine.of(CaseClosed)
    assert isinstance(closed, CaseClosed)
    assert closed.reason == "satisfied"


def test_a_dissatisfied_reader_is_told_that_the_matter_goes_round_again(rating: Rating) -> None:
    thanks = rating.browser.post(rating.ask(), {"score": "dissatisfied"})
    assert "handled again" in thanks.text.replace("\n", " ")
    assert len(rating.machine.of(CaseReopened)) == 1


def test_a_used_link_says_so(rating: Rating) -> None:
    link = rating.ask()
    rating.browser.post(link, {"score": "satisfied"})
    for page in (rating.browser.get(link), rating.browser.post(link, {"score": "dissatisfied"})):
        assert page.status_code == 409
        assert "already been rated" in page.text
    assert len(rating.machine.of(EvaluationReceived)) == 1


def test_a_lapsed_link_says_so(rating: Rating) -> None:
    link = rating.ask()
    rating.now = LONG_AFTER
    for page in (rating.browser.get(link), rating.browser.post(link, {"score": "satisfied"})):
        assert page.status_code == 410
        assert "time for this rating is over" in page.text


def test_the_link_of_a_withdrawn_case_says_so(rating: Rating) -> None:
    link = rating.ask()
    rating.machine.send(withdrawing("case-1", NOW))
    page = rating.browser.get(link)
    assert page.status_code == 409
    assert "taken back" in page.text


def test_while_the_database_is_away_the_reader_is_asked_to_wait(
    rating: Rating, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = rating.ask()

    def away(*_: object) -> None:
        raise Unavailable("the database is away")

    monkeypatch.setattr(Gateway, "fetch", away)
    monkeypatch.setattr(Gateway, "execute", away)
    for page in (rating.browser.get(link), rating.browser.post(link, {"score": "satisfied"})):
        assert page.status_code == 503
        assert page.headers["retry-after"] == "1"
        assert "Wait a moment" in page.text


@pytest.mark.parametrize(
    "token",
    ["guessed", "x" * 5000, "%00", "%00.guessed", "case-1.guessed", "%FF", "<script>", "令牌"],
)
def test_a_forged_link_is_not_found(rating: Rating, token: str) -> None:
    rating.ask()
    form = {"score": "satisfied"}
    for page in (rating.browser.get(f"/rate/{token}"), rating.browser.post(f"/rate/{token}", form)):
        assert page.status_code == 404
        assert "do not know this link" in page.text
        assert "<script" not in page.text


@pytest.mark.parametrize(
    ("form", "mend"),
    [
        ({}, "Choose one of the ratings."),
        ({"score": "excellent"}, "Choose one of the ratings."),
        ({"score": "satisfied", "comment": "x" * 5001}, "Shorten the comment to 5,000"),
        ({"score": "satisfied", "comment": "x" * 100_001}, "Shorten the comment to 5,000"),
        ({"score": "satisfied", "comment": "a\0b"}, "characters that cannot be kept"),
    ],
)
def test_a_form_that_can_be_mended_comes_back_as_it_was_filled_in(
    rating: Rating, form: dict[str, str], mend: str
) -> None:
    link = rating.ask()
    page = rating.browser.post(link, form)
    outline = Outline(page)
    assert page.status_code == 422
    assert mend in outline.text
    checked = [each["value"] for each in outline.fields if "checked" in each]
    assert checked == [each for each in [form.get("score")] if each == "satisfied"]
    assert form.get("comment", "").replace("\0", "") in outline.text
    assert rating.browser.post(link, {"score": "satisfied"}).status_code == 200


@pytest.mark.parametrize(
    ("header", "query", "language", "title"),
    [
        ("zh-CN,zh;q=0.9", "", "zh-CN", "请您评价"),
        ("en-GB", "", "en", "Please rate our answer"),
        ("en-GB", "?lang=zh", "zh-CN", "请您评价"),
        (None, "", "zh-CN", "请您评价"),
    ],
)
def test_the_page_speaks_chinese_and_english(
    rating: Rating, header: str | None, query: str, language: str, title: str
) -> None:
    link = rating.ask()
    page = Browser(rating.browser.app, header).get(link + query)
    outline = Outline(page)
    assert outline.language == page.headers["content-language"] == language
    assert title in outline.text
    assert ("非常满意" in outline.text) == (language == "zh-CN")


def test_what_others_wrote_is_text_and_never_markup(rating: Rating) -> None:
    link = rating.ask("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>')
    page = rating.browser.post(link, {"score": "", "comment": "</textarea><script>alert(3)"})
    outline = Outline(page)
    assert "script" not in outline.tags
    assert "img" not in outline.tags
    assert "<script>alert(1)</script>" in outline.text


def test_nobody_else_learns_the_address_which_is_the_secret(rating: Rating) -> None:
    link = rating.ask()
    for page in (rating.browser.get(link), rating.browser.post(link, {"score": "satisfied"})):
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in page.headers["x-robots-tag"]
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "http" not in page.text.replace("http-equiv", "")
    shown = rating.browser.get("/cases/case-1/judgement").text
    assert link.rsplit("/", 1)[-1] not in shown


def test_programs_rate_by_command_and_are_refused_with_a_code(rating: Rating) -> None:
    token = rating.ask().rsplit("/", 1)[-1]
    body = {"token": token, "score": "satisfied"}
    forged = rating.browser.command("rate-reply", body | {"token": "guessed"})
    unknown = rating.browser.command("rate-reply", body | {"score": "excellent"})
    done = rating.browser.command("rate-reply", body)
    again = rating.browser.command("rate-reply", body)
    answers = [forged, unknown, done, again]
    assert [each.status_code for each in answers] == [404, 422, 200, 409]
    assert done.json()["events"] == ["evaluation.received", "case.closed"]
    codes = [each.json()["problems"][0]["code"] for each in answers if each is not done]
    assert codes == ["unknown-link", "unknown-score", "link-used"]
