"""A load of whole cases: recorded, answered and rated until closed, by clients that insist.

Whatever the house suffers meanwhile, each act is tried again until it is answered, as the clients
of a real house do; an act that took effect although its answer was lost is refused the next time.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

import httpx
import pika
import pika.exceptions

from shared.bus.codec import Envelope, decode
from shared.bus.listeners import LISTENERS
from shared.bus.protocol import Delivery, Subscription
from shared.bus.rabbit import RabbitBus
from shared.bus.topology import COMMANDS_EXCHANGE
from shared.domain.aggregates import HandlingState
from shared.domain.events import CaseClosed, CaseRouted, EvaluationRequested
from shared.domain.ids import case_id

SOURCE = "load"
HEARD = (CaseRouted.type, EvaluationRequested.type, CaseClosed.type)
PATIENCE = 120.0
"""Seconds for which a client insists."""


class Gone(AssertionError):
    """Nobody answered for too long."""


class Refused(AssertionError):
    """Something was refused at the first try."""


class CaseLoad:
    """Drives cases; used as a context manager, in which `submit` may be called from any thread."""

    def __init__(self, urls: Mapping[str, str], amqp: str, name: str = "ear") -> None:
        self.closed: dict[str, float] = {}
        """The moments, in monotonic seconds, at which cases were heard to be closed."""
        self.submitted: dict[str, float] = {}
        """Those at which they were accepted, by case."""
        self.failures: list[Exception] = []
        self._urls = urls
        self.amqp = amqp
        self._client = httpx.Client(timeout=20, trust_env=False)
        self._done: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._players = ThreadPoolExecutor(max_workers=3, thread_name_prefix="player")
        self._leaving = threading.Event()
        subscription = Subscription(name, HEARD)
        self._bus = RabbitBus(amqp, name=name, listeners=(*LISTENERS, subscription))
        self._ear = self._bus.subscribe(subscription, self._hear)

    def __enter__(self) -> CaseLoad:
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._players.shutdown(cancel_futures=True)
        self._bus.close()
        self._client.close()

    def submit(self, numbers: Sequence[int], *, over: str = "http") -> None:
        """Hand cases in, `over` HTTP or AMQP; returns when all of them are accepted."""
        cases = [case(number) for number in numbers]
        if over == "http":
            self._command("intake", "submit-case", cases)
        else:
            self._insist(lambda _: _publish(self.amqp, cases))
        now = monotonic()
        self.submitted.update({case_id(SOURCE, str(number)): now for number in numbers})

    def wait_closed(self, seconds: float = PATIENCE) -> None:
        """Wait until every case that was accepted is closed."""
        until = monotonic() + seconds
        while (left := self.open) and monotonic() < until and not self.failures:
            sleep(0.05)
        if self.failures:
            raise self.failures[0]
        assert not left, f"{len(left)} cases are not closed after {seconds:.0f} s: {left[:3]}"

    @property
    def open(self) -> list[str]:
        """Cases that were accepted and not yet heard to be closed."""
        return [each for each in list(self.submitted) if each not in self.closed]

    def _hear(self, delivery: Delivery) -> None:
        events = [each.data for each in decode(delivery.message) if isinstance(each, Envelope)]
        # what is handed to the players is in hand: this process is none of those that are killed
        with suppress(RuntimeError):  # it is leaving
            self._players.submit(self._play, events)
        self._ear.ack([delivery])

    def _play(self, events: Sequence[object]) -> None:
        try:
            self._answer(events)
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            if not self._leaving.is_set():
                self.failures.append(error)

    def _answer(self, events: Sequence[object]) -> None:
        replies, ratings = [], []
        for event in events:
            if isinstance(event, CaseRouted) and event.handling.state is HandlingState.ROUTED:
                if self._first(event.case_id, "reply"):
                    unit = event.handling.unit
                    replies.append({"case_id": event.case_id, "unit": unit, "reply": "已修好。"})
            elif isinstance(event, EvaluationRequested) and self._first(event.case_id, "rate"):
                token = event.link.rsplit("/", 1)[-1]
                ratings.append({"token": token, "score": "satisfied"})
            elif isinstance(event, CaseClosed):
                self.closed.setdefault(event.case_id, monotonic())
        if replies:
            self._command("router", "reply-to-case", replies)
        if ratings:
            self._command("evaluation", "rate-reply", ratings)

    def _first(self, case: str, act: str) -> bool:
        """Whether nobody does that already: events are delivered at least once."""
        with self._lock:
            known = (case, act) in self._done
            self._done.add((case, act))
            return not known

    def _command(self, service: str, kind: str, bodies: Sequence[Mapping[str, Any]]) -> None:
        def post(attempt: int) -> None:
            where = f"{self._urls[service]}/commands/{kind}/batch"
            answer = self._client.post(where, json=bodies)
            answer.raise_for_status()
            wrong = [each["problems"] for each in answer.json() if each["problems"]]
            if wrong and not attempt:
                raise Refused(f"{kind}: {wrong[0]}")

        self._insist(post)

    def _insist(self, act: Callable[[int], None]) -> None:
        until = monotonic() + PATIENCE
        attempt = 0
        while True:
            try:
                return act(attempt)
            except (httpx.HTTPError, pika.exceptions.AMQPError, OSError) as error:
                if self._leaving.is_set() or monotonic() > until:
                    raise Gone(f"no answer for {PATIENCE:.0f} s: {error!r}") from error
                attempt += 1
                sleep(random.uniform(0.05, 0.3))


def case(number: int) -> dict[str, object]:
    """A case that somebody has to answer, and that its informant will rate."""
    return {
        "source": SOURCE,
        "external_id": str(number),
        "channel": "message-board",
        "subject": f"路灯不亮 {number}",
        "text": "小区门口的路灯坏了一个星期，请尽快安排人员维修。",
        "informant": {"ref": f"user-{number}"},
    }


def _publish(amqp: str, cases: Sequence[Mapping[str, object]]) -> None:
    """Publish as an integrator does: plain JSON, kept on disk, confirmed."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp))
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        for each in cases:
            properties = pika.BasicProperties(
                content_type="application/json",
                delivery_mode=2,
                message_id=f"{SOURCE}-{each['external_id']}",
            )
            body = json.dumps(each).encode()
            channel.basic_publish(
                COMMANDS_EXCHANGE, "submit-case", body, properties, mandatory=True
            )
    finally:
        with suppress(pika.exceptions.AMQPError, OSError):
            connection.close()
