"""A line and a channel without a broker behind them: the test plays the broker's part."""

from collections.abc import Callable, Sequence

from shared.bus.line import Arrival, Channel, LineUser
from shared.bus.protocol import Message, Subscription


class FakeChannel:
    """Notes what is asked of it; implements `Channel`."""

    def __init__(self) -> None:
        self.declared: list[Subscription] = []
        self.published: list[Message] = []
        self.settled: Callable[[int, bool, bool], None]
        self.returned: Callable[[str], None]
        self.arrived: Callable[[Arrival], None]
        self.prefetches: list[int] = []
        self.told: list[tuple[str, int, bool]] = []
        self.cancelled = 0

    def set_up(self, subscriptions: Sequence[Subscription], done: Callable[[], None]) -> None:
        self.declared += subscriptions
        done()

    def confirm(
        self,
        settled: Callable[[int, bool, bool], None],
        returned: Callable[[str], None],
        done: Callable[[], None],
    ) -> None:
        self.settled, self.returned = settled, returned
        done()

    def publish(self, message: Message) -> None:
        self.published.append(message)

    def consume(
        self,
        queue: str,
        prefetch: int,
        arrived: Callable[[Arrival], None],
        done: Callable[[], None],
    ) -> None:
        assert queue.startswith("concentric.")
        self.prefetches.append(prefetch)
        self.arrived = arrived
        done()

    def cancel(self) -> None:
        self.cancelled += 1

    def ack(self, tag: int, *, up_to: bool) -> None:
        self.told.append(("ack", tag, up_to))

    def release(self, tag: int, *, up_to: bool) -> None:
        self.told.append(("release", tag, up_to))


class FakeLine:
    """A connection that stands at once, on the caller's thread; implements `Line`."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self.tried = True
        self.renewed: list[str] = []
        self.looks: list[Callable[[], None]] = []
        """What was to happen later."""
        self.user: LineUser
        self.channel = FakeChannel()

    def start(self, user: LineUser) -> None:
        self.user = user
        self.open()

    def open(self) -> FakeChannel:
        """Connect, or connect again."""
        self.channel = FakeChannel()
        self.looks = []
        channel: Channel = self.channel

        def up() -> None:
            self.problem, self.tried = None, True

        self.user.opened(channel, up)
        return self.channel

    def lose(self, reason: str) -> None:
        """Lose the connection."""
        self.problem = reason
        self.user.lost(reason)

    def wait(self, seconds: float) -> bool:  # noqa: ARG002 - as `Line` has it
        """Whether it has been tried."""
        return self.tried

    def call(self, callback: Callable[[], None]) -> None:
        callback()

    def later(self, seconds: float, callback: Callable[[], None]) -> None:  # noqa: ARG002 - likewise
        self.looks.append(callback)

    def pass_time(self) -> None:
        """All that was to happen later happens."""
        looks, self.looks = self.looks, []
        for look in looks:
            look()

    def renew(self, reason: str) -> None:
        self.renewed.append(reason)
        self.lose(reason)
        self.open()

    def close(self) -> None:
        self.lose("closed")
