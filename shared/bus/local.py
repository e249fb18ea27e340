"""A bus inside one process: the outbox of the sender is its only store.

`send` hands the messages over, and its caller is told once every reader has acknowledged, which it
does after its commit; only then are they removed from the sender's outbox. So nothing is kept here,
and nothing is lost when the process ends. The bus has no thread of its own.
"""

from collections.abc import Callable, Sequence
from threading import Lock

from shared.bus.codec import decode
from shared.bus.envelope import BadEvent, Envelope
from shared.bus.protocol import Bus, Delivery, Message, Settled, Subscription
from shared.bus.topology import matches
from shared.domain.errors import Unreadable


class _Handover:
    """What one call of `send` is still to be told of."""

    def __init__(self, open_: int, settled: Settled) -> None:
        self.open = open_
        """Deliveries that are neither acknowledged nor given back."""
        self.settled = settled

    def settle(self, failure: str | None) -> Callable[[], None] | None:
        """One delivery is off the books; what to call for it, once nothing is locked."""
        self.open -= 1
        if self.open == 0 or (failure is not None and self.open > 0):
            self.open = 0  # a failure is told at once, and nothing after it
            return lambda: self.settled(failure)
        return None


class LocalConsumer:
    """A reader in this process; it implements `Consumer`."""

    def __init__(
        self, subscription: Subscription, deliver: Callable[[Delivery], None], lock: Lock
    ) -> None:
        self.subscription = subscription
        self._deliver = deliver
        self._lock = lock
        self._tag = 0
        self._waiting: dict[int, tuple[str, _Handover]] = {}
        """Unacknowledged deliveries by tag: the message's id and who is to be told."""
        self._seen: set[str] = set()
        """Ids of messages that were delivered and given back."""
        self._stopped = False

    def hand_over(
        self,
        message: Message,
        content: Sequence[Envelope | BadEvent] | None,
        handover: _Handover,
    ) -> None:
        """Deliver a message."""
        with self._lock:
            self._tag += 1
            again = message.id in self._seen
            delivery = Delivery(message, self._tag, redelivered=again, content=content)
            self._waiting[self._tag] = (message.id, handover)
            stopped = self._stopped
        if stopped:
            self._settle([delivery.tag], self.problem)
        else:
            self._deliver(delivery)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Tell those who sent only these that they are safe."""
        self._settle([each.tag for each in deliveries])

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Tell those who sent these that they have to send them again."""
        failure = f"{self.subscription.service} gave a message back"
        self._settle([each.tag for each in deliveries], failure)

    def hold(self, held: bool) -> None:
        """Hold nothing: the messages have no other place than their senders' outboxes.

        Those would fill up for a reader that does not take them, and two could wait for each other.
        """

    def stop(self) -> None:
        """Take nothing more, and give back what is unacknowledged."""
        with self._lock:
            self._stopped = True
            tags = list(self._waiting)
        self._settle(tags, self.problem)

    @property
    def problem(self) -> str | None:
        """Why nothing can be delivered, or None."""
        return f"{self.subscription.service} has stopped" if self._stopped else None

    def _settle(self, tags: Sequence[int], failure: str | None = None) -> None:
        """Take deliveries off the books; one that is off them already stays so."""
        ends = []
        with self._lock:
            for tag in tags:
                message_id, handover = self._waiting.pop(tag, ("", None))
                if handover is None:
                    continue
                if failure is None:
                    self._seen.discard(message_id)
                else:
                    self._seen.add(message_id)
                ends.append(handover.settle(failure))
        for end in filter(None, ends):
            end()


class LocalBus(Bus):
    """Services in one process; it implements `Bus`."""

    room = 2 * 1024 * 1024
    """Until its readers are done they hold all of that in memory, and three times as much that they
    have read of it. With less, more is read from outboxes again (docs/performance.md)."""

    gap = 0.1
    """What waits takes room from those who sent it, who stand still where it is longer."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._consumers: dict[str, LocalConsumer] = {}
        self._closed = False

    def send(self, messages: Sequence[Message], settled: Settled) -> None:
        """Deliver to every reader bound; `settled` is told once all have acknowledged everything.

        It is told a reason when a reader stopped or gave a message back meanwhile, or when nobody
        is bound to a message's key: then nothing is delivered.
        """
        with self._lock:
            bound = [(each, self._readers(each.key)) for each in messages]
            closed = self._closed
        deaf = next((message.key for message, readers in bound if not readers), None)
        if closed or deaf is not None:
            settled("the bus is closed" if closed else f"nobody is bound to {deaf}")
            return
        if not bound:
            settled(None)
            return
        handover = _Handover(sum(len(readers) for _, readers in bound), settled)
        for message, readers in bound:
            content = _content(message)
            for reader in readers:
                reader.hand_over(message, content, handover)

    def subscribe(
        self, subscription: Subscription, deliver: Callable[[Delivery], None]
    ) -> LocalConsumer:
        """Deliver from now on, on the threads of those who send.

        A service that subscribes again takes the place of its stopped predecessor. Between the two,
        what it is bound to cannot be sent: nobody would keep it.
        """
        consumer = LocalConsumer(subscription, deliver, self._lock)
        with self._lock:
            self._consumers[subscription.service] = consumer
        return consumer

    @property
    def problem(self) -> str | None:
        """Why nothing can be sent, or None."""
        return "the bus is closed" if self._closed else None

    def close(self) -> None:
        """Stop every reader; who waits for them is told so."""
        with self._lock:
            self._closed = True
            consumers = list(self._consumers.values())
        for consumer in consumers:
            consumer.stop()

    def _readers(self, key: str) -> list[LocalConsumer]:
        return [each for each in self._consumers.values() if matches(each.subscription, key)]


def _content(message: Message) -> Sequence[Envelope | BadEvent] | None:
    """The message read once for all its readers; None leaves it to them to say what is wrong."""
    try:
        return decode(message)
    except Unreadable:
        return None
