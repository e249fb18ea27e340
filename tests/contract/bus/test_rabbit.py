"""What only a broker can do to us: go away, come back, cancel, refuse, give up on a message."""

import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from pika.adapters.blocking_connection import BlockingChannel

from shared.bus.rabbit import RabbitBus
from shared.bus.topology import DELIVERIES, PARKED
from shared.domain.errors import ConfigurationError, Unavailable
from tests.contract.bus.readers import INTAKE, LEDGER, ROUTER, Reader, Relaying, eventually, message
from tests.support.proxy import Proxy
from tests.support.servers import Server
from tests.support.servers.server import management

Buses = Callable[..., RabbitBus]


@pytest.fixture
def proxy(vhost: str) -> Iterator[Proxy]:
    with Proxy(vhost) as made:
        yield made


def test_what_was_published_outlives_its_sender_until_a_reader_comes(rabbit: Buses) -> None:
    sender = rabbit(listeners=[ROUTER])
    sent = [message() for _ in range(100)]
    sender.publish(sent)
    sender.close()

    reader = Reader(rabbit(), ROUTER)

    reader.wait_for([each.id for each in sent])
    assert not any(delivery.redelivered for delivery in reader.got)


def test_what_waits_for_a_service_that_never_started_is_there_when_it_does(rabbit: Buses) -> None:
    bus = rabbit(listeners=[ROUTER, LEDGER])
    Reader(bus, LEDGER)
    sent = message()

    bus.publish([sent])

    Reader(bus, ROUTER).wait_for([sent.id])


def test_every_service_may_declare_the_same_and_replicas_share_the_work(rabbit: Buses) -> None:
    first, second = (rabbit(listeners=[INTAKE, ROUTER], prefetch=1) for _ in range(2))
    readers = [Reader(bus, ROUTER, hold=True) for bus in (first, second)]
    sent = [message(), message()]

    first.publish(sent)

    for reader in readers:
        reader.wait_for_count(1)
    assert sorted(readers[0].ids + readers[1].ids) == sorted(each.id for each in sent)


def test_no_more_than_the_prefetch_is_delivered_before_it_is_acknowledged(rabbit: Buses) -> None:
    bus = rabbit(listeners=[ROUTER], prefetch=3)
    reader = Reader(bus, ROUTER, hold=True)
    bus.publish([message() for _ in range(6)])
    reader.wait_for_count(4)
    time.sleep(0.2)
    assert len(reader.got) == 4, "three, and the one with which it felt its way"

    reader.consumer.ack(reader.got)

    reader.wait_for_count(6)


def test_nothing_is_lost_while_connections_break_again_and_again(
    rabbit: Buses, proxy: Proxy
) -> None:
    bus = rabbit(proxy.url, listeners=[ROUTER])
    reader = Reader(bus, ROUTER)
    sent = [[message(body=b"x" * 2000) for _ in range(200)] for _ in range(10)]

    for number, share in enumerate(sent):
        relay = Relaying(bus, share)
        if number % 3 == 0:
            time.sleep(0.005)
            proxy.cut()
        relay.wait()

    reader.wait_for([each.id for share in sent for each in share])
    eventually(lambda: bus.problem is None and reader.consumer.problem is None)


def test_what_was_unacknowledged_when_the_connection_broke_comes_back_and_late_words_are_ignored(
    rabbit: Buses, proxy: Proxy
) -> None:
    bus = rabbit(proxy.url, listeners=[ROUTER])
    reader = Reader(bus, ROUTER, hold=True)
    sent = [message() for _ in range(3)]
    bus.publish(sent)
    reader.wait_for_count(3)
    late = list(reader.got)

    proxy.cut()
    reader.wait_for_count(4)
    reader.consumer.ack(late)

    again = reader.got[3]
    assert again.redelivered
    assert again.tag > max(each.tag for each in late)
    reader.consumer.stop()
    Reader(bus, ROUTER).wait_for([each.id for each in sent])


