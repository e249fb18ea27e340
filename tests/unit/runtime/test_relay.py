"""The relay sends at once what it can, and the rest when the bus takes it again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import accumulate
from time import monotonic, sleep

import pytest

from shared.bus.protocol import Bus, Consumer, Delivery, Message, Settled, Subscription
from shared.observe.logs import logger
from shared.observe.metrics import Metrics
from shared.runtime.backlog import Backlog, Bounds
from shared.runtime.relay import Relay
from shared.storage.messaging import OutboxRow


def rows(*ids: str, body: bytes = b"[]") -> list[OutboxRow]:
    return [OutboxRow(id_, "case.recorded", body, "application/json") for id_ in ids]


class Slow(Bus):
    """Takes messages while it has no problem, and says that they are safe when it is told to."""

    room = 1_000_000
    gap = 0.0

    def __init__(self) -> None:
        self.away: str | None = None
        self.refused: set[str] = set()
        """Ids of what is never taken."""
        self.sent: list[str] = []
        self.threads: list[str] = []
        self.open: list[Settled] = []

    def send(self, messages: Sequence[Message], settled: Settled) -> None:
        self.sent += [each.id for each in messages]
        self.threads.append(threading.current_thread().name)
        if self.away is not None:
            settled(self.away)
        elif self.refused & {each.id for each in messages}:
            settled("it did not take a message")
        else:
            self.open.append(settled)

    def confirm(self, failure: str | None = None) -> None:
        told, self.open = self.open, []
        for settled in told:
            settled(failure)

    def subscribe(
        self, subscription: Subscription, deliver: Callable[[Delivery], None]
    ) -> Consumer:
        raise NotImplementedError

    @property
    def problem(self) -> str | None:
        return self.away

    def close(self) -> None:
        """Nothing is held."""


class Setting:
    """A relay over an outbox and a bus that the test holds."""

    def __init__(self) -> None:
        self.bus = Slow()
        self.lying: list[OutboxRow] = []
        self.read = 0
        self.meanwhile: Callable[[], object] = lambda: None
        """What happens once the outbox was looked at, before what was found there is known."""
        backlog = Backlog(Bounds(1000, 10**9), lambda _: None)
        self.relay = Relay("router", self, self.bus, Metrics(), logger("router"), backlog)  # type: ignore[arg-type]

    def outbox(
        self, *, before: datetime | None, known: Collection[str], limit: int, room: int
    ) -> list[OutboxRow]:
        self.read += 1
        if before is not None:
            found = []
        else:
            found = [row for row in self.lying if row.id not in known][:limit]
            sizes = accumulate(len(row.body) for row in found)
            found = found[: 1 + sum(size <= room for size in sizes)]
        self.meanwhile()
        return found

    def commit(self, new: list[OutboxRow]) -> None:
        self.lying += new
        self.relay.offer(new)

    def delete(self) -> list[str]:
        """As the worker does in its next transaction."""
        published = self.relay.published()
        self.lying = [row for row in self.lying if row.id not in published]
        self.relay.forget(published)
        return published


@pytest.fixture
def setting() -> Iterator[Setting]:
    made = Setting()
    made.relay.start()
    until(lambda: made.relay.idle)
    yield made
    made.relay.stop(0)
    made.relay.join(5)
    assert not made.relay.is_alive()


@pytest.fixture
def no_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pause is a minute."""
    monkeypatch.setattr("random.uniform", lambda *_: 1200.0)


def until(holds: Callable[[], bool]) -> None:
    end = monotonic() + 5
    while not holds():
        assert monotonic() < end, "it never came to hold"
        sleep(0.002)


def test_what_was_committed_is_sent_at_once_by_whoever_committed_it(setting: Setting) -> None:
    read = setting.read
    setting.commit(rows("1", "2"))

    assert setting.bus.sent == ["1", "2"]
    assert setting.bus.threads == [threading.current_thread().name]
    assert setting.read == read, "nothing is read back"


def test_rows_are_published_once_the_bus_has_confirmed_them_and_not_before(
    setting: Setting,
) -> None:
    setting.commit(rows("1", "2"))
    assert setting.delete() == []
    assert not setting.relay.idle

    setting.bus.confirm()

    assert setting.delete() == ["1", "2"]
    assert setting.relay.idle


