"""RabbitMQ for the services: with `upkeep.py` the only module that talks to pika.

Publishing and each subscription have a connection of their own: the broker holds up the
connections of publishers when it runs short of memory or disk, and readers are to go on then.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop

from shared.bus.amqp import arrival_of, properties_of, words
from shared.bus.connection import Callbacks, Connection
from shared.bus.consumer import RabbitConsumer, RabbitEars
from shared.bus.line import Arrival
from shared.bus.protocol import Bus, Delivery, Message, Settled, Subscription
from shared.bus.publisher import Publisher
from shared.bus.topology import exchange_of, topology
from shared.domain.errors import ConfigurationError

PREFETCH = 200
"""Messages that a service holds unacknowledged, so that single events come in batches as well."""

TIMEOUT = 30.0
"""Seconds that confirms may be missing, and that a blocked connection is kept."""

HEARTBEAT = 30
"""Seconds, unless the URL says otherwise (`?heartbeat=10`). A peer that has gone silent is noticed
once nothing has come for so long and 5 s more, at the latest after twice that."""


GULP = 64 * 1024
"""Bytes read from the socket at a time: by pika's own 4 KiB, a pack takes ten turns of its loop."""


class RabbitBus(Bus):
    """Services on one or many machines; it implements `Bus`."""

    room = 4 * 1024 * 1024
    """What a service emits in several of its largest transactions: less, and it would read much of
    it from its outbox again, which takes an eighth of its processor time and of PostgreSQL's."""

    gap = 0.25
    """Whoever wants something done shares the machine with those who can wait."""

    def __init__(
        self,
        url: str,
        listeners: Sequence[Subscription] = (),
        *,
        name: str = "concentric",
        prefetch: int = PREFETCH,
        timeout: float = TIMEOUT,
        watch: Callable[[str, bool], None] = lambda _purpose, _up: None,
    ) -> None:
        """Begin to connect.

        The queues of `listeners` are declared before anything is published, so that messages wait
        there for services that have not started yet. `name` is how the broker's pages call the
        connections; `watch` is told when one (`publishing`, `consuming`, `parking`) begins to work,
        and when it ceases to. Raises `ConfigurationError` when the URL cannot be used.
        """
        self._url = url
        self._name = name
        self._prefetch = prefetch
        self._timeout = timeout
        self._watch = watch
        self._consumers: list[RabbitEars] = []
        self._publisher = Publisher(
            self._connection("publishing", "publishing"), listeners, timeout
        )

    def send(self, messages: Sequence[Message], settled: Settled) -> None:
        """See `Bus`: they are safe once RabbitMQ has confirmed every one of them."""
        self._publisher.send(messages, settled)

    def subscribe(
        self, subscription: Subscription, deliver: Callable[[Delivery], None]
    ) -> RabbitEars:
        """Declare the service's queues and deliver from them, on threads of the subscription's own.

        Returns when the queues stand or the first attempt failed; attempts go on.
        """
        name = subscription.service
        lines = (
            self._connection(name, "consuming"),
            self._connection(f"{name} given up", "parking"),
        )
        work, given_up = (
            RabbitConsumer(
                line,
                subscription,
                deliver,
                prefetch=prefetch,
                given_up=line is lines[1],
            )
            for line, prefetch in zip(lines, (self._prefetch, 1), strict=True)
        )
        ears = RabbitEars(work, given_up)
        self._consumers.append(ears)
        for line in lines:
            line.wait(self._timeout)
        return ears

    @property
    def problem(self) -> str | None:
        """Why nothing can be published at the moment, or None."""
        return self._publisher.problem

    def close(self) -> None:
        """Stop every subscription, then let go of the connection for publishing."""
        for consumer in self._consumers:
            consumer.stop()
        self._publisher.close()

    def _connection(self, user: str, purpose: str) -> Connection:
        name = f"{self._name} {user}"
        dialer = _PikaDialer(self._url, self._timeout, name)
        return Connection(dialer, name, partial(self._watch, purpose))


