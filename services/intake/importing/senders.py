"""Two ways in: the door of a service in this process, and the address of a running installation."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from shared.domain.commands import SubmitCase
from shared.domain.errors import ConfigurationError, Problem, Refusal, Unavailable
from shared.domain.events import CaseRecorded
from shared.domain.model import View
from shared.runtime.gateway import Gateway
from shared.runtime.work import Outcome

T = TypeVar("T")

BATCH = 500
"""Cases sent at once to a running installation."""

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes sent at once, half of what a service takes."""

TRIES = 12
"""How often a batch is sent while the other side is away: for about a minute."""

LONGEST_PAUSE = 8.0
"""Seconds between two tries at most."""

_AWAY = frozenset((429, 502, 503, 504))
_PATH = "commands/submit-case/batch"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one case; known before, where it is neither recorded nor has problems."""

    recorded: bool = False
    repeat: bool = False
    problems: tuple[Problem, ...] = ()


Sender = Callable[[Sequence[SubmitCase]], list[Receipt]]
"""Hands cases in and returns a receipt for each; sending the same again has no further effect.

Raises `Unavailable` where the other side stays away, `ConfigurationError` where it is not intake.
"""


def through(gateway: Gateway, sleep: Callable[[float], None] = time.sleep) -> Sender:
    """The way through the door of an intake in this process."""

    def send(commands: Sequence[SubmitCase]) -> list[Receipt]:
        outcomes = _patiently(lambda: gateway.execute_all(commands), sleep)
        return [_receipt(outcome) for outcome in outcomes]

    return send


def to(client: httpx.Client, sleep: Callable[[float], None] = time.sleep) -> Sender:
    """The way over HTTP to the installation at the client's base address."""

    def send(commands: Sequence[SubmitCase]) -> list[Receipt]:
        receipts: list[Receipt] = []
        for body, number in _bodies(commands):
            answers = _patiently(partial(_post, client, body), sleep)
            if len(answers) != number:
                raise _not_intake(client, f"{len(answers)} answers to {number} cases")
            receipts += (_receipt_of(answer) for answer in answers)
        return receipts

    return send


def check_address(url: str) -> str:
    """The address of an installation; raises `ConfigurationError` where it is none."""
    try:
        address = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise ConfigurationError(f"{url!r} is no address: {error}.") from error
    if address.scheme not in {"http", "https"} or not address.host:
        raise ConfigurationError(
            f"{url!r} is no address of an installation: write one such as http://127.0.0.1:8080"
        )
    return url


def greet(client: httpx.Client) -> None:
    """Raises `Unavailable` where nobody answers at an address, which no patience would mend."""
    try:
        client.get("healthz")
    except httpx.TransportError as error:
        raise Unavailable(
            f"At {client.base_url} nobody answers ({error}). Start it, or correct the address."
        ) from error


class _Answer(View):
    """One case's part of what intake answers."""

    events: tuple[str, ...]
    repeat_of: str | None = None
    problems: tuple[Problem, ...] = ()


_ANSWERS = TypeAdapter(list[_Answer])


def _bodies(commands: Sequence[SubmitCase]) -> Iterator[tuple[bytes, int]]:
    """The commands as JSON lists that a service takes, and how many are in each."""
    taken: list[bytes] = []
    size = 0
    for command in commands:
        item = command.model_dump_json(exclude_none=True).encode()
        if taken and size + len(item) > LARGEST_BODY:
            yield b"[" + b",".join(taken) + b"]", len(taken)
            taken, size = [], 0
        taken.append(item)
        size += len(item)
    if taken:
        yield b"[" + b",".join(taken) + b"]", len(taken)


def _post(client: httpx.Client, body: bytes) -> list[_Answer]:
    try:
        answer = client.post(_PATH, content=body, headers={"Content-Type": "application/json"})
    except httpx.UnsupportedProtocol as error:
        raise ConfigurationError(f"{client.base_url} is no address: {error}.") from error
    except httpx.TransportError as error:
        raise Unavailable(f"{client.base_url} does not answer ({error})") from error
    if answer.status_code in _AWAY:
        raise Unavailable(f"{client.base_url} is busy or away (HTTP {answer.status_code})")
    if answer.status_code != 200:
        raise _not_intake(client, f"HTTP {answer.status_code}")
    try:
        return _ANSWERS.validate_json(answer.content)
    except ValidationError as error:
        raise _not_intake(client, "something else than receipts") from error


def _not_intake(client: httpx.Client, found: str) -> ConfigurationError:
    return ConfigurationError(
        f"{client.base_url}{_PATH} answered with {found}: this is not the intake of a Concentric"
        " installation of this release. Give the address at which its intake answers, such as"
        " http://127.0.0.1:8080"
    )


def _patiently(send: Callable[[], T], sleep: Callable[[float], None]) -> T:
    pause = 0.25
    for left in reversed(range(TRIES)):
        try:
            return send()
        except Unavailable as away:
            if not left:
                raise Unavailable(
                    f"{away}. What was recorded stays: run the same import again later, and it"
                    " goes on from there."
                ) from away
            sleep(pause * random.uniform(0.75, 1.25))
            pause = min(2 * pause, LONGEST_PAUSE)
    raise AssertionError("the last try returns or raises")


def _receipt(outcome: Outcome) -> Receipt:
    if isinstance(outcome, Refusal):
        return Receipt(problems=outcome.problems)
    if isinstance(outcome, Exception):
        mend = "The service could not carry this out; its log has the trace."
        return Receipt(problems=(Problem(field="", code="failed", message=mend),))
    recorded = next((event for event in outcome if isinstance(event, CaseRecorded)), None)
    if recorded is None:
        return Receipt()
    return Receipt(recorded=True, repeat=recorded.case.repeat_of is not None)


def _receipt_of(answer: _Answer) -> Receipt:
    return Receipt(
        recorded=CaseRecorded.type in answer.events,
        repeat=answer.repeat_of is not None,
        problems=answer.problems,
    )
