"""What the runtime asks of a bus; `rabbit.py` and `local.py` are its two implementations.

A bus carries messages. It keeps no promise about order, may deliver a message twice, and loses
none: whoever sends is told when every message is safe with everybody who is bound to its key, and a
delivery that was not acknowledged comes back. Nobody waits in a call of a bus.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from shared.bus.envelope import BadEvent, Envelope
from shared.domain.errors import Unavailable

PATIENCE = 60.0
"""Seconds that `publish` waits."""

CLOUDEVENTS_BATCH = "application/cloudevents-batch+json"


@dataclass(frozen=True, slots=True)
class Message:
    """One message: a pack of one or more CloudEvents whose bytes were fixed at commit."""

    id: str
    """Claimed in the inbox of every reader: a second delivery of the same id has no effect."""
    key: str
    """Routing key: the type of the events inside, such as `case.routed`."""
    body: bytes
    content_type: str = CLOUDEVENTS_BATCH
    headers: Mapping[str, str] = field(default_factory=dict)
    reply_to: str | None = None
    """The queue to which its sender wants refusals, where it named one."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it reached a reader."""

    message: Message
    tag: int
    """The bus's own handle, rising within one subscription."""
    redelivered: bool = False
    """It had been delivered before: it is handled alone, not in a batch."""
    content: Sequence[Envelope | BadEvent] | None = field(default=None, repr=False)
    """What the message says, where the bus has read it already, once for all its readers."""
    given_up: bool = False
    """The bus has delivered it too often in vain: it is put aside, not handled."""
    failure: Exception | None = field(default=None, repr=False)
    """Why its effects could not be written: it is to lie aside."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a service listens to."""

    service: str
    events: tuple[str, ...]
    """Routing keys of events; `#` for all."""
    commands: tuple[str, ...] = ()
    """Types of the commands that the service carries out."""


class Consumer(Protocol):
    """A running subscription."""

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Their effects are committed: forget them. Callable from any thread."""

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """They were not handled: deliver them again, to whoever is there. From any thread."""

    def hold(self, held: bool) -> None:
        """Deliver nothing new while `held`; what was delivered is finished. From any thread."""

    def stop(self) -> None:
        """Deliver nothing more; what is unacknowledged goes back. Returns when done."""

    @property
    def problem(self) -> str | None:
        """Why nothing can be delivered at the moment, or None: shown by `/readyz`."""


Settled = Callable[[str | None], None]
"""Told what became of messages: None when all are safe, else why that could not be confirmed."""


class Bus(Protocol):
    """A way for services to reach one another."""

    room: int
    """About the most bytes of messages that one sender should have on their way at a time."""

    gap: float
    """Seconds from one batch of a reader to the next where both hold nothing but what can wait: a
    transaction costs as much as ten such events."""

    def send(self, messages: Sequence[Message], settled: Settled) -> None:
        """Hand messages over; callable from any thread.

        `settled` is called once, on any thread, also before this returns; it must not wait. Where
        it is told a reason, the caller sends all of them again later, and readers recognise those
        that they have seen.
        """

    def subscribe(
        self, subscription: Subscription, deliver: Callable[[Delivery], None]
    ) -> Consumer:
        """Deliver what the subscription names, by calling `deliver` from a thread of the bus.

        `deliver` must neither wait nor raise: it would keep heartbeats from being answered, or
        those who send. The bus reconnects by itself.
        """

    @property
    def problem(self) -> str | None:
        """Why nothing can be published at the moment, or None: shown by `/readyz`."""

    def close(self) -> None:
        """Let go of every connection."""

    def publish(self, messages: Sequence[Message], seconds: float = PATIENCE) -> None:
        """Send, and return when all are safe: for whoever has nothing else to do.

        Raises `Unavailable` when that was not confirmed for every one of them.
        """
        answer: Future[str | None] = Future()
        self.send(messages, answer.set_result)
        try:
            reason = answer.result(seconds)
        except TimeoutError:
            reason = f"not confirmed within {seconds:g} s"
        if reason is not None:
            raise Unavailable(reason)
