"""The worker gathers events that can wait, and makes nobody wait who asks for something."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import pytest

from services.intake.service import INTAKE
from shared.bus.codec import Envelope, encode
from shared.bus.local import LocalBus
from shared.bus.protocol import Delivery, Message, Subscription
from shared.domain.aggregates import Judgement
from shared.domain.case import Standing, State
from shared.domain.commands import SubmitCase
from shared.domain.events import CaseClosed, Event, RetriageRequested
from shared.domain.ids import new_id
from shared.observe.logs import logger
from shared.observe.metrics import Metrics
from shared.runtime.backlog import Backlog, Bounds
from shared.runtime.handling import Context
from shared.runtime.inlet import Inlet
from shared.runtime.relay import Relay
from shared.runtime.work import Request, Work
from shared.runtime.worker import Parts, Worker
from tests.support.house import SmallPolicy, at
from tests.support.machine import storage_of

NOW = at("2026-03-04 10:00")

LONG = 60.0
"""Seconds that no test takes: what ends before them did not wait."""

SOON = 20.0


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
        with self._changed:
            return self._changed.wait_for(lambda: self._acked >= number, timeout=SOON)


@contextmanager
def intake(folder: Path, gap: float) -> Iterator[tuple[Worker, Reader]]:
    storage = storage_of(INTAKE, folder)
    storage.migrate()
    metrics, log = Metrics(), logger("intake")
    backlog = Backlog(Bounds(1000, 10**6), lambda _: None)
    relay = Relay("intake", storage, LocalBus(), metrics, log, backlog)
    context: Callable[[], Context] = lambda: Context(now=NOW, policy=SmallPolicy(), link=str)  # noqa: E731
    worker = Worker(
        Parts(INTAKE, storage, relay, context, metrics, log, Inlet(200, INTAKE.can_wait, gap))
    )
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
    envelope = Envelope(
        id=new_id(),
        type=event.type,
        source="/tests",
        subject=event.case_id,
        time=datetime.now(UTC),
        data=event,
    )
    return Delivery(Message(new_id(), event.type, encode([envelope])), 1)


def closing(case_id: str) -> Delivery:
    standing = Standing(state=State.CLOSED)
    judgement = Judgement(case_id=case_id, version=1, standing=standing)
    return delivery(CaseClosed(case_id=case_id, judgement=judgement, reason="lapsed", at=NOW))


def submitting() -> Request:
    command = SubmitCase(source="s", external_id="1", channel="hotline", subject="Dark lamp")
    return Request([command])


def test_what_comes_alone_is_carried_out_at_once(tmp_path: Path) -> None:
    with intake(tmp_path, LONG) as (worker, reader):
        worker.put(closing("case-1"))
        assert reader.acked(1)


def test_events_that_can_wait_and_come_soon_after_share_a_transaction(tmp_path: Path) -> None:
    with intake(tmp_path, 0.5) as (worker, reader):
        for number in range(5):
            worker.put(closing(f"case-{number}"))
            assert reader.acked(1)
        assert reader.acked(5)
        assert worker.transactions == 2


def test_whoever_asks_for_something_ends_the_waiting(tmp_path: Path) -> None:
    with intake(tmp_path, LONG) as (worker, reader):
        worker.put(closing("case-1"))
        assert reader.acked(1)
        worker.put(closing("case-2"))
        sleep(0.05)
        assert not worker.idle
        request = submitting()
        worker.put(request)
        assert len(request.answer.result(SOON)) == 1
        assert reader.acked(2)
        assert worker.transactions == 2


def test_an_event_that_others_wait_for_ends_it_as_well(tmp_path: Path) -> None:
    recall = RetriageRequested(case_id="case-1", by="i", reason="r", at=NOW)
    with intake(tmp_path, LONG) as (worker, reader):
        worker.put(closing("case-1"))
        assert reader.acked(1)
        worker.put(closing("case-2"))
        worker.put(delivery(recall))
        assert reader.acked(3)


def test_a_full_batch_does_not_wait(tmp_path: Path) -> None:
    with intake(tmp_path, LONG) as (worker, reader):
        worker.put(closing("case"))
        assert reader.acked(1)
        for number in range(200):
            worker.put(closing(f"case-{number}"))
        assert reader.acked(100)


def test_nothing_waits_where_the_senders_would_wait_for_it(tmp_path: Path) -> None:
    with intake(tmp_path, 0.0) as (worker, reader):
        worker.put(closing("case-1"))
        assert reader.acked(1)


def test_a_worker_with_nothing_to_do_sleeps_and_still_deletes_what_was_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.worker.QUIET", 0.01)
    with intake(tmp_path, 0) as (worker, _):
        parts, looks = worker._parts, list[float]()
        take = parts.inlet.take

        def looked(patience: float) -> tuple[list[Work], bool]:
            looks.append(patience)
            return take(patience)

        monkeypatch.setattr(parts.inlet, "take", looked)
        bus = parts.relay._bus
        ears = bus.subscribe(Subscription("ears", ("case.recorded",)), lambda d: ears.ack([d]))
        parts.relay.start()
        _until(lambda: parts.relay.clean)
        sleep(0.1)
        before = len(looks)
        sleep(0.3)
        assert len(looks) == before
        request = submitting()
        worker.put(request)
        request.answer.result(SOON)
        _until(lambda: parts.relay.clean)
        assert parts.storage.counts().outbox == 0


def _until(reached: Callable[[], bool]) -> None:
    end = monotonic() + SOON
    while not reached():
        assert monotonic() < end
        sleep(0.01)
