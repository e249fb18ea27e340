"""What the runtime asks of a bus; `rabbit.py` and `local.py` are its two implementations.

A bus carries messages. It keeps no promise about order, may deliver a message twice, and loses
none: `publish` returns when every message is safe with everybody who is bound to its key, and a
delivery that was not acknowledged comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.bus.envelope import BadEvent, Envelope

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


class Bus(Protocol):
    """A way for services to reach one another."""

    waits_for_readers: bool
    """Whether `publish` returns only when every reader has handled what it was given."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Hand messages over and return when all are safe.

        Raises `Unavailable` when that could not be confirmed for every one of them; the caller
        publishes all of them again later, and readers recognise those that they have seen.
        """

    def subscribe(
        self, subscription: Subscription, deliver: Callable[[Delivery], None]
    ) -> Consumer:
        """Deliver what the subscription names, by calling `deliver` from a thread of the bus.

        `deliver` may block: that holds further deliveries back. The bus reconnects by itself.
        """

    @property
    def problem(self) -> str | None:
        """Why nothing can be published at the moment, or None: shown by `/readyz`."""

    def close(self) -> None:
        """Let go of every connection."""
