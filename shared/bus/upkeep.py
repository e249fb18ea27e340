"""Looking after the queues in RabbitMQ: what is there, and moving what lies in one to another.

It waits for each answer, on the thread of whoever calls it: for commands of an operator, not for
services. Nothing is ever taken out of a queue before it is confirmed in the next one; what is cut
short can leave a message in both, which its reader recognises by its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep
from typing import Any

import pika
import pika.exceptions

from shared.bus.amqp import words
from shared.bus.protocol import Subscription
from shared.bus.rabbit import parameters_of
from shared.bus.topology import (
    Topology,
    aside,
    bound,
    given_up_name,
    queue_name,
    retiring,
    topology,
)
from shared.domain.errors import Conflict, Unavailable
from shared.domain.ids import new_id

PATIENCE = 30.0
"""Seconds that the broker may leave us without an answer."""

QUIET = 1.0
"""Seconds without a message after which another look is taken at what waits."""

PREFETCH = 100

LOOKS, AGAIN = 3, 0.2
"""How often a queue has to be found empty before it is deleted, and seconds between the looks."""

Moved = Callable[[str], None]
"""Told the name of the queue from which a message was moved."""


@dataclass(frozen=True, slots=True)
class Found:
    """A queue that exists."""

    name: str
    messages: int
    """Those that wait; those that a reader holds do not count."""
    readers: int


class Upkeep:
    """Works on queues over a connection of its own."""

    def __init__(self, connection: pika.BlockingConnection) -> None:
        self._connection = connection

    def find(self, queue: str) -> Found | None:
        """A queue as it is now, or None where there is none."""
        try:
            with self._channel() as channel:
                found = channel.queue_declare(queue, passive=True).method
        except pika.exceptions.ChannelClosedByBroker as closed:
            if closed.reply_code == 404:
                return None
            raise
        return Found(queue, found.message_count, found.consumer_count)

    def declare(self, wanted: Topology) -> None:
        """Declare exchanges, queues and bindings."""
        with self._channel() as channel:
            for exchange in wanted.exchanges:
                channel.exchange_declare(exchange.name, exchange.type, durable=True)
            for queue in wanted.queues:
                channel.queue_declare(queue.name, durable=True, arguments=queue.arguments)
            for binding in wanted.bindings:
                channel.queue_bind(binding.queue, binding.exchange, binding.key)

    def unbind(self, wanted: Topology) -> None:
        """Let queues get nothing more by these bindings."""
        with self._channel() as channel:
            for binding in wanted.bindings:
                channel.queue_unbind(binding.queue, binding.exchange, binding.key)

    def empty(self, source: str, target: str, moved: Moved) -> None:
        """Move all messages of a queue into another, and remove the first.

        What is published from now on must reach the second queue by itself. Raises `Conflict` where
        somebody reads the first.
        """
        looks = 0
        while (found := self.find(source)) is not None:
            if found.readers:
                raise Conflict.of(
                    "queue",
                    "in-use",
                    f"{source} is read by {found.readers}: stop the services of the old release"
                    " that read it, then give the command again",
                )
            if found.messages:
                self._move(source, target, found.messages, moved)
                looks = 0
                continue
            if (looks := looks + 1) < LOOKS:
                sleep(AGAIN)  # what a reader that has just gone gives back may still be on its way
                continue
            # Quorum queues cannot be deleted on the condition that they are empty: should one get
            # something at this very moment, then the queue that takes its place gets it as well.
            with self._channel() as channel:
                channel.queue_delete(source)

    def _move(self, source: str, target: str, count: int, moved: Moved) -> None:
        """A fanout of our own carries the messages: their routing keys stay what they are."""
        carrier = f"concentric.carrier.{new_id()}"
        with self._channel() as channel:
            channel.exchange_declare(carrier, "fanout", auto_delete=True)
            channel.queue_bind(target, carrier)
            channel.confirm_delivery()
            channel.basic_qos(prefetch_count=PREFETCH)
            coming = channel.consume(source, inactivity_timeout=QUIET)
            for _, (method, properties, body) in zip(range(count), coming, strict=False):
                if method is None:
                    break
                key = method.routing_key
                channel.basic_publish(carrier, key, body, _sent_on(properties), mandatory=True)
                channel.basic_ack(method.delivery_tag)
                moved(source)
            channel.cancel()
            channel.queue_unbind(target, carrier)  # with its last binding the carrier goes

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        """A channel for one purpose: the broker closes it when it refuses something."""
        channel = self._connection.channel()
        try:
            yield channel
        finally:
            if channel.is_open:
                channel.close()


def look(upkeep: Upkeep, subscriptions: Sequence[Subscription]) -> list[Found]:
    """The queues of the services that there are, those of earlier releases included."""
    names = [
        name
        for each in subscriptions
        for name in (
            *retiring(each.service),
            queue_name(each.service),
            given_up_name(each.service),
            _aside(each),
        )
    ]
    names += [queue.name for queue in topology().queues]
    return [found for name in names if (found := upkeep.find(name)) is not None]


def retire(upkeep: Upkeep, subscriptions: Sequence[Subscription], moved: Moved) -> list[str]:
    """Move what lies in the queues of earlier releases into today's, and remove them.

    Returns the names of those that were removed. Today's queues are declared and bound first, so
    that nothing that is published meanwhile is lost.
    """
    upkeep.declare(topology(subscriptions))
    removed = []
    for each in subscriptions:
        for old in retiring(each.service):
            if upkeep.find(old) is not None:
                upkeep.unbind(bound(each, old))
                upkeep.empty(old, queue_name(each.service), moved)
                removed.append(old)
    return removed


def renew(upkeep: Upkeep, subscription: Subscription, moved: Moved) -> None:
    """Declare a service's queue anew, with what lies in it: for one whose arguments are others.

    Meanwhile another queue gets all that the service's gets, and then gives it back. Whatever ends
    it half-way, giving the command again brings it to its end.
    """
    name, other = queue_name(subscription.service), aside(subscription)
    upkeep.declare(topology())
    upkeep.declare(other)
    upkeep.empty(name, _aside(subscription), moved)
    upkeep.declare(topology([subscription]))
    upkeep.unbind(other)
    upkeep.empty(_aside(subscription), name, moved)


@contextmanager
def upkeep(url: str) -> Iterator[Upkeep]:
    """Connected to the broker of the URL; raises `Unavailable` where it is away or refuses."""
    parameters = parameters_of(url)
    parameters.blocked_connection_timeout = PATIENCE
    parameters.client_properties = {"connection_name": "concentric queues"}
    where = f"RabbitMQ at {parameters.host}:{parameters.port}"
    try:
        connection = pika.BlockingConnection(parameters)
        try:
            yield Upkeep(connection)
        finally:
            if connection.is_open:
                connection.close()
    except (pika.exceptions.AMQPError, OSError) as error:
        raise Unavailable(f"{where}: {words(error)}") from error


def _aside(subscription: Subscription) -> str:
    [queue] = aside(subscription).queues
    return queue.name


def _sent_on(properties: Any) -> Any:
    """As it was, without the broker's own count of deliveries, which begins anew."""
    headers = dict(properties.headers or {})
    headers.pop("x-delivery-count", None)
    properties.headers = headers or None
    return properties
