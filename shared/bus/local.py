"""A bus inside one process: the outbox of the sender is its only store.

`publish` hands the messages over and waits until every reader has acknowledged, which it does after
its commit; only then does the sender's relay remove them from its outbox. So nothing is kept here,
and nothing is lost when the process ends. The bus has no thread of its own.
"""

from collections.abc import Callable, Sequence
from threading import Condition

from shared.bus.codec import decode
from shared.bus.envelope import BadEvent, Envelope
from shared.bus.protocol import Delivery, Message, Subscription
from shared.bus.topology import matches
from shared.domain.errors import Unavailable, Unreadable


class _Handover:
    """What one call of `publish` waits for."""

    def __init__(self) -> None:
        self.open = 0
        """Deliveries that are neither acknowledged nor given back."""
        self.failure: str | None = None


class LocalConsumer:
    """A reader in this process; it implements `Consumer`."""

    def __init__(
        self, subscription: Subscription, deliver: Callable[[Delivery], None], turn: Condition
    ) -> None:
        self.subscription = subscription
        self._deliver = deliver
        self._turn = turn
        self._tag = 0
        self._waiting: dict[int, tuple[str, _Handover]] = {}
        """Unacknowledged deliveries by tag: the message's id and who waits."""
        self._seen: set[str] = set()
        """Ids of messages that were delivered and given back."""
        self._stopped = False

    def hand_over(
        self,
        message: Message,
        content: Sequence[Envelope | BadEvent] | None,
        handover: _Handover,
    ) -> None:
        """Deliver a message; it may block, as the reader's `deliver` may."""
        with self._turn:
            if self._stopped:
                handover.failure = self.problem
                return
            self._tag += 1
            again = message.id in self._seen
            delivery = Delivery(message, self._tag, redelivered=again, content=content)
            self._waiting[self._tag] = (message.id, handover)
            handover.open += 1
        self._deliver(delivery)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Let those who wait for these deliveries go on."""
        with self._turn:
            for delivery in deliveries:
                self._settle(delivery.tag)
                self._seen.discard(delivery.message.id)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Tell those who wait that they have to publish again."""
        with self._turn:
            for delivery in deliveries:
                self._settle(delivery.tag, f"{self.subscription.service} gave a message back")

    def hold(self, held: bool) -> None:
        """Hold nothing: the messages have no other place than their senders' outboxes.

        A reader that does not take them holds up its sender, and two could wait for each other.
        """

    def stop(self) -> None:
        """Take nothing more, and give back what is unacknowledged."""
        with self._turn:
            self._stopped = True
            for tag in list(self._waiting):
                self._settle(tag, self.problem)

    @property
    def problem(self) -> str | None:
        """Why nothing can be delivered, or None."""
        return f"{self.subscription.service} has stopped" if self._stopped else None

    def _settle(self, tag: int, failure: str | None = None) -> None:
        """Take a delivery off the books; one that is off them already stays so."""
        message_id, handover = self._waiting.pop(tag, ("", None))
        if handover is None:
            return
        handover.open -= 1
        if failure is not None:
            handover.failure = failure
            self._seen.add(message_id)
        if handover.open == 0 or handover.failure is not None:
            self._turn.notify_all()


class LocalBus:
    """Services in one process; it implements `Bus`."""

    waits_for_readers = True

    def __init__(self) -> None:
        self._turn = Condition()
        self._consumers: dict[str, LocalConsumer] = {}
        self._closed = False

    def publish(self, messages: Sequence[Message]) -> None:
        """Deliver to every reader bound, and return when all have acknowledged everything.

        Raises `Unavailable` when a reader stopped or gave a message back meanwhile, or when nobody
        is bound to a message's key. It waits as long as the readers take.
        """
        readers = [(message, self._readers(message.key)) for message in messages]
        handover = _Handover()
        for message, consumers in readers:
            content = _content(message)
            for consumer in consumers:
                consumer.hand_over(message, content, handover)
        with self._turn:
            self._turn.wait_for(lambda: handover.open == 0 or handover.failure is not None)
        if handover.failure is not None:
            raise Unavailable(f"{handover.failure}; what it has not handled is sent again later")

    def subscribe(
        self, subscription: Subscription, deliver: Callable[[Delivery], None]
    ) -> LocalConsumer:
        """Deliver from now on, on the threads of those who publish.

        A service that subscribes again takes the place of its stopped predecessor. Between the two,
        what it is bound to cannot be published: nobody would keep it.
        """
        consumer = LocalConsumer(subscription, deliver, self._turn)
        with self._turn:
            self._consumers[subscription.service] = consumer
        return consumer

    @property
    def problem(self) -> str | None:
        """Why nothing can be published, or None."""
        return "the bus is closed" if self._closed else None

    def close(self) -> None:
        """Stop every reader; whoever waits in `publish` is told so."""
        with self._turn:
            self._closed = True
            consumers = list(self._consumers.values())
        for consumer in consumers:
            consumer.stop()

    def _readers(self, key: str) -> list[LocalConsumer]:
        with self._turn:
            if self._closed:
                raise Unavailable("the bus is closed")
            bound = [each for each in self._consumers.values() if matches(each.subscription, key)]
        if not bound:
            raise Unavailable(f"nobody is bound to {key}")
        return bound


def _content(message: Message) -> Sequence[Envelope | BadEvent] | None:
    """The message read once for all its readers; None leaves it to them to say what is wrong."""
    try:
        return decode(message)
    except Unreadable:
        return None
