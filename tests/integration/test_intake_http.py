"""Cases over HTTP and over the queue: every wrong input gets a clear answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.intake.service import INTAKE
from shared.domain.commands import SubmitCase
from shared.domain.events import CaseRecorded, CaseRefused
from shared.domain.ids import case_id
from shared.policy.holder import PolicyHolder
from shared.runtime.failures import PROBLEM
from shared.runtime.http import application
from tests.support.machine import POLICIES, Machine, machine, storage_of
from tests.support.serving import served

SINGLE, BATCH = "/commands/submit-case", "/commands/submit-case/batch"


@pytest.fixture(scope="module")
def policy() -> PolicyHolder:
    return PolicyHolder(POLICIES / "message-board.yaml")


@pytest.fixture
def intake(policy: PolicyHolder, tmp_path: Path) -> Iterator[Machine]:
    with machine(INTAKE, storage_of(INTAKE, tmp_path), policy, tmp_path) as running:
        yield running


@pytest.fixture
def http(intake: Machine) -> Iterator[httpx.Client]:
    app = application([intake.host], intake.host.metrics)
    with served(app) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def body(number: int = 1, **changes: Any) -> dict[str, Any]:
    given = {"source": "s", "external_id": f"{number}", "channel": "message-board"}
    given |= {"subject": f"路灯 {number} 不亮", "text": f"第 {number} 盏路灯坏了。"}
    return {name: value for name, value in {**given, **changes}.items() if value is not ...}


def refused(http: httpx.Client, status: int, content: bytes | dict[str, Any]) -> dict[str, str]:
    """The problems of a refused body by field; nothing was recorded."""
    if isinstance(content, dict):
        content = json.dumps(content).encode()
    answer = http.post(SINGLE, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    told = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert http.get("/books/intake").text == ""
    return {problem["field"]: problem["code"] for problem in told["problems"]}


def test_a_case_is_created_once_and_can_be_read(http: httpx.Client) -> None:
    first = http.post(SINGLE, json=body())
    assert first.status_code == 201
    assert first.json()["events"] == ["case.recorded"]
    again = http.post(SINGLE, json=body())
    assert again.status_code == 200
    assert again.json() == {**first.json(), "events": []}
    record = http.get(f"/cases/{first.json()['case_id']}/record").json()
    assert record["case"]["subject"] == "路灯 1 不亮"
    assert record["case"]["category"]
    assert record["version"] == 1


def test_a_repeat_is_answered_with_the_case_that_it_repeats(http: httpx.Client) -> None:
    first = http.post(SINGLE, json=body(1, subject="路灯不亮", text="坏了")).json()
    second = http.post(SINGLE, json=body(2, subject="路灯，不亮", text="坏了！")).json()
    assert (first["repeat_of"], second["repeat_of"]) == (None, first["case_id"])


def test_an_unknown_case_is_not_found(http: httpx.Client) -> None:
    answer = http.get("/cases/nobody/record")
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{'source': 's'}", 400),
        (b'{"source": "s"', 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe\x00", 400),
        (json.dumps(body(), ensure_ascii=False).encode("gb18030"), 400),
        (json.dumps(body(text="half \ud800")).encode(), 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"case"', 422),
        (b"7", 422),
        (json.dumps(body(text="字" * 3_500_000)).encode(), 413),
    ],
    ids=[
        "empty",
        "quotes",
        "cut",
        "deep",
        "binary",
        "gb18030",
        "half a character",
        "list",
        "null",
        "text",
        "number",
        "10MB",
    ],
)
def test_a_body_that_is_no_json_object_is_answered_with_why(
    http: httpx.Client, content: bytes, status: int
) -> None:
    refused(http, status, content)


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"source": ...}, {"source": "missing"}),
        ({"colour": "red"}, {"colour": "unknown-field"}),
        ({"informant": {"age": 7}}, {"informant.age": "unknown-field"}),
        ({"channel": "carrier-pigeon"}, {"channel": "unknown-channel"}),
        ({"kind": "rumour"}, {"kind": "unknown-value"}),
        ({"category": "weather"}, {"category": "unknown-category"}),
        ({"subject": ""}, {"subject": "too-short"}),
        ({"subject": "two\nlines"}, {"subject": "forbidden-characters"}),
        ({"subject": "bell\x07"}, {"subject": "forbidden-characters"}),
        ({"text": "nul\x00"}, {"text": "forbidden-characters"}),
        ({"text": "字" * 100_001}, {"text": "too-long"}),
        ({"text": 7}, {"text": "wrong-type"}),
        ({"text": " "}, {"text": "required"}),
        ({"recorded_at": "yesterday"}, {"recorded_at": "wrong-type"}),
        ({"recorded_at": "2019-02-30T10:00:00Z"}, {"recorded_at": "wrong-type"}),
        ({"recorded_at": "2019-02-03T10:00:00"}, {"recorded_at": "no-time-zone"}),
        ({"recorded_at": "0001-01-01T00:00:00+08:00"}, {"recorded_at": "out-of-range"}),
        ({"recorded_at": "1999-12-31T23:59:59+08:00"}, {"recorded_at": "before-calendar"}),
        ({"recorded_at": "9999-12-31T23:59:59Z"}, {"recorded_at": "in-the-future"}),
        ({"answer": {"text": "", "at": "2019-01-01T00:00:00Z"}}, {"answer.text": "too-short"}),
        ({"attributes": {"a": [1]}}, {"attributes.a": "wrong-type"}),
    ],
    ids=lambda value: json.dumps(value, default=str)[:40],
)  # fmt: skip
def test_a_wrong_field_is_named_with_what_is_wrong(
    http: httpx.Client, changes: dict[str, Any], problems: dict[str, str]
) -> None:
    assert refused(http, 422, body(**changes)) == problems


def test_an_answer_that_was_given_before_the_case_is_refused(http: httpx.Client) -> None:
    changes: dict[str, Any] = {
        "recorded_at": "2019-03-04T10:00:00+08:00",
        "answer": {"text": "Mended.", "at": "2019-03-04T01:59:59Z"},
    }
    assert refused(http, 422, body(**changes)) == {"answer.at": "answer-before-recording"}


def test_everything_that_is_wrong_is_told_at_once(http: httpx.Client) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    wrong = body(channel="pigeon", category="weather", text="", recorded_at=soon)
    assert refused(http, 422, wrong) == {
        "channel": "unknown-channel",
        "category": "unknown-category",
        "recorded_at": "in-the-future",
    }


def test_a_batch_answers_each_case_for_itself(http: httpx.Client) -> None:
    batch = [body(1), body(2, channel="pigeon"), body(3, source=...), body(1), body(4)]
    answer = http.post(BATCH, json=batch)
    assert answer.status_code == 200
    found = [(one["events"], [p["field"] for p in one["problems"]]) for one in answer.json()]
    recorded: tuple[list[str], list[str]] = (["case.recorded"], [])
    assert found == [recorded, ([], ["channel"]), ([], ["source"]), ([], []), recorded]
    assert len(http.get("/books/intake").text.splitlines()) == 2


@pytest.mark.parametrize(
    "content", [[], [1], {}, [body()] * 1001], ids=["none", "one", "object", "1001"]
)
def test_a_batch_that_is_none_is_refused_whole(http: httpx.Client, content: object) -> None:
    answer = http.post(BATCH, json=content)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert http.get("/books/intake").text == ""


def test_a_case_is_withdrawn_once(http: httpx.Client) -> None:
    about = http.post(SINGLE, json=body()).json()["case_id"]
    withdrawal = {"case_id": about, "reason": "settled"}
    first = http.post("/commands/withdraw-case", json=withdrawal)
    assert first.json()["events"] == ["case.withdrawn"]
    assert http.post("/commands/withdraw-case", json=withdrawal).status_code == 409
    unknown = http.post("/commands/withdraw-case", json={**withdrawal, "case_id": "unknown"})
    assert unknown.status_code == 404


def test_a_refused_case_of_the_queue_is_answered_with_its_reasons(intake: Machine) -> None:
    intake.send(SubmitCase.model_validate(body(1, channel="pigeon")), SubmitCase(**body(2)))
    [event] = intake.of(CaseRefused)
    assert isinstance(event, CaseRefused)
    assert (event.source, event.external_id) == ("s", "1")
    assert [problem.field for problem in event.problems] == ["channel"]
    assert [event.case_id for event in intake.of(CaseRecorded)] == [case_id("s", "2")]


def test_a_case_of_the_queue_that_cannot_be_read_is_parked_and_its_sender_told(
    intake: Machine,
) -> None:
    envelope = {
        "specversion": "1.0",
        "id": "1",
        "source": "/tests",
        "type": "concentric.submit-case.v1",
        "data": body(1, recorded_at="yesterday"),
    }
    intake.send_raw("submit-case", json.dumps([envelope]).encode())
    [event] = intake.of(CaseRefused)
    assert isinstance(event, CaseRefused)
    assert [problem.field for problem in event.problems] == ["recorded_at"]
    assert intake.host.storage.counts().parked == 1
