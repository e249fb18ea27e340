"""An intake at work: its worker on real storage, and whom it answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from services.intake.service import INTAKE
from shared.bus.codec import encode
from shared.bus.local import LocalBus
from shared.bus.protocol import Delivery, Message
from shared.domain.aggregates import Judgement
from shared.domain.case import Standing, State
from shared.domain.commands import SubmitCase
from shared.domain.events import CaseClosed, Event
from shared.domain.ids import new_id
from shared.observe.logs import logger
from shared.observe.metrics import Metrics
from shared.runtime.backlog import Backlog, Bounds
from shared.runtime.handling import Context
from shared.runtime.inlet import Inlet
from shared.runtime.relay import Relay
from shared.runtime.work import Request
from shared.runtime.worker import Parts, Worker
from tests.support.house import SmallPolicy, at
from tests.support.machine import in_envelope, storage_of

NOW = at("2026-03-04 10:00")

SOON = 20.0
"""Seconds after which what has not happened will not happen."""


class Reader:
    """Stands for the subscription, and waits for what is acknowledged."""

    problem = None

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._acked = 0

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        with self._changed:
            self._acked += len(deliveries)
            self._changed.notify_all()

    def release(self, deliveries: Sequence[Delivery]) -> None:
        raise AssertionError(f"{len(deliveries)} were given back")

    def hold(self, on: bool) -> None:
        """Nothing is delivered anyway."""

    def stop(self) -> None:
        """Nothing to stop."""

    def acked(self, number: int) -> bool:
        """Whether so many come to be acknowledged."""
        with self._changed:
            return self._changed.wait_for(lambda: self._acked >= number, timeout=SOON)


@contextmanager
def intake(
    folder: Path, gap: float = 0.0, floor: AbstractContextManager[object] | None = None
) -> Iterator[tuple[Worker, Reader]]:
    """A worker with nobody before it, and what stands for its subscription."""
    storage = storage_of(INTAKE, folder)
    storage.floor = floor or storage.floor
    storage.migrate()
    metrics, log = Metrics(), logger("intake")
    backlog = Backlog(Bounds(1000, 10**6), lambda _: None)
    relay = Relay("intake", storage, LocalBus(), metrics, log, backlog)

    def context() -> Context:
        return Context(now=NOW, policy=SmallPolicy(), link=str)

    inlet = Inlet(200, INTAKE.can_wait, gap)
    worker = Worker(Parts(INTAKE, storage, relay, context, metrics, log, inlet))
    reader = Reader()
    worker.consumer = reader
    worker.start()
    try:
        yield worker, reader
    finally:
        worker.stop()
        worker.join(SOON)
        storage.close()


def delivery(event: Event) -> Delivery:
    """An event as the bus delivers it."""
    return Delivery(Message(new_id(), event.type, encode([in_envelope(event)])), 1)


def closing(case_id: str) -> Delivery:
    """An event that can wait."""
    standing = Standing(state=State.CLOSED)
    judgement = Judgement(case_id=case_id, version=1, standing=standing)
    return delivery(CaseClosed(case_id=case_id, judgement=judgement, reason="lapsed", at=NOW))


def submitting() -> Request:
    """Somebody who waits for an answer."""
    command = SubmitCase(source="s", external_id="1", channel="hotline", subject="Dark lamp")
    return Request([command])
