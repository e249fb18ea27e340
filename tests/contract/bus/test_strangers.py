"""What others send over the broker: as little as possible, too much, or what nobody can read."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import struct_time
from urllib.parse import urlsplit

import pika
from pika.adapters.blocking_connection import BlockingChannel

from shared.bus.protocol import Message
from shared.bus.rabbit import RabbitBus
from shared.bus.topology import COMMANDS_EXCHANGE, PARKED
from tests.contract.bus.readers import INTAKE, Reader, eventually, message

Buses = Callable[..., RabbitBus]


def test_what_a_stranger_sends_with_as_little_as_possible_arrives(
    rabbit: Buses, stranger: BlockingChannel
) -> None:
    reader = Reader(rabbit(), INTAKE)

    for _ in range(2):
        stranger.basic_publish(COMMANDS_EXCHANGE, "submit-case", b"{}")
    stranger.basic_publish(COMMANDS_EXCHANGE, "submit-case", b"{ }")

    reader.wait_for_count(3)
    first, second, third = (delivery.message for delivery in reader.got)
    assert first == second, "the same body has the same id"
    assert third.id != first.id
    assert first == Message(first.id, "submit-case", b"{}", content_type="")


def test_what_a_stranger_notes_on_a_message_is_kept_but_cannot_pass_for_the_brokers_word(
    rabbit: Buses, stranger: BlockingChannel, vhost: str
) -> None:
    reader = Reader(rabbit(), INTAKE)
    user = urlsplit(vhost).username
    headers = {"ce-id": "7", "count": 7, "nested": {"a": 1}, "user-id": "admin", "x-death": "never"}
    properties = {"headers": headers, "content_type": "application/json", "message_id": "7"}

    for login in None, user:
        stranger.basic_publish(
            COMMANDS_EXCHANGE,
            "submit-case",
            b"{}",
            pika.BasicProperties(**properties, user_id=login, content_encoding="gzip"),
        )

    reader.wait_for_count(2)
    anonymous, known = (delivery.message for delivery in reader.got)
    kept = {"ce-id": "7", "count": "7", "content-encoding": "gzip"}
    assert anonymous.headers == kept
    assert known.headers == kept | {"user-id": user}
    assert anonymous.id != "7", "another sender may count from 1 as well"


class _Never(datetime):
    """A moment that the wire can carry and Python cannot: milliseconds taken for seconds do so."""

    def utctimetuple(self) -> struct_time:
        return struct_time((9999, 1, 1, 10**9, 0, 0, 0, 0, 0))


def test_a_message_that_pika_cannot_read_is_parked_and_takes_none_of_its_neighbours_along(
    rabbit: Buses, stranger: BlockingChannel
) -> None:
    bus = rabbit(listeners=[INTAKE])
    sent = [message("submit-case") for _ in range(60)]
    bus.publish(sent[:30])
    poison = pika.BasicProperties(headers={"at": _Never(9999, 1, 1, tzinfo=UTC)}, delivery_mode=2)
    stranger.basic_publish(COMMANDS_EXCHANGE, "submit-case", b"poison", poison)
    bus.publish(sent[30:])

    reader = Reader(bus, INTAKE)

    reader.wait_for([each.id for each in sent])
    eventually(lambda: stranger.queue_declare(PARKED, passive=True).method.message_count == 1)
    eventually(lambda: reader.consumer.problem is None)


def test_names_that_are_not_unicode_are_carried_as_well_as_can_be(
    rabbit: Buses, stranger: BlockingChannel
) -> None:
    reader = Reader(rabbit(), INTAKE)
    odd = pika.BasicProperties(headers={b"\xff": b"\xfe"}, message_id=b"\xff", reply_to=b"\xff")

    stranger.basic_publish(COMMANDS_EXCHANGE, "submit-case", b"\xff", odd)

    reader.wait_for_count(1)
    assert reader.got[0].message.reply_to == "\N{REPLACEMENT CHARACTER}"
