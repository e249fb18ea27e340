"""A message that nobody can handle is parked, also where the database is away meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.router.service import ROUTER
from shared.bus.codec import encode
from shared.bus.envelope import Envelope
from shared.bus.local import LocalBus
from shared.bus.protocol import Delivery, Message
from shared.domain.commands import AcceptCase
from shared.domain.errors import Unavailable
from shared.domain.events import Event
from shared.observe.logs import logger
from shared.observe.metrics import Metrics
from shared.runtime.backlog import Backlog, Bounds
from shared.runtime.batch import TRIES
from shared.runtime.handling import Context
from shared.runtime.inlet import Inlet
from shared.runtime.relay import Relay
from shared.runtime.work import Request
from shared.runtime.worker import Parts, Worker
from shared.storage.storage import Storage
from shared.storage.tx import Tx
from tests.support.house import SmallPolicy
from tests.support.machine import storage_of

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)


class Reader:
    """A subscription that remembers what became of its deliveries."""

    problem = None

    def __init__(self) -> None:
        self.acked: list[Delivery] = []
        self.released: list[Delivery] = []

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        self.acked.extend(deliveries)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        self.released.extend(deliveries)

    def hold(self, on: bool) -> None:
        """Nothing is delivered anyway."""

    def stop(self) -> None:
        """Nothing is held."""


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    storage = storage_of(ROUTER, tmp_path)
    storage.migrate()
    yield storage
    storage.close()


@pytest.fixture
def worker(storage: Storage) -> Worker:
    """A router whose database takes the effects of no acceptance."""

    def refuse(command: AcceptCase, tx: Tx, ctx: Context) -> Sequence[Event]:
        raise sa.exc.IntegrityError("insert", {}, ValueError("no database takes this"))

    service = replace(ROUTER, commands={AcceptCase: refuse})
    metrics, log, policy = Metrics(), logger("router"), SmallPolicy()
    backlog = Backlog(Bounds(10, 1000), lambda _: None)
    relay = Relay("router", storage, LocalBus(), metrics, log, backlog)
    worker = Worker(
        Parts(
            service,
            storage,
            relay,
            lambda: Context(now=NOW, policy=policy, link=str),
            metrics,
            log,
            Inlet(10),
        )
    )
    worker.consumer = Reader()
    return worker


def _accepting() -> Delivery:
    command = AcceptCase(case_id="case-1", unit="north")
    envelope = Envelope(
        id="1", type=command.type, source="/tests", subject=command.about, time=NOW, data=command
    )
    return Delivery(Message("message-1", command.type, encode([envelope])), 1)


def _away(monkeypatch: pytest.MonkeyPatch, *, after: int, for_good: bool) -> None:
    """Let the database be away once so many transactions were tried, once or for good."""
    transaction, tried = Storage.transaction, 0

    @contextmanager
    def shaky(storage: Storage, now: datetime) -> Iterator[Tx]:
        nonlocal tried
        tried += 1
        if tried > after and (for_good or tried == after + 1):
            raise Unavailable("the database is away")
        with transaction(storage, now) as tx:
            yield tx

    monkeypatch.setattr(Storage, "transaction", shaky)


def test_parking_waits_for_a_database_that_is_away(
    worker: Worker, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _away(monkeypatch, after=TRIES, for_good=False)
    delivery = _accepting()
    worker.put(delivery)
    assert worker.step()
    [parked] = storage.parked()
    assert (parked.message_id, parked.attempts) == ("message-1", TRIES)
    assert isinstance(worker.consumer, Reader)
    assert worker.consumer.acked == [delivery]


def test_a_message_that_cannot_be_parked_before_the_service_stops_goes_back(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    _away(monkeypatch, after=TRIES, for_good=True)
    delivery = _accepting()
    worker.put(delivery)
    worker.stop()
    assert worker.step() is False
    assert isinstance(worker.consumer, Reader)
    assert worker.consumer.released == [delivery]
    assert not worker.consumer.acked


def test_who_was_told_that_the_database_is_away_is_not_answered_again(
    worker: Worker, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _away(monkeypatch, after=0, for_good=False)
    request = Request([AcceptCase(case_id="case-2", unit="north")])
    worker.put(_accepting())
    worker.put(request)
    assert worker.step()
    assert isinstance(request.answer.exception(), Unavailable)
    assert [parked.message_id for parked in storage.parked()] == ["message-1"]