def test_nothing_is_sent_before_the_start_and_all_of_it_then() -> None:
    setting = Setting()
    setting.commit(rows("1"))
    assert setting.bus.sent == []

    setting.relay.start()

    until(lambda: setting.bus.sent == ["1"])
    setting.relay.stop(0)
    setting.relay.join(5)


def test_what_the_bus_did_not_take_is_sent_again_and_once(setting: Setting) -> None:
    setting.commit(rows("1"))
    setting.commit(rows("2"))

    setting.bus.confirm("it did not take a message")

    until(lambda: setting.bus.sent == ["1", "2", "1", "2"])
    setting.bus.confirm()
    until(lambda: setting.relay.idle)
    assert sorted(setting.delete()) == ["1", "2"]


def test_while_the_bus_is_away_what_is_committed_waits_in_the_outbox(
    setting: Setting, no_chance: None
) -> None:
    setting.bus.away = "away"
    setting.commit(rows("1"))
    setting.commit(rows("2", "3"))
    assert setting.bus.sent == ["1"]
    sleep(0.5)
    assert setting.bus.sent == ["1"]
    began = monotonic()

    setting.bus.away = None

    until(lambda: setting.bus.sent == ["1", "1", "2", "3"])
    assert monotonic() - began < 2, "a bus that is back need not wait for the next try"


def test_a_row_that_is_never_taken_is_tried_less_and_less_though_others_are(
    setting: Setting,
) -> None:
    setting.bus.refused = {"bad"}
    setting.commit(rows("bad"))
    end = monotonic() + 1.0
    number = 0
    while monotonic() < end:
        number += 1
        setting.commit(rows(f"good {number}"))
        setting.bus.confirm()
        setting.delete()
        sleep(0.005)

    assert 2 <= setting.bus.sent.count("bad") <= 7
    assert setting.relay.published() == []


def test_no_more_is_on_its_way_than_the_bus_has_room_for(setting: Setting) -> None:
    setting.bus.room = 100
    for number in range(4):
        setting.commit(rows(f"{number}", body=b"x" * 60))
    sleep(0.1)
    assert setting.bus.sent == ["0", "1"]

    setting.bus.confirm()
    until(lambda: setting.bus.sent == ["0", "1", "2", "3"])
    setting.bus.confirm()

    until(lambda: setting.relay.idle)
    assert setting.delete() == ["0", "1", "2", "3"]


def test_what_is_deleted_while_the_outbox_is_read_is_not_sent_again(setting: Setting) -> None:
    setting.commit(rows("1"))
    setting.bus.confirm()
    setting.meanwhile = setting.delete
    setting.commit(rows("2"))

    setting.bus.confirm("it did not take a message")

    until(lambda: setting.bus.sent == ["1", "2", "2"])
    setting.bus.confirm()
    until(lambda: setting.relay.idle)
    assert setting.bus.sent == ["1", "2", "2"]


def test_what_is_read_from_the_outbox_is_bounded_as_well(setting: Setting) -> None:
    setting.bus.room = 100
    setting.bus.away = "away"
    for number in range(6):
        setting.commit(rows(f"{number}", body=b"x" * 60))
    del setting.bus.sent[:]

    setting.bus.away = None

    until(lambda: setting.bus.sent == ["0", "1"])
    sleep(0.1)
    assert setting.bus.sent == ["0", "1"]
    setting.bus.confirm()
    until(lambda: setting.bus.sent == ["0", "1", "2", "3"])


def test_a_relay_that_waits_can_be_stopped(setting: Setting, no_chance: None) -> None:
    setting.bus.away = "away"
    setting.commit(rows("1"))
    sleep(0.05)

    setting.relay.stop(60)
    setting.relay.join(5)

    assert not setting.relay.is_alive()


def test_a_relay_that_is_stopped_waits_for_what_is_on_its_way(setting: Setting) -> None:
    setting.commit(rows("1"))

    setting.relay.stop(60)
    setting.relay.join(0.2)
    assert setting.relay.is_alive()
    setting.bus.confirm()

    setting.relay.join(5)
    assert not setting.relay.is_alive()
