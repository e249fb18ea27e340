"""A connection comes back by itself, says what is wrong, and can be closed at any moment."""

from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest

from shared.bus.amqp import FIRST_PAUSE, LONGEST_PAUSE, pauses, words
from shared.bus.connection import Callbacks, Connection
from shared.bus.line import Channel
from tests.unit.bus.fakes import FakeChannel


class FakeLoop:
    """Runs what it is given, one after the other, until it is stopped; time passes as told."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._running = False
        self.later: list[tuple[float, Callable[[], None]]] = []

    def add_callback_threadsafe(self, callback: Callable[[], None]) -> None:
        self._waiting.put(callback)

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        self.later.append((delay, callback))

    def pass_time(self) -> None:
        """All that was to happen later happens."""
        for _, callback in sorted(self.later, key=lambda each: each[0]):
            self.add_callback_threadsafe(callback)

    def start(self) -> None:
        self._running = True
        while self._running:
            try:
                self._waiting.get(timeout=5)()
            except Empty:
                raise AssertionError("nobody stopped the loop") from None

    def stop(self) -> None:
        self._running = False

    def close(self) -> None:
        """Nothing to let go of."""


class FakeConnection:
    def __init__(self, callbacks: Callbacks, *, silent: bool = False) -> None:
        self._callbacks = callbacks
        self._silent = silent
        self.is_open = False

    def open(self) -> None:
        self.is_open = True
        channel: Channel = FakeChannel()
        self._callbacks.opened(self, channel)

    def close(self) -> None:
        self.is_open = False
        if not self._silent:
            self._callbacks.ended("normal shutdown")

    def abort(self) -> None:
        self._callbacks.ended("aborted")


class FakeDialer:
    """Lets each attempt go as `plan` says: `up`, `silent`, `raise`, or the reason why it fails.

    A silent peer connects, and then answers nothing more.
    """

    where = "rabbit:5672/house"

    def __init__(self, *plan: str) -> None:
        self._plan = list(plan)
        self.attempts = 0
        self.loops: list[FakeLoop] = []
        self.callbacks: list[Callbacks] = []

    def loop(self) -> FakeLoop:
        self.loops.append(FakeLoop())
        return self.loops[-1]

    def dial(self, loop: Any, callbacks: Callbacks) -> FakeConnection:
        step = self._plan[min(self.attempts, len(self._plan) - 1)]
        self.attempts += 1
        self.callbacks.append(callbacks)
        connection = FakeConnection(callbacks, silent=step == "silent")
        if step in {"up", "silent"}:
            loop.add_callback_threadsafe(connection.open)
        elif step == "raise":
            raise RuntimeError("a bug")
        else:
            loop.add_callback_threadsafe(lambda: callbacks.ended(step))
        return connection


class User:
    def __init__(self) -> None:
        self.ready = True
        """Whether it gets what it asks for when the channel is open."""
        self.opened_count = 0
        self.losses: list[str] = []
        self.up = Event()

    def opened(self, _channel: Channel, up: Callable[[], None]) -> None:
        self.opened_count += 1
        if self.ready:
            up()
        self.up.set()

    def lost(self, reason: str) -> None:
        self.up.clear()
        self.losses.append(reason)


Make = Callable[..., tuple[Connection, FakeDialer, User]]


@pytest.fixture
def connect() -> Iterator[Make]:
    made: list[Connection] = []

    def make(
        *plan: str, ready: bool = True, watch: Callable[[bool], None] = lambda _: None
    ) -> tuple[Connection, FakeDialer, User]:
        dialer, user = FakeDialer(*plan), User()
        user.ready = ready
        connection = Connection(dialer, "test", watch)
        made.append(connection)
        connection.start(user)
        return connection, dialer, user

    yield make
    for connection in made:
        connection.close()


def _until(what: Callable[[], bool]) -> None:
    deadline = monotonic() + 5
    while not what():
        assert monotonic() < deadline, "it never came to hold"
        sleep(0.001)


def test_a_connection_that_stands_has_no_problem(connect: Make) -> None:
    connection, _, user = connect("up")

    connection.wait(5)

    assert user.up.wait(5)
    assert connection.problem is None


def test_what_goes_wrong_is_said_together_with_where(connect: Make) -> None:
    connection, _, user = connect("nobody there")

    connection.wait(5)

    assert connection.problem == "RabbitMQ at rabbit:5672/house: nobody there"
    assert user.losses[0] == connection.problem


@pytest.mark.parametrize("trouble", ["nobody there", "raise"])
def test_it_tries_until_it_succeeds(connect: Make, trouble: str) -> None:
    connection, dialer, user = connect(trouble, trouble, "up")

    assert user.up.wait(5)

    assert dialer.attempts == 3
    assert connection.problem is None


def test_a_channel_of_no_use_is_closed_with_its_reason_and_opened_anew(connect: Make) -> None:
    connection, dialer, user = connect("up")
    assert user.up.wait(5)

    callbacks = dialer.callbacks[0]
    connection.call(lambda: callbacks.failed("it cancelled the consumer"))

    _until(lambda: user.opened_count == 2)
    assert user.losses == ["RabbitMQ at rabbit:5672/house: it cancelled the consumer"]


def test_who_works_over_it_hears_of_the_loss_even_of_a_peer_that_answers_nothing(
    connect: Make,
) -> None:
    connection, dialer, user = connect("silent", "up")
    assert user.up.wait(5)

    connection.call(lambda: dialer.callbacks[0].failed("it closed the channel"))
    connection.call(dialer.loops[0].pass_time)

    _until(lambda: user.opened_count == 2)
    assert user.losses == ["RabbitMQ at rabbit:5672/house: it closed the channel"]


def test_a_connection_that_is_given_up_is_of_no_use_at_once_and_the_next_is_waited_for(
    connect: Make,
) -> None:
    connection, _, user = connect("silent", "up")
    assert user.up.wait(5)
    seen: list[tuple[bool, list[str]]] = []

    def renew() -> None:
        connection.renew("it refused a message")
        seen.append((connection.problem is None, list(user.losses)))
        connection._loop.pass_time()

    connection.call(renew)
    _until(lambda: bool(seen))
    connection.wait(5)

    assert seen == [(False, ["RabbitMQ at rabbit:5672/house: it refused a message"])]
    assert connection.problem is None
    assert user.opened_count == 2
    assert len(user.losses) == 1, "a loss is told once"


def test_a_broker_that_leaves_the_declarations_unanswered_is_left_and_tried_again(
    connect: Make,
) -> None:
    connection, dialer, user = connect("up", ready=False)
    assert user.up.wait(5)

    user.ready = True
    connection.call(dialer.loops[0].pass_time)

    _until(lambda: user.opened_count == 2)
    assert "did not declare the queues within 60 s" in user.losses[0]
    _until(lambda: connection.problem is None)


def test_each_beginning_and_end_of_its_work_is_told_once(connect: Make) -> None:
    told: list[bool] = []
    connection, dialer, user = connect("away", "away", "up", watch=told.append)
    assert user.up.wait(5)
    _until(lambda: connection.problem is None)
    assert told == [True]

    connection.call(lambda: dialer.callbacks[-1].blocked("low on disk"))
    connection.call(lambda: dialer.callbacks[-1].blocked(None))
    connection.call(lambda: dialer.callbacks[-1].failed("lost"))

    _until(lambda: len(told) == 5)
    connection.close()
    assert told == [True, False, True, False, True]


def test_a_broker_short_of_memory_is_a_problem_while_it_lasts(connect: Make) -> None:
    connection, dialer, user = connect("up")
    assert user.up.wait(5)
    done = Event()

    connection.call(lambda: dialer.callbacks[0].blocked("low on memory"))
    connection.call(done.set)
    assert done.wait(5)
    blocked = "RabbitMQ at rabbit:5672/house takes no messages: low on memory; make room"
    assert (connection.problem or "").startswith(blocked)
    done.clear()
    connection.call(lambda: dialer.callbacks[0].blocked(None))
    connection.call(done.set)
    assert done.wait(5)

    assert connection.problem is None


def test_it_can_be_closed_while_it_waits_for_its_next_attempt(connect: Make) -> None:
    connection, _, _ = connect("nobody there")
    connection.wait(5)
    sleep(0.5)
    began = monotonic()

    connection.close()
    connection.close()

    assert monotonic() - began < 0.5
    connection.call(lambda: pytest.fail("a closed connection runs nothing more"))


def test_pauses_grow_to_a_limit_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = [wait for wait, _ in zip(pauses(), range(20), strict=False)]

    assert FIRST_PAUSE / 2 <= waits[0] <= FIRST_PAUSE
    assert all(LONGEST_PAUSE / 2 <= wait <= LONGEST_PAUSE for wait in waits[-5:])
    assert len(set(waits)) > 15


def test_errors_that_wrap_errors_are_told_by_the_innermost() -> None:
    class Workflow(Exception):
        def __init__(self) -> None:
            self.exceptions = (OSError("no route"), ConnectionRefusedError(111, "refused"))
            super().__init__("workflow")

    refused = "ConnectionRefusedError: [Errno 111] refused; see that it runs there"
    assert words(Workflow()).startswith(refused)
    assert words(ValueError(Workflow())).startswith(refused)
    assert words(KeyError()) == "KeyError"
