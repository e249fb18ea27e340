"""Names and arguments of what the services need in RabbitMQ: pure, so that all declare the same.

Events go through a topic exchange, commands through a direct one. Each service has one quorum
queue for its work and one for what the broker gives up on, which it keeps among its own parked
messages. What cannot even be read from there goes to the parking queue, for people. The arguments
are those that RabbitMQ 3.10 and 4 both take; changed ones would be refused for a queue that exists,
hence the versions in the names. A release that changes the arguments of the services' queues counts
up `VERSION`: it declares queues of its own beside those of the release before, which `retiring`
names.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shared.bus.protocol import Subscription
from shared.domain.commands import COMMANDS

EVENTS_EXCHANGE = "concentric.events.v1"
COMMANDS_EXCHANGE = "concentric.commands.v1"
PARKED = "concentric.parked.v1"
"""The exchange of what was delivered too often without being acknowledged, and the queue of what
no service could fetch from there either."""

VERSION = 1
"""Of the arguments of the services' queues."""

DELIVERIES = 20
"""How often a message is delivered without being acknowledged before the broker gives it up."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue and its arguments."""

    name: str
    arguments: dict[str, str | int] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Binding:
    """A queue gets the messages of an exchange that have this routing key."""

    exchange: str
    queue: str
    key: str


@dataclass(frozen=True, slots=True)
class Topology:
    """What has to exist before anything is published or consumed."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]


def topology(subscriptions: Sequence[Subscription] = ()) -> Topology:
    """The exchanges, the parking queue, and two bound queues for each subscription."""
    return Topology(
        exchanges=(
            Exchange(EVENTS_EXCHANGE, "topic"),
            Exchange(COMMANDS_EXCHANGE, "direct"),
            Exchange(PARKED, "fanout"),
        ),
        queues=(
            _PARKING,
            *map(_queue, subscriptions),
            *map(_given_up, subscriptions),
        ),
        bindings=(
            *(Binding(PARKED, given_up_name(each.service), "") for each in subscriptions),
            *(
                binding
                for each in subscriptions
                for binding in _bindings(each, queue_name(each.service))
            ),
        ),
    )


def queue_name(service: str, version: int | None = None) -> str:
    """The queue of a service, or the one of an earlier version; all its replicas share it."""
    return f"concentric.{service}.v{version or VERSION}"


def retiring(service: str) -> list[str]:
    """The queues that a service had in earlier releases, the oldest first."""
    return [queue_name(service, version) for version in range(1, VERSION)]


def aside(subscription: Subscription) -> Topology:
    """A queue that takes a service's messages while its own is declared anew.

    It takes as many as the disk does, and gives up on none.
    """
    name = f"concentric.{subscription.service}.aside"
    return replace(bound(subscription, name), queues=(Queue(name, _PARKING.arguments),))


def bound(subscription: Subscription, queue: str) -> Topology:
    """The bindings alone by which a queue gets what the subscription names."""
    return Topology((), (), tuple(_bindings(subscription, queue)))


def given_up_name(service: str) -> str:
    """The queue from which a service fetches what the broker gave up on.

    A dead letter keeps its routing key, which tells what it is and not where it died. So each
    service gets each of them, and lets go of those of others: there should be few.
    """
    return f"concentric.{service}.parked.v1"


def exchange_of(key: str) -> str:
    """The exchange for messages with this routing key."""
    return COMMANDS_EXCHANGE if key in COMMANDS else EVENTS_EXCHANGE


def matches(subscription: Subscription, key: str) -> bool:
    """Whether a message with this routing key reaches the subscription."""
    if key in COMMANDS:
        return key in subscription.commands
    return "#" in subscription.events or key in subscription.events


_PARKING = Queue(
    PARKED,
    # RabbitMQ 4 would drop a message after being read 20 times by whoever looks through the queue.
    {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000},
)


def _queue(subscription: Subscription) -> Queue:
    return Queue(
        queue_name(subscription.service),
        {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERIES,
            "x-dead-letter-exchange": PARKED,
            # At least once wants `reject-publish`: a full queue refuses instead of dropping.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )


def _given_up(subscription: Subscription) -> Queue:
    return Queue(
        given_up_name(subscription.service),
        {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERIES,
            "x-dead-letter-exchange": "",  # the default one, in which every queue has its name
            "x-dead-letter-routing-key": PARKED,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )


def _bindings(subscription: Subscription, queue: str) -> list[Binding]:
    return [
        *(Binding(EVENTS_EXCHANGE, queue, key) for key in subscription.events),
        *(Binding(COMMANDS_EXCHANGE, queue, key) for key in subscription.commands),
    ]
