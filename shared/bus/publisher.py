"""Publishing with confirms: many messages under way at once, each accounted for."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from threading import Lock

from shared.bus.line import Channel, Line
from shared.bus.protocol import Message, Settled, Subscription

WINDOW = 500
"""Messages under way at once: beyond that, publishing gets no faster."""

WINDOW_BYTES = 8 * 1024 * 1024
"""Bytes under way at once, which bounds what waits in memory for the socket."""


class _Batch:
    """What one call of `send` is still to be told of."""

    def __init__(self, messages: Sequence[Message], settled: Settled) -> None:
        self.unsent = deque(messages)
        self.open = len(messages)
        self.failure: str | None = None
        self._settled = settled

    def settle(self, failure: str | None) -> None:
        """One message is confirmed, or is not.

        A failure is told only when the next connection is under way.
        """
        self.open -= 1
        self.failure = failure or self.failure
        if self.open == 0 and self.failure is None:
            self._settled(None)

    def fail(self, reason: str) -> None:
        """Nothing more is to be expected."""
        self._settled(self.failure or reason)


class Publisher:
    """Publishes over a line of its own, for any number of threads."""

    def __init__(self, line: Line, listeners: Sequence[Subscription], timeout: float) -> None:
        """What is not confirmed within `timeout` seconds or twice that is given up."""
        self._line = line
        self._listeners = listeners
        self._timeout = timeout
        self._lock = Lock()
        """Guards `_queue` and `_channel`; the rest belongs to the line's thread."""
        self._queue: deque[_Batch] = deque()
        self._channel: Channel | None = None
        self._flight: dict[int, tuple[_Batch, Message]] = {}
        """Sent and unconfirmed, by number, which rises."""
        self._bytes = 0
        self._sent = 0
        self._settled_up_to = 0
        self._returned: Counter[str] = Counter()
        """Ids of messages that came back and are still to be settled."""
        self._refused: list[_Batch] = []
        """Those of which something was not taken."""
        line.start(self)

    @property
    def problem(self) -> str | None:
        """Why nothing can be published at the moment, or None."""
        return self._line.problem

    def send(self, messages: Sequence[Message], settled: Settled) -> None:
        """See `Bus`. While it connects for the first time what is sent waits for that."""
        if not messages:
            settled(None)
            return
        with self._lock:
            problem = self._line.problem if self._line.wait(0) else None
            if problem is None:
                self._queue.append(_Batch(messages, settled))
        if problem is None:
            self._line.call(self._pump)
        else:
            settled(problem)

    def close(self) -> None:
        """Disconnect; whoever waits to be told is told so."""
        self._line.close()

    def opened(self, channel: Channel, up: Callable[[], None]) -> None:
        """Declare the queues and turn on confirms."""

        def declared() -> None:
            channel.confirm(self._settled, self._came_back, confirming)

        def confirming() -> None:
            self._channel, self._sent, self._settled_up_to = channel, 0, 0
            up()
            self._look(0)
            self._pump()

        channel.set_up(self._listeners, declared)

    def lost(self, reason: str) -> None:
        """Tell everybody who waits: nothing of what is under way will be confirmed."""
        with self._lock:
            batches = {id(batch): batch for batch, _ in self._flight.values()}
            batches |= {id(batch): batch for batch in (*self._queue, *self._refused)}
            self._channel = None
            self._queue.clear()
        self._flight.clear()
        self._returned.clear()
        self._refused.clear()
        self._bytes = 0
        for batch in batches.values():
            batch.fail(reason)

    def _look(self, oldest: int) -> None:
        """Look now and then whether what was the oldest the last time still is."""
        now = next(iter(self._flight), 0)
        if now and now == oldest:
            self._line.renew(f"not confirmed within {self._timeout:g} s; it is slow or stuck")
        else:
            self._line.later(self._timeout, lambda: self._look(now))

    def _pump(self) -> None:
        """Send as much as the window lets through."""
        channel = self._channel
        while channel and self._queue and len(self._flight) < WINDOW and self._bytes < WINDOW_BYTES:
            batch = self._queue[0]
            message = batch.unsent.popleft()
            if not batch.unsent:
                self._queue.popleft()
            self._sent += 1
            self._flight[self._sent] = batch, message
            self._bytes += len(message.body)
            channel.publish(message)

    def _settled(self, number: int, up_to: bool, taken: bool) -> None:
        if up_to:
            for each in range(self._settled_up_to + 1, number + 1):
                self._settle(each, taken)
            self._settled_up_to = number
        else:
            self._settle(number, taken)
        if not self._refused:
            self._pump()
        elif not self._flight:
            # What was refused may be refused for ever on this channel: RabbitMQ does not tell it
            # that a queue's limit was raised. And a queue that is gone is declared on the next one.
            self._line.renew(self._refused[0].failure or "it refused a message")

    def _settle(self, number: int, taken: bool) -> None:
        if number not in self._flight:
            return  # settled before, by itself
        batch, message = self._flight.pop(number)
        self._bytes -= len(message.body)
        if message.id in self._returned:
            self._returned -= Counter([message.id])
            self._refuse(
                batch, f"nobody is bound to {message.key}: start the services that read it"
            )
        elif taken:
            batch.settle(None)
        else:
            self._refuse(batch, f"it did not take a message for {message.key}: is its queue full?")

    def _refuse(self, batch: _Batch, reason: str) -> None:
        self._refused.append(batch)
        batch.settle(reason)

    def _came_back(self, message_id: str) -> None:
        self._returned[message_id] += 1
