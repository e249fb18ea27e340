"""Cases over HTTP into a running installation, which may be away, or none at all."""

import json
from collections.abc import Callable, Iterator, Sequence

import httpx
import pytest

from services.intake.importing.senders import (
    LARGEST_BODY,
    TRIES,
    Receipt,
    check_address,
    greet,
    to,
)
from shared.domain.commands import SubmitCase
from shared.domain.errors import ConfigurationError, Problem, Unavailable

URL = "http://intake.example:8080/concentric"

Answering = Callable[[httpx.Request], httpx.Response]


def case(number: int, text: str = "") -> SubmitCase:
    return SubmitCase(
        source="s", external_id=f"{number}", channel="c", subject=f"Case {number}", text=text
    )


def sent(
    answering: Answering, *cases: SubmitCase, pauses: list[float] | None = None
) -> list[Receipt]:
    kept: list[float] = [] if pauses is None else pauses
    transport = httpx.MockTransport(answering)
    with httpx.Client(base_url=URL, transport=transport) as client:
        return to(client, kept.append)(cases or (case(1),))


def recorded(request: httpx.Request) -> httpx.Response:
    answers = [{"events": ["case.recorded"]} for _ in json.loads(request.content)]
    return httpx.Response(200, json=answers)


def in_turn(*answers: httpx.Response | Exception) -> Answering:
    rest: Iterator[httpx.Response | Exception] = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        found = next(rest, None)
        if isinstance(found, Exception):
            raise found
        return found or recorded(request)

    return answer


def test_cases_go_to_the_batch_command_of_intake_as_they_are() -> None:
    seen: list[httpx.Request] = []

    def look(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return recorded(request)

    assert sent(look, case(1, "路灯"), case(2)) == [Receipt(recorded=True)] * 2
    [request] = seen
    assert f"{request.url}" == f"{URL}/commands/submit-case/batch"
    bodies = json.loads(request.content)
    assert [SubmitCase.model_validate(body) for body in bodies] == [case(1, "路灯"), case(2)]


def test_each_case_gets_its_own_receipt() -> None:
    problem = {"field": "text", "code": "required", "message": "Write it."}
    answers = [
        {"case_id": "a", "events": ["case.recorded"], "repeat_of": "z", "problems": []},
        {"case_id": "b", "events": [], "repeat_of": None, "problems": []},
        {"case_id": None, "events": [], "problems": [problem]},
    ]
    found = sent(in_turn(httpx.Response(200, json=answers)), case(1), case(2), case(3))
    assert found == [
        Receipt(recorded=True, repeat=True),
        Receipt(),
        Receipt(problems=(Problem.from_plain(problem),)),
    ]


def test_long_cases_are_sent_in_bodies_that_a_service_takes() -> None:
    sizes: list[int] = []

    def look(request: httpx.Request) -> httpx.Response:
        sizes.append(len(request.content))
        return recorded(request)

    cases = [case(number, "字" * 100_000) for number in range(30)]
    assert len(sent(look, *cases)) == 30
    assert len(sizes) == 3
    assert max(sizes) <= LARGEST_BODY + 1000


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(503),
        httpx.Response(502),
        httpx.Response(429),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("late"),
        httpx.RemoteProtocolError("cut"),
    ],
    ids=str,
)
def test_an_installation_that_is_away_for_a_while_is_tried_again(
    trouble: httpx.Response | Exception,
) -> None:
    pauses: list[float] = []
    found = sent(in_turn(trouble, trouble, trouble), pauses=pauses)
    assert found == [Receipt(recorded=True)]
    assert len(pauses) == 3
    assert pauses[0] < pauses[1] < pauses[2]


def test_an_installation_that_stays_away_ends_the_import_after_about_a_minute() -> None:
    pauses: list[float] = []
    with pytest.raises(Unavailable, match="run the same import again later"):
        sent(in_turn(*[httpx.Response(503)] * TRIES), pauses=pauses)
    assert 40 < sum(pauses) < 90


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (httpx.Response(404), "HTTP 404"),
        (httpx.Response(302, headers={"Location": "/login"}), "HTTP 302"),
        (httpx.Response(500), "HTTP 500"),
        (httpx.Response(200, text="<html>"), "something else than"),
        (httpx.Response(200, json={"ok": True}), "something else"),
        (httpx.Response(200, json=[]), "0 answers to 1 cases"),
    ],
    ids=lambda value: value if isinstance(value, str) else "answer",
)
def test_what_is_no_intake_is_said_so_at_once(answer: httpx.Response, found: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{found}.*Give the address"):
        sent(in_turn(answer))


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "ftp://intake", "http://", "http://a\nb", "intake"]
)
def test_what_is_no_address_is_refused_before_anything_is_read(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no address"):
        check_address(url)
    assert check_address(URL) == URL


def test_an_address_where_nobody_answers_is_said_so_without_a_minute_of_waiting() -> None:
    def client(answering: Answering) -> httpx.Client:
        return httpx.Client(base_url=URL, transport=httpx.MockTransport(answering))

    with (
        client(in_turn(httpx.ConnectError("refused"))) as absent,
        pytest.raises(Unavailable, match=r"nobody answers .*refused.*Start it"),
    ):
        greet(absent)
    with client(in_turn(httpx.Response(503))) as busy:
        greet(busy)


def test_receipts_of_many_batches_stay_in_order() -> None:
    def by_number(request: httpx.Request) -> httpx.Response:
        bodies: Sequence[dict[str, str]] = json.loads(request.content)
        odd = [int(body["external_id"]) % 2 for body in bodies]
        return httpx.Response(200, json=[{"events": ["case.recorded"] * each} for each in odd])

    cases = [case(number, "字" * 90_000) for number in range(40)]
    assert [one.recorded for one in sent(by_number, *cases)] == [False, True] * 20
