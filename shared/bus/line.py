"""What the publisher and the consumers ask of a connection to RabbitMQ; `rabbit.py` has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.bus.protocol import Message, Subscription


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as the broker delivered it on a channel."""

    tag: int
    """The channel's own number: 1, 2, 3 …"""
    message: Message
    redelivered: bool
    died_in: str | None = None
    """The queue that gave it up last, where one did."""


class Channel(Protocol):
    """An open channel. To be used on its line's thread alone."""

    def set_up(self, subscriptions: Sequence[Subscription], done: Callable[[], None]) -> None:
        """Declare the topology that these need; `done` is called when it stands."""

    def confirm(
        self,
        settled: Callable[[int, bool, bool], None],
        returned: Callable[[str], None],
        done: Callable[[], None],
    ) -> None:
        """Have publishing confirmed from now on.

        `settled` is told a number (messages count from 1), whether it stands for all up to it as
        well, and whether the broker took it. `returned` is told the id of a message that nobody is
        bound to, before that message is settled.
        """

    def publish(self, message: Message) -> None:
        """Send a message, durable and mandatory."""

    def consume(
        self,
        queue: str,
        prefetch: int,
        arrived: Callable[[Arrival], None],
        done: Callable[[], None],
    ) -> None:
        """Have up to `prefetch` unacknowledged messages of a queue delivered at a time.

        Called again, it takes the place of the call before.
        """

    def cancel(self) -> None:
        """Have nothing more delivered; what was delivered is still to be settled."""

    def ack(self, tag: int, *, up_to: bool) -> None:
        """Acknowledge a delivery, or all up to it."""

    def release(self, tag: int, *, up_to: bool) -> None:
        """Give a delivery back, or all up to it."""


class LineUser(Protocol):
    """Whoever works over a line. Called on the line's thread."""

    def opened(self, channel: Channel, up: Callable[[], None]) -> None:
        """A channel is open, on a new connection; call `up` when it is ready for work."""

    def lost(self, reason: str) -> None:
        """The connection has gone; another one will be opened."""


class Line(Protocol):
    """A connection that is kept up."""

    @property
    def problem(self) -> str | None:
        """Why it cannot work at the moment, or None."""

    def start(self, user: LineUser) -> None:
        """Connect, and connect again whenever the connection is lost."""

    def wait(self, seconds: float) -> bool:
        """Wait until the first attempt to connect has succeeded or failed; whether it has."""

    def call(self, callback: Callable[[], None]) -> None:
        """Run something on the line's thread; forgotten if the connection has gone by then."""

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """The same after so many seconds; to be used on the line's thread alone."""

    def renew(self, reason: str) -> None:
        """Give this connection up and open another one, for which `wait` waits.

        To be used on the line's thread alone; it calls `lost` before it returns.
        """

    def close(self) -> None:
        """Disconnect for good. Returns when done."""
