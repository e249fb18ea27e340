"""What a broker and the way to it can do to a house at work: all drains, and the books balance."""

from __future__ import annotations

import random
import sqlite3
import sys
from collections.abc import Iterator
from time import sleep

import httpx
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from shared.bus.topology import COMMANDS_EXCHANGE, EVENTS_EXCHANGE, queue_name
from tests.faults.broker_deadly import one_case_kills_the_router
from tests.faults.broker_house import BrokerHouse, broker_house, until
from tests.support.processes import Process, environment

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerHouse]:
    """One house for all of these tests, which leave it in good order."""
    with broker_house(tmp_path_factory.mktemp("house")) as made:
        yield made


def test_connections_that_break_in_the_middle_of_confirms(house: BrokerHouse) -> None:
    before = house.metric("intake", "concentric_connection_losses_total")
    with house.load(200):
        for _ in range(6):
            sleep(0.2)
            house.wire.cut()
    house.check()
    assert house.metric("intake", "concentric_connection_losses_total") > before
    assert house.metric("intake", "concentric_connection_up") == 3


def test_a_broker_that_is_killed_and_started_again(house: BrokerHouse) -> None:
    with house.load(200):
        sleep(0.3)
        house.broker.kill()
        until(lambda: "intake" in house.problems(), "intake did not notice")
        assert "see that it runs there and that AMQP_URL is right" in house.problems()["intake"]
        house.broker.start()
    house.check()


def test_a_broker_short_of_memory_takes_nothing_and_the_house_goes_on_recording(
    house: BrokerHouse,
) -> None:
    house.broker.control("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        house.submit(60)
        until(lambda: "intake" in house.problems(), "the alarm did not show in /readyz")
        assert "takes no messages: low on memory; make room" in house.problems()["intake"]
        assert httpx.get(f"{house.running['intake'].url}/books").json()["intake"]["outbox"] > 0
    finally:
        house.broker.control("set_vm_memory_high_watermark", "0.6")
    house.check()


def test_a_full_queue_refuses_and_what_it_refused_waits_in_the_outbox(house: BrokerHouse) -> None:
    ledger = queue_name("ledger")
    full = {"max-length": 3, "overflow": "reject-publish"}
    with house.stopped("ledger"), house.policy(ledger, **full):
        with house.load(100):
            until(lambda: house.waiting().get(ledger, 0) >= 3, "the queue never became full")
        until(lambda: house.said("intake", "is its queue full?"), "nobody said so")
        assert house.waiting()[ledger] < 20, "a few more than the limit may be under way"
    house.check()


def test_ten_copies_of_every_message_in_any_order(house: BrokerHouse) -> None:
    with house.stopped("deadline", "ledger"):
        house.submit(100)
        until(lambda: house.metric("router", "concentric_outbox_rows") == 0, "still publishing")
        with house.stranger() as channel:
            for name in ("deadline", "ledger"):
                _ten_times_in_any_order(channel, queue_name(name))
    house.check()
    assert house.metric("ledger", "concentric_duplicates_total") > 100


def test_messages_that_nobody_can_read_lie_aside_and_take_nobody_along(house: BrokerHouse) -> None:
    poison = [b"", b"\xff\xfe", b"{", b"[[[[", b'[{"specversion": "1.0"}]', b"0" * 1_000_000]
    with house.load(60), house.stranger() as channel:
        for body in poison:
            channel.basic_publish(EVENTS_EXCHANGE, "case.recorded", body, mandatory=True)
            channel.basic_publish(COMMANDS_EXCHANGE, "reply-to-case", body, mandatory=True)
    code, findings = house.audit()
    assert code == 1
    assert "parked" in str(findings)
    for service, count in (("router", 2 * len(poison)), ("ledger", len(poison))):
        with sqlite3.connect(house.folder / f"{service}.sqlite") as books:
            assert books.execute("SELECT count(*) FROM parked").fetchone() == (count,)
            books.execute("DELETE FROM parked")
        books.close()
    house.check()


def test_the_process_that_one_message_kills_again_and_again_does_all_the_others(
    house: BrokerHouse,
) -> None:
    one_case_kills_the_router(house, limit=2)


def test_two_replicas_race_over_the_queues_and_one_of_them_is_killed(house: BrokerHouse) -> None:
    common = environment(house.folder, None) | {"AMQP_URL": house.wire.url}
    second = {
        name: Process(
            [sys.executable, "-m", f"services.{name}"], common, house.folder / f"{name}-2.log"
        )
        for name in ("router", "ledger")
    }
    try:
        for process in second.values():
            process.launch()
        for process in second.values():
            process.wait_ready()
        readers = {each.name: each.readers for each in house.queues()}
        assert (readers[queue_name("router")], readers[queue_name("ledger")]) == (2, 2)
        with house.load(300):
            sleep(0.5)
            second["router"].kill()
            sleep(0.5)
            second["ledger"].kill()
        house.check()
    finally:
        for process in second.values():
            process.kill()


def _ten_times_in_any_order(channel: BlockingChannel, queue: str) -> None:
    """Take all messages of a queue out and put each back ten times, shuffled, keys kept."""
    taken = []
    for method, properties, body in channel.consume(queue, inactivity_timeout=1):
        if method is None:
            break
        taken.append((method, properties, body))
    copies = taken * 10
    random.Random(7).shuffle(copies)
    channel.exchange_declare("tests.shuffle", "fanout", auto_delete=True)
    channel.queue_bind(queue, "tests.shuffle")
    for method, properties, body in copies:
        channel.basic_publish("tests.shuffle", method.routing_key, body, properties)
    for method, _, _ in taken:
        channel.basic_ack(method.delivery_tag)
    channel.cancel()
    channel.queue_unbind(queue, "tests.shuffle")
