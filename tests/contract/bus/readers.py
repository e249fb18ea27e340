"""A service and a relay for tests of the bus: one keeps what reaches it, the other insists."""

import time
from collections.abc import Callable, Sequence
from threading import Condition, Event, Thread, get_ident

from shared.bus.protocol import Bus, Consumer, Delivery, Message, Subscription
from shared.domain.errors import Unavailable
from shared.domain.ids import new_id

INTAKE = Subscription("intake", events=("case.closed",), commands=("submit-case",))
ROUTER = Subscription("router", events=("case.recorded", "case.reopened"))
LEDGER = Subscription("ledger", events=("#",))

SECONDS = 40.0


def message(key: str = "case.recorded", body: bytes = b"[]") -> Message:
    """A message; what is in it is nothing to the bus."""
    return Message(id=new_id(), key=key, body=body)


class Reader:
    """Keeps what is delivered; acknowledges at once, unless told to hold on."""

    def __init__(self, bus: Bus, subscription: Subscription, *, hold: bool = False) -> None:
        self._changed = Condition()
        self.hold = hold
        self.got: list[Delivery] = []
        self.threads: set[int] = set()
        self._there = Event()
        self.consumer: Consumer = bus.subscribe(subscription, self._deliver)
        self._there.set()

    def _deliver(self, delivery: Delivery) -> None:
        self._there.wait(SECONDS)
        self.threads.add(get_ident())
        with self._changed:
            self.got.append(delivery)
            self._changed.notify_all()
        if not self.hold:
            self.consumer.ack([delivery])

    @property
    def ids(self) -> list[str]:
        """The messages, in the order of arrival; one that came twice stands there twice."""
        with self._changed:
            return [delivery.message.id for delivery in self.got]

    def wait_for(self, ids: Sequence[str]) -> None:
        """Wait until all of these have arrived."""
        missing = set(ids)
        with self._changed:
            self._changed.wait_for(lambda: missing <= set(self.ids), SECONDS)
            missing -= set(self.ids)
        assert not missing, f"{len(missing)} of {len(ids)} messages did not arrive"

    def wait_for_count(self, count: int) -> None:
        """Wait until so many deliveries have arrived."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.got) >= count, SECONDS)


class Relaying(Thread):
    """Publishes again and again until the bus takes it, as a service's relay does."""

    def __init__(self, bus: Bus, messages: Sequence[Message]) -> None:
        super().__init__(daemon=True)
        self._bus = bus
        self._messages = messages
        self.refusals: list[str] = []
        self.done = Event()
        self.start()

    def wait(self) -> None:
        """Wait until the bus has taken it."""
        assert self.done.wait(SECONDS), self.refusals

    def run(self) -> None:
        """Publish until it is done."""
        while not self.done.is_set():
            try:
                self._bus.publish(self._messages)
                self.done.set()
            except Unavailable as away:
                self.refusals.append(str(away))
                time.sleep(0.02)


def eventually(what: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.01)