class _PikaDialer:
    """Makes pika's connections; it implements `Dialer`."""

    def __init__(self, url: str, timeout: float, name: str) -> None:
        parameters = parameters_of(url)
        parameters.heartbeat = HEARTBEAT if parameters.heartbeat is None else parameters.heartbeat
        parameters.blocked_connection_timeout = timeout
        parameters.socket_timeout = min(10.0, timeout)
        parameters.stack_timeout = min(15.0, timeout)
        parameters.client_properties = {"connection_name": name}
        self._parameters = parameters
        self.where = f"{parameters.host}:{parameters.port}/{parameters.virtual_host.lstrip('/')}"

    def loop(self) -> Any:
        return IOLoop()

    def dial(self, loop: Any, callbacks: Callbacks) -> Any:
        def opened(connection: Any) -> None:
            blocked, again = callbacks.blocked, lambda *_: callbacks.blocked(None)
            connection.add_on_connection_blocked_callback(
                lambda _, frame: blocked(frame.method.reason)
            )
            connection.add_on_connection_unblocked_callback(again)
            connection.channel(on_open_callback=channel_opened)

        def channel_opened(channel: Any) -> None:
            channel.add_on_close_callback(lambda _, error: callbacks.failed(words(error)))
            channel.add_on_cancel_callback(
                lambda _: callbacks.failed(
                    "it cancelled the consumer; was the queue deleted? It is declared anew"
                )
            )
            callbacks.opened(channel.connection, _PikaChannel(channel))

        def ended(_connection: Any, error: BaseException) -> None:
            callbacks.ended(words(error))

        return _PikaConnection(self._parameters, opened, ended, ended, loop)


class _PikaConnection(pika.SelectConnection):  # type: ignore[misc]  # pika has no types
    """A connection that reads packs at a gulp, and can be ended without a word to the broker."""

    def _proto_connection_made(self, transport: Any) -> None:
        transport._MAX_RECV_BYTES = GULP  # noqa: SLF001 - there is no other way to say it
        super()._proto_connection_made(transport)

    def abort(self) -> None:
        """Close the socket, or cease to connect; `ended` is told as always."""
        self._adapter_disconnect_stream()


class _PikaChannel:
    """A channel of pika's; it implements `Channel`."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._consumer: str | None = None

    def set_up(self, subscriptions: Sequence[Subscription], done: Callable[[], None]) -> None:
        """Declare one thing after the other: pika sends each when the one before was answered."""
        channel, wanted = self._channel, topology(subscriptions)
        calls = [
            *(
                partial(channel.exchange_declare, each.name, each.type, durable=True)
                for each in wanted.exchanges
            ),
            *(
                partial(channel.queue_declare, each.name, durable=True, arguments=each.arguments)
                for each in wanted.queues
            ),
            *(
                partial(channel.queue_bind, each.queue, each.exchange, each.key)
                for each in wanted.bindings
            ),
        ]
        for call in calls[:-1]:
            call(callback=_answered)
        calls[-1](callback=lambda _: done())

    def confirm(
        self,
        settled: Callable[[int, bool, bool], None],
        returned: Callable[[str], None],
        done: Callable[[], None],
    ) -> None:
        def answered(frame: Any) -> None:
            taken = isinstance(frame.method, pika.spec.Basic.Ack)
            settled(frame.method.delivery_tag, frame.method.multiple, taken)

        def came_back(_channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
            returned(properties.message_id)

        self._channel.add_on_return_callback(came_back)
        self._channel.confirm_delivery(answered, lambda _: done())

    def publish(self, message: Message) -> None:
        self._channel.basic_publish(
            exchange_of(message.key),
            message.key,
            message.body,
            pika.BasicProperties(**properties_of(message)),
            mandatory=True,  # else a message that nobody is bound to would be confirmed and lost
        )

    def consume(
        self,
        queue: str,
        prefetch: int,
        arrived: Callable[[Arrival], None],
        done: Callable[[], None],
    ) -> None:
        def on_message(_channel: Any, method: Any, properties: Any, body: bytes) -> None:
            arrived(arrival_of(method, properties, body))

        if self._consumer is not None:
            self._channel.basic_cancel(self._consumer, callback=_answered)
        self._channel.basic_qos(prefetch_count=prefetch, callback=_answered)
        self._consumer = self._channel.basic_consume(queue, on_message, callback=lambda _: done())

    def cancel(self) -> None:
        if self._consumer is not None:
            self._channel.basic_cancel(self._consumer, callback=_answered)
            self._consumer = None

    def ack(self, tag: int, *, up_to: bool) -> None:
        self._channel.basic_ack(tag, multiple=up_to)

    def release(self, tag: int, *, up_to: bool) -> None:
        self._channel.basic_nack(tag, multiple=up_to, requeue=True)


def parameters_of(url: str) -> pika.URLParameters:
    """How to connect; raises `ConfigurationError` for a URL that cannot be used."""
    if url.startswith(("amqp://", "amqps://")):
        with suppress(ValueError, TypeError, LookupError):
            return pika.URLParameters(url)
    # The URL holds a password, and pika's message may hold the URL: neither is repeated.
    raise ConfigurationError(
        "The URL of RabbitMQ cannot be used: "
        "write it as amqp://user:password@host:5672/virtual-host"
    )


def _answered(_frame: object) -> None:
    """Asked for so that the broker answers: the next call waits for it."""
