"""A house that has lived a little, so that every figure that it can show is there."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from services.embedded.house import House
from shared.bus.codec import Envelope, decode
from shared.bus.protocol import Delivery, Subscription
from shared.domain.case import GivenInformant, Kind
from shared.domain.commands import (
    AcceptCase,
    Command,
    RateReply,
    ReplyToCase,
    SubmitCase,
    WithdrawCase,
)
from shared.domain.events import CaseRouted, EvaluationRequested, Event
from shared.runtime.http import application
from shared.settings import Settings
from tests.support.machine import POLICIES
from tests.support.prometheus import until
from tests.support.servers.server import free_ports


class LivedHouse:
    """All services in one process, on the policy of 2012, with a clock that a test can move."""

    def __init__(self, folder: Path) -> None:
        self.ahead = timedelta()
        """How far the house's clock is ahead of ours."""
        settings = Settings.read({}, data=folder, policy=POLICIES / "xiaoshan.yaml", drain=5.0)
        self.house = House(settings, clock=lambda: datetime.now(UTC) + self.ahead)
        self._links: dict[str, str] = {}
        self._units: dict[str, str] = {}
        self._consumer = self.house.bus.subscribe(
            Subscription("test", (CaseRouted.type, EvaluationRequested.type)), self._hear
        )

    def _hear(self, delivery: Delivery) -> None:
        for envelope in decode(delivery.message):
            assert isinstance(envelope, Envelope)
            if isinstance(envelope.data, EvaluationRequested):
                self._links[envelope.subject] = envelope.data.link
            elif isinstance(envelope.data, CaseRouted):
                self._units[envelope.subject] = envelope.data.handling.unit
        self._consumer.ack([delivery])

    def live(self) -> None:
        """Answers in time, late and never; ratings good and bad; a repeat; a case taken back."""
        well, badly, late = (self.submit(name) for name in ("well", "badly", "late"))
        self.submit("never")
        self.submit("well again", subject="Matter of well", text="About well")
        self._do("intake", WithdrawCase(case_id=self.submit("withdrawn"), reason="Done already"))
        for case, score in ((well, "very-satisfied"), (badly, "dissatisfied")):
            self.answer(case)
            self.rate(case, score)
        self.ahead = timedelta(days=200)  # beyond the 60 working days of a yellow case
        self.answer(late)
        self.rate(late, "satisfied")

    def submit(self, name: str, **changes: str) -> str:
        """A case by the hotline; its id."""
        case = SubmitCase(
            source="tests",
            external_id=name,
            channel="customer-hotline",
            kind=Kind.PROBLEM,
            category="power-supply",
            subject=changes.get("subject", f"Matter of {name}"),
            text=changes.get("text", f"About {name}"),
            informant=GivenInformant(ref=f"informant of {name}", contact=f"{name[0]}@example.org"),
        )
        self._do("intake", case)
        self.quiet()
        return case.about

    def answer(self, case_id: str) -> None:
        """By the unit with which the case lies."""
        unit = self._units[case_id]
        self._do("router", AcceptCase(case_id=case_id, unit=unit))
        self._do("router", ReplyToCase(case_id=case_id, unit=unit, reply="Mended"))
        self.quiet()

    def rate(self, case_id: str, score: str) -> None:
        """By whoever holds the link."""
        token = self._links[case_id].rsplit("/", 1)[-1]
        self._do("evaluation", RateReply(token=token, score=score))
        self.quiet()

    def quiet(self) -> None:
        """Wait until nothing is on its way."""
        assert self.house.quiet(20)

    def _do(self, service: str, command: Command) -> Sequence[Event]:
        return self.house.hosts[service].gateway.execute(command)


@contextmanager
def lived(folder: Path) -> Iterator[LivedHouse]:
    """A house after it has lived, still running."""
    lived_house = LivedHouse(folder)
    lived_house.house.start()
    try:
        lived_house.live()
        yield lived_house
    finally:
        lived_house.house.stop()


@contextmanager
def served(house: House) -> Iterator[str]:
    """The house's HTTP address, as `HOST:PORT`."""
    [port] = free_ports(1)
    app = application(list(house.hosts.values()), house.metrics)
    config = uvicorn.Config(app, "127.0.0.1", port, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        assert until(20, lambda: server.started)
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
