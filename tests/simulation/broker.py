"""A broker that keeps its promise and no more: it loses nothing that it confirmed.

Before the confirm messages get lost; afterwards they come twice, late, in any order, and again
after every crash of a reader or loss of a connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.bus.codec import decode
from shared.bus.envelope import BadEvent, Envelope
from shared.bus.protocol import Bus, Consumer, Delivery, Message, Settled, Subscription
from shared.bus.topology import matches
from shared.domain.errors import Unavailable, Unreadable
from tests.simulation.chance import Chance, Crash

HELD = 30
"""Deliveries that a reader may hold unacknowledged."""

Deliver = Callable[[Delivery], None]
Tell = Callable[[str, str], None]
Hear = Callable[[Message, Sequence[Envelope | BadEvent]], None]


@dataclass
class Copy:
    """A message as it lies in one queue."""

    message: Message
    redelivered: bool = False


@dataclass
class Queue:
    """What waits for one service; it outlives everybody's crash but forgets the order."""

    subscription: Subscription
    waiting: list[Copy] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)


class Reader(Consumer):
    """One replica's subscription."""

    def __init__(self, broker: Broker, queue: Queue, name: str, deliver: Deliver) -> None:
        self._broker = broker
        self._queue = queue
        self._name = name
        self._deliver = deliver
        self._tag = 0
        self.held: dict[int, Copy] = {}
        self.resting = False
        """Whether nothing is to be handed to it for the time being."""
        queue.readers.append(self)

    def take(self) -> None:
        """Be handed one of the messages that wait, whichever it is."""
        chance = self._broker.chance
        copy = self._queue.waiting.pop(chance.dice.randrange(len(self._queue.waiting)))
        self._tag += 1
        self.held[self._tag] = copy
        content = self._broker.read(copy.message) if chance.tenth(8) else None
        self._broker.tell(self._name, f"is handed {self._broker.name_of(copy.message)}")
        self._deliver(Delivery(copy.message, self._tag, copy.redelivered, content or None))

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """See `Consumer`; the process may crash just before and just after."""
        chance = self._broker.chance
        if chance.strikes(0.02):
            raise Crash("before the acknowledgement")
        if chance.strikes(0.03):
            self.lose()
            return
        for delivery in deliveries:
            self.held.pop(delivery.tag, None)
        if chance.strikes(0.02):
            raise Crash("after the acknowledgement")

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """See `Consumer`."""
        for delivery in deliveries:
            self._give_back(delivery.tag)

    def hold(self, on: bool) -> None:
        """See `Consumer`."""
        self.resting = on

    def lose(self) -> None:
        """The connection is lost: what it held comes again, to whoever is there."""
        if self.held:
            self._broker.tell(self._name, f"loses its connection and {len(self.held)} deliveries")
        for tag in list(self.held):
            self._give_back(tag)

    def stop(self) -> None:
        """See `Consumer`."""
        self.lose()
        if self in self._queue.readers:
            self._queue.readers.remove(self)

    @property
    def problem(self) -> str | None:
        """None: who is subscribed is served."""
        return None

    def _give_back(self, tag: int) -> None:
        copy = self.held.pop(tag, None)
        if copy is not None:
            self._queue.waiting.append(Copy(copy.message, redelivered=True))


class Broker:
    """The queues of all services."""

    def __init__(self, chance: Chance, tell: Tell, hear: Hear) -> None:
        self.chance = chance
        self.tell = tell
        self.queues: dict[str, Queue] = {}
        self._hear = hear
        self._read: dict[str, Sequence[Envelope | BadEvent]] = {}

    def declare(self, subscription: Subscription) -> Queue:
        """The queue of a service, made for its first reader."""
        return self.queues.setdefault(subscription.service, Queue(subscription))

    def read(self, message: Message) -> Sequence[Envelope | BadEvent]:
        """What a message says; nothing where it cannot be read."""
        if message.id not in self._read:
            try:
                self._read[message.id] = decode(message)
            except Unreadable:
                self._read[message.id] = ()
        return self._read[message.id]

    def name_of(self, message: Message) -> str:
        """A message in a trace."""
        return f"{message.key} {message.id[-6:]}"

    def publish(self, sender: str, messages: Sequence[Message]) -> None:
        """Put messages into every queue that they are bound for.

        Raises `Unavailable` or `Crash` where some got lost, or the confirm did.
        """
        chance = self.chance
        if chance.strikes(0.02):
            raise Crash("before publishing")
        lost = chance.strikes(0.08)
        for message in messages:
            queues = [
                each for each in self.queues.values() if matches(each.subscription, message.key)
            ]
            if not queues:
                raise Unavailable(f"nobody is bound to {message.key}")
            self._put(message, [queue for queue in queues if not (lost and chance.tenth(5))])
        counted = Counter(message.key for message in messages)
        what = ", ".join(f"{key} x{number}" for key, number in counted.items())
        self.tell(sender, f"publishes {what}{', some of which get lost' if lost else ''}")
        if chance.strikes(0.03):
            raise Crash("before the confirm")
        if lost or chance.strikes(0.03):
            raise Unavailable("the broker did not confirm")

    def _put(self, message: Message, queues: Sequence[Queue]) -> None:
        for queue in queues:
            copies = 2 if self.chance.strikes(0.05) else 1
            queue.waiting.extend(Copy(message) for _ in range(copies))
        if queues:
            self._hear(message, self.read(message))


class Wire(Bus):
    """One process's way to the broker; it implements `Bus`."""

    room = 1_000_000
    gap = 0.0

    def __init__(self, broker: Broker, name: str) -> None:
        self._broker = broker
        self._name = name
        self._sent: list[tuple[Sequence[Message], Settled]] = []

    def send(self, messages: Sequence[Message], settled: Settled) -> None:
        """See `Bus`; they are on their way until `carry`."""
        self._sent.append((messages, settled))

    def carry(self) -> bool:
        """Let some of what was sent reach the broker; whether there was anything."""
        if not self._sent:
            return False
        place = self._broker.chance.dice.randrange(len(self._sent))
        messages, settled = self._sent.pop(place)
        try:
            self._broker.publish(self._name, messages)
        except Unavailable as away:
            self._broker.tell(self._name, f"is told: {away}")
            settled(str(away))
        else:
            settled(None)
        return True

    def subscribe(self, subscription: Subscription, deliver: Deliver) -> Reader:
        """See `Bus`; nothing is delivered before somebody calls `Reader.take`."""
        return Reader(self._broker, self._broker.declare(subscription), self._name, deliver)

    @property
    def problem(self) -> str | None:
        """None: it is away for a moment at the most."""
        return None

    def close(self) -> None:
        """Nothing is held."""
