"""Endpoints as plain functions: where their values come from, and how they are described."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from shared.domain.errors import Conflict
from shared.domain.model import Input
from shared.runtime.failures import FAILURES, PROBLEM
from shared.runtime.openapi import describe, description_routes
from shared.runtime.routes import Routes
from tests.support.browser import Browser


class Asked(Input):
    since: date | None = Field(default=None, alias="from", description="The first day.")
    limit: int = Field(default=3, ge=1, le=9)


class Note(Input):
    words: str = Field(min_length=1)


class Told(BaseModel):
    where: str
    since: date | None = None
    limit: int = 0
    words: str = ""


ROUTES = Routes("notes")


@ROUTES.get("/notes/{place}")
def look(place: str, query: Asked) -> Told:
    """Look at the notes of a place.

    The newest come first.
    """
    return Told(where=place, since=query.since, limit=query.limit)


@ROUTES.post("/notes/{place}")
def write(place: str, body: Note) -> Told:
    """Write a note."""
    if body.words == "again":
        raise Conflict.of("words", "known", "this has been said")
    if body.words == "break":
        raise ZeroDivisionError
    return Told(where=place, words=body.words)


@ROUTES.post("/forms/{place}", media_type="text/plain")
def fill(place: str, form: Note, request: Request) -> Response:
    """Write a note by a form."""
    return PlainTextResponse(f"{place}: {form.words} ({request.headers['accept-language']})")


ROUTES.include(description_routes(tuple(ROUTES.endpoints), "Notes", "Notes of places."))
APP = Starlette(
    routes=[each.route() for each in ROUTES.endpoints],
    exception_handlers=FAILURES,
)


@pytest.fixture
def browser() -> Browser:
    return Browser(APP, "zh")


def test_parts_of_the_path_and_the_query_reach_the_function(browser: Browser) -> None:
    told = browser.get("/notes/%E5%9F%8E?from=2026-03-02&limit=7").json()
    assert told == {"where": "城", "since": "2026-03-02", "limit": 7, "words": ""}


def test_a_body_and_a_form_reach_the_function(browser: Browser) -> None:
    assert browser.send("POST", "/notes/a", json={"words": "灯"}).json()["words"] == "灯"
    assert browser.post("/forms/a", {"words": "灯"}).text == "a: 灯 (zh)"


@pytest.mark.parametrize(
    ("path", "problems"),
    [
        ("/notes/a?limit=10", {"limit": "too-large"}),
        ("/notes/a?limit=x&from=y", {"from": "wrong-type", "limit": "wrong-type"}),
        ("/notes/a?since=2026-03-02", {"since": "unknown-field"}),
    ],
)
def test_a_wrong_query_is_answered_with_every_parameter_that_is_wrong(
    browser: Browser, path: str, problems: dict[str, str]
) -> None:
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert {each["field"]: each["code"] for each in answer.json()["problems"]} == problems


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"", "application/json", 400, "not-json"),
        (b'{"words": NaN}', "application/json", 400, "not-json"),
        (b"[" * 100_000, "application/json", 400, "not-json"),
        (b'{"words": ""}', "application/json; charset=utf-8", 422, "too-short"),
        (b'{"words": "a"}', "text/plain", 415, "content-type"),
        (b"words=a", "application/x-www-form-urlencoded", 415, "content-type"),
    ],
    ids=["empty", "not a number", "deep", "short", "text", "form"],
)
def test_a_body_that_is_not_what_it_should_be_is_answered_with_why(
    browser: Browser, content: bytes, kind: str, status: int, code: str
) -> None:
    answer = browser.send("POST", "/notes/a", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert [each["code"] for each in answer.json()["problems"]] == [code]


def test_what_is_known_to_json_as_another_type_is_taken(browser: Browser) -> None:
    kind = {"Content-Type": "application/cloudevents+json"}
    answer = browser.send("POST", "/notes/a", content=b'{"words": "a"}', headers=kind)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("words", "status", "code"), [("again", 409, "known"), ("break", 500, "internal")]
)
def test_a_refusal_and_a_fault_are_problems_too(
    browser: Browser, words: str, status: int, code: str
) -> None:
    answer = browser.send("POST", "/notes/a", json={"words": words})
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert [each["code"] for each in answer.json()["problems"]] == [code]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/x", 404), ("PUT", "/docs", 405)])
def test_what_is_not_there_is_a_problem_too(
    browser: Browser, method: str, path: str, status: int
) -> None:
    answer = browser.send(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)


def test_the_description_names_every_endpoint_with_what_it_takes_and_answers() -> None:
    told = describe(ROUTES.endpoints[:3], "Notes", "Notes of places.")
    look, write = (told["paths"]["/notes/{place}"][method] for method in ("get", "post"))
    assert [(each["name"], each["in"]) for each in look["parameters"]] == [
        ("place", "path"),
        ("from", "query"),
        ("limit", "query"),
    ]
    assert look["parameters"][1]["description"] == "The first day."
    assert (look["summary"], look["description"]) == (
        "Look at the notes of a place.",
        "The newest come first.",
    )
    [body] = write["requestBody"]["content"].items()
    assert body == ("application/json", {"schema": {"$ref": "#/components/schemas/Note"}})
    [form] = told["paths"]["/forms/{place}"]["post"]["requestBody"]["content"]
    assert form == "application/x-www-form-urlencoded"
    assert set(told["components"]["schemas"]) == {"Asked", "Note", "Told"}


def test_everything_that_the_description_refers_to_is_in_it(browser: Browser) -> None:
    told = browser.get("/openapi.json")
    names = set(re.findall(r'"#/components/schemas/(\w+)"', told.text))
    assert names
    assert names <= set(told.json()["components"]["schemas"])


def test_people_read_the_description_without_anything_from_elsewhere(browser: Browser) -> None:
    page = browser.get("/docs")
    assert "GET /notes/{place}" in page.text
    assert "Write a note." in page.text
    assert not re.search(r"(src|href)=\"(https?:)?//", page.text)


def test_endpoints_are_called_on_threads_that_may_wait(browser: Browser) -> None:
    routes = Routes()

    @routes.get("/thread")
    def name() -> dict[str, Any]:
        import threading

        return {"main": threading.current_thread() is threading.main_thread()}

    app = Starlette(routes=[each.route() for each in routes.endpoints])
    assert Browser(app).get("/thread").json() == {"main": False}
