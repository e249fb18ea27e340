"""The relay waits while the bus is away, and not for longer."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from time import monotonic

import pytest

from shared.bus.protocol import Message
from shared.domain.errors import Unavailable
from shared.observe.logs import logger
from shared.observe.metrics import Metrics
from shared.runtime.backlog import Backlog, Bounds
from shared.runtime.relay import Relay
from shared.storage.messaging import OutboxRow

ROW = OutboxRow("1", "case.recorded", b"[]", "application/cloudevents-batch+json")


class Bus:
    """Takes messages while it has no problem."""

    def __init__(self) -> None:
        self.problem: str | None = "away"
        self.tried, self.taken = Event(), Event()

    def publish(self, _messages: Sequence[Message]) -> None:
        self.tried.set()
        if self.problem is not None:
            raise Unavailable(self.problem)
        self.taken.set()


class Outbox:
    """Holds nothing that is not in memory."""

    def outbox(self, **_: object) -> list[OutboxRow]:
        return []


def relay(bus: Bus) -> Relay:
    backlog = Backlog(Bounds(10, 1000), lambda _: None)
    return Relay("router", Outbox(), bus, Metrics(), logger("router"), backlog)  # type: ignore[arg-type]


@pytest.fixture
def no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pause is a minute."""
    monkeypatch.setattr("random.uniform", lambda *_: 1200.0)


def test_a_bus_that_is_back_need_not_wait_for_the_next_try(no_chance: None) -> None:
    bus = Bus()
    running = relay(bus)
    running.start()
    running.offer([ROW])
    assert bus.tried.wait(5)
    assert not bus.taken.wait(0.5)
    bus.problem = None
    began = monotonic()
    assert bus.taken.wait(5)
    assert monotonic() - began < 2
    running.stop(1)
    running.join(5)


def test_a_relay_that_waits_can_be_stopped(no_chance: None) -> None:
    bus = Bus()
    running = relay(bus)
    running.start()
    running.offer([ROW])
    assert bus.tried.wait(5)
    running.stop(1)
    running.join(5)
    assert not running.is_alive()