def test_a_broker_that_is_away_is_a_problem_in_words_until_it_is_back(
    rabbit: Buses, proxy: Proxy
) -> None:
    bus = rabbit(proxy.url, listeners=[ROUTER])
    reader = Reader(bus, ROUTER)
    bus.publish([message()])

    proxy.down()
    eventually(lambda: bus.problem is not None and reader.consumer.problem is not None)
    with pytest.raises(Unavailable, match=f"RabbitMQ at 127.0.0.1:{proxy.port}"):
        bus.publish([message()])
    proxy.mend()

    relay = Relaying(bus, [sent := message()])
    reader.wait_for([sent.id])
    relay.wait()
    eventually(lambda: bus.problem is None and reader.consumer.problem is None)


def test_a_service_starts_before_its_broker(rabbit: Buses, proxy: Proxy) -> None:
    proxy.down()
    bus = rabbit(proxy.url, listeners=[ROUTER])
    reader = Reader(bus, ROUTER)
    assert "refused" in (reader.consumer.problem or "")

    proxy.mend()

    relay = Relaying(bus, [sent := message()])
    reader.wait_for([sent.id])
    relay.wait()


def test_a_deleted_queue_is_a_problem_and_then_declared_anew(
    rabbit: Buses, stranger: BlockingChannel, caplog: pytest.LogCaptureFixture
) -> None:
    bus = rabbit(listeners=[ROUTER])
    reader = Reader(bus, ROUTER)

    stranger.queue_delete("concentric.router.v1")

    eventually(lambda: "was the queue deleted?" in caplog.text)
    eventually(lambda: reader.consumer.problem is None)
    bus.publish([sent := message()])
    reader.wait_for([sent.id])


def test_a_queue_with_other_arguments_is_a_problem_until_it_is_gone(
    rabbit: Buses, stranger: BlockingChannel
) -> None:
    stranger.queue_declare("concentric.router.v1", durable=True)

    reader = Reader(rabbit(), ROUTER)

    assert "PRECONDITION_FAILED" in (reader.consumer.problem or "")
    stranger.queue_delete("concentric.router.v1")
    eventually(lambda: reader.consumer.problem is None)


def test_one_message_that_nobody_is_bound_to_does_not_keep_the_others(rabbit: Buses) -> None:
    bus = rabbit(listeners=[ROUTER])
    reader = Reader(bus, ROUTER)
    before, lost, after = message(), message("case.closed"), message()

    with pytest.raises(Unavailable, match=r"nobody is bound to case\.closed"):
        bus.publish([before, lost, after])

    reader.wait_for([before.id, after.id])


def test_a_queue_that_was_full_takes_messages_again_once_there_is_room(
    rabbit: Buses, rabbitmq: Server, vhost: str
) -> None:
    bus = rabbit(listeners=[ROUTER])
    path = f"/api/policies/{urlsplit(vhost).path.removeprefix('/')}/full"
    limit = {"pattern": "router", "definition": {"max-length": 3, "overflow": "reject-publish"}}
    # a limit that is set while a queue is being declared would pass RabbitMQ's queue by
    bus.publish(sent := [message()])

    def refused() -> bool:
        sent.append(message())
        try:
            bus.publish(sent[-1:])
        except Unavailable as full:
            return "is its queue full?" in str(full)
        return False  # the limit takes a moment to come into force

    with management(rabbitmq) as api:
        api.put(path, json=limit).raise_for_status()
        eventually(refused)
        relay = Relaying(bus, sent[-1:])
        eventually(lambda: bool(relay.refusals))
        api.delete(path).raise_for_status()

    relay.wait()
    Reader(bus, ROUTER).wait_for([each.id for each in sent])


def test_a_peer_that_goes_silent_is_noticed_and_left(rabbit: Buses, proxy: Proxy) -> None:
    bus = rabbit(f"{proxy.url}?heartbeat=1", listeners=[ROUTER], timeout=3)
    reader = Reader(bus, ROUTER)
    bus.publish([message()])

    proxy.swallow()
    relay = Relaying(bus, [sent := message()])
    eventually(lambda: "silent" in f"{bus.problem} {reader.consumer.problem}")
    assert relay.refusals
    proxy.mend()

    relay.wait()
    reader.wait_for([sent.id])


