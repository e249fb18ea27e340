"""Consuming: deliveries to a reader, acknowledgements back from any thread."""

import logging
from collections.abc import Callable, Sequence
from functools import partial

from shared.bus.line import Arrival, Channel, Line
from shared.bus.protocol import Delivery, Subscription
from shared.bus.topology import given_up_name, queue_name

_GENERATION = 2**40
"""Tags count from one multiple of this to the next, one for each connection."""

_log = logging.getLogger(__name__)


class Unsettled:
    """The deliveries of one channel that were neither acknowledged nor given back."""

    def __init__(self) -> None:
        self._open: dict[int, None] = {}
        """Their tags, which rise."""

    def add(self, tag: int) -> None:
        """Put a delivery on the books."""
        self._open[tag] = None

    def settle(self, tags: Sequence[int]) -> tuple[int | None, list[int]]:
        """Take tags off the books; how to tell the broker in as few words as possible.

        The first is the tag up to which all can be settled at once, because nothing before it
        stays open; the second those to be settled one by one. Tags not on the books are left out.
        """
        settled = {tag for tag in tags if tag in self._open}
        up_to = None
        for tag in self._open:
            if tag not in settled:
                break
            up_to = tag
        for tag in settled:
            del self._open[tag]
        single = sorted(tag for tag in settled if up_to is None or tag > up_to)
        return up_to, single


class RabbitConsumer:
    """A running subscription; it implements `Consumer`.

    The reader is called on the line's thread: it only puts aside what it is given. There is never
    more of that than the prefetch, so that nobody has to be held back.
    """

    def __init__(
        self,
        line: Line,
        subscription: Subscription,
        deliver: Callable[[Delivery], None],
        *,
        prefetch: int,
        given_up: bool = False,
    ) -> None:
        """`given_up` reads what the broker gave up on, instead of what it is to deliver."""
        self._line = line
        self._subscription = subscription
        self._deliver = deliver
        self._prefetch = prefetch
        self._given_up = given_up
        self._own = queue_name(subscription.service)
        self._queue = given_up_name(subscription.service) if given_up else self._own
        self._held = False
        self._appetite = 1
        """How many unacknowledged messages are wanted at a time."""
        self._listening = 0
        """How many were asked for; 0 where nothing is delivered."""
        self._generation = 0
        self._channel: Channel | None = None
        self._unsettled = Unsettled()
        self._stopped = False
        line.start(self)

    @property
    def problem(self) -> str | None:
        """Why nothing can be delivered at the moment, or None."""
        return "stopped" if self._stopped else self._line.problem

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Late ones, of a connection that has gone, are left out: they are delivered again."""
        self._line.call(partial(self._settle, deliveries, taken=True))

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Give deliveries back to the queue."""
        self._line.call(partial(self._settle, deliveries, taken=False))

    def hold(self, held: bool) -> None:
        """Have nothing new delivered, or have it delivered again."""
        self._held = held
        self._line.call(self._follow)

    def stop(self) -> None:
        """Disconnect, which gives back what is unacknowledged; acknowledgements go out before."""
        self._stopped = True
        self._line.close()

    def opened(self, channel: Channel, up: Callable[[], None]) -> None:
        """Declare the queue and listen to it.

        What comes a second time is fetched one by one, and lies at the queue's head. It may be what
        broke us the last time, and the broker counts a delivery for all that a broken connection
        leaves unacknowledged: the neighbours would be parked with it.
        """
        self._generation += 1
        self._unsettled = Unsettled()
        self._appetite, self._listening = 1, 0

        def declared() -> None:
            self._channel = channel
            if self._held:
                up()
            else:
                self._follow(up)

        channel.set_up([self._subscription], declared)

    def lost(self, reason: str) -> None:
        """What was delivered will be delivered again, under new tags."""
        self._channel = None
        _log.info("%s hears nothing: %s", self._subscription.service, reason)

    def _arrive(self, arrival: Arrival) -> None:
        tag = self._generation * _GENERATION + arrival.tag
        self._unsettled.add(tag)
        if self._appetite > 1 or not arrival.redelivered:
            self._appetite = self._prefetch
            self._follow()
        delivery = Delivery(
            arrival.message, tag, arrival.redelivered or self._given_up, given_up=self._given_up
        )
        if self._given_up and arrival.died_in != self._own:
            self._settle([delivery], taken=True)  # another service keeps it
        elif not self._stopped:
            self._deliver(delivery)

    def _follow(self, up: Callable[[], None] = lambda: None) -> None:
        """Listen, or stop listening, as it is wanted now."""
        channel, wanted = self._channel, 0 if self._held else self._appetite
        if channel is None or wanted == self._listening:
            return
        self._listening = wanted
        if wanted:
            channel.consume(self._queue, wanted, self._arrive, up)
        else:
            channel.cancel()

    def _settle(self, deliveries: Sequence[Delivery], *, taken: bool) -> None:
        channel = self._channel
        if channel is None:
            return
        up_to, single = self._unsettled.settle([each.tag for each in deliveries])
        tell = channel.ack if taken else channel.release
        if up_to is not None:
            tell(up_to % _GENERATION, up_to=True)
        for tag in single:
            tell(tag % _GENERATION, up_to=False)


class RabbitEars:
    """All that a service hears: its work, and what was given up; it implements `Consumer`."""

    def __init__(self, work: RabbitConsumer, given_up: RabbitConsumer) -> None:
        self._work = work
        self._given_up = given_up

    @property
    def problem(self) -> str | None:
        """Why nothing can be delivered at the moment, or None."""
        return self._work.problem or self._given_up.problem

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """To whichever delivered them; what was given up comes alone."""
        self._of(deliveries).ack(deliveries)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """To whichever delivered them."""
        self._of(deliveries).release(deliveries)

    def hold(self, held: bool) -> None:
        """What was given up is heard all the same: nothing is sent because of it."""
        self._work.hold(held)

    def stop(self) -> None:
        """Stop both."""
        self._work.stop()
        self._given_up.stop()

    def _of(self, deliveries: Sequence[Delivery]) -> RabbitConsumer:
        return self._given_up if deliveries and deliveries[0].given_up else self._work