def test_a_message_given_back_too_often_comes_to_its_reader_as_given_up(
    rabbit: Buses, stranger: BlockingChannel
) -> None:
    bus = rabbit(listeners=[ROUTER, LEDGER])
    reader, other = Reader(bus, ROUTER, hold=True), Reader(bus, LEDGER)
    bus.publish([sent := message(body=b"poison")])
    other.wait_for_count(1)

    _give_back_too_often(reader)

    last = reader.got[-1]
    assert (last.message, last.given_up) == (sent, True)
    assert not any(each.given_up for each in reader.got[:-1])
    reader.consumer.ack([last])
    for queue in ("concentric.router.parked.v1", "concentric.ledger.parked.v1", PARKED):
        eventually(lambda name=queue: _waiting(stranger, name) == 0)  # type: ignore[misc]
    assert len(other.got) == 1, "what died in another service's queue is that one's"


def test_what_was_given_up_while_its_reader_was_away_is_there_when_it_is_back(
    rabbit: Buses, stranger: BlockingChannel
) -> None:
    bus = rabbit(listeners=[ROUTER])
    reader = Reader(bus, ROUTER, hold=True)
    bus.publish([sent := message(body=b"poison")])
    _give_back_too_often(reader)
    reader.consumer.stop()
    eventually(lambda: _waiting(stranger, "concentric.router.parked.v1") == 1)

    again = Reader(rabbit(), ROUTER)

    again.wait_for([sent.id])
    assert again.got[0].given_up


def test_a_reader_that_is_held_gets_nothing_new_and_all_that_waited_afterwards(
    rabbit: Buses, proxy: Proxy
) -> None:
    bus = rabbit(proxy.url, listeners=[ROUTER])
    reader = Reader(bus, ROUTER)
    bus.publish([first := message()])
    reader.wait_for([first.id])

    reader.consumer.hold(True)
    sent = [message() for _ in range(20)]
    relay = Relaying(bus, sent)
    relay.wait()
    proxy.cut()  # a new connection does not listen either
    eventually(lambda: bus.problem is None and reader.consumer.problem is None)
    time.sleep(0.3)
    assert reader.ids == [first.id]
    reader.consumer.hold(False)

    reader.wait_for([each.id for each in sent])


def _give_back_too_often(reader: Reader) -> None:
    for count in range(1, DELIVERIES + 2):
        reader.wait_for_count(count)
        reader.consumer.release(reader.got[-1:])
    reader.wait_for_count(DELIVERIES + 2)


def _waiting(stranger: BlockingChannel, queue: str) -> int:
    number: int = stranger.queue_declare(queue, passive=True).method.message_count
    return number


@pytest.mark.parametrize("wrong", ["password", "virtual host"])
def test_a_refused_login_says_what_was_refused_and_never_the_password(
    rabbit: Buses, vhost: str, wrong: str
) -> None:
    parts = urlsplit(vhost)
    if wrong == "password":
        login = f"{parts.username}:secret-but-wrong@{parts.hostname}:{parts.port}"
        url = parts._replace(netloc=login).geturl()
    else:
        url = parts._replace(path="/nowhere").geturl()

    bus = rabbit(url)

    with pytest.raises(Unavailable, match=wrong) as refused:
        bus.publish([message()])
    assert "secret" not in str(refused.value)
    assert (parts.password or "") not in str(refused.value)


@pytest.mark.parametrize("url", ["amqp://u:secret@host:port/", "http://u:secret@host/", "secret"])
def test_a_url_that_cannot_be_used_is_an_error_of_configuration(url: str) -> None:
    with pytest.raises(ConfigurationError, match="amqp://user:password@host") as wrong:
        RabbitBus(url)
    assert "secret" not in str(wrong.value)
