"""What RabbitMQ and the bus inside one process have in common, in sentences."""

import time
from threading import Thread

import pytest

from shared.bus.protocol import Bus, Message, Subscription
from shared.domain.errors import Unavailable
from shared.domain.ids import new_id
from tests.contract.bus.readers import INTAKE, LEDGER, ROUTER, Reader, Relaying, eventually, message


def test_a_message_reaches_every_service_that_is_bound_to_its_key_and_no_other(bus: Bus) -> None:
    intake, router, ledger = (Reader(bus, each) for each in (INTAKE, ROUTER, LEDGER))
    recorded, closed = message("case.recorded"), message("case.closed")

    bus.publish([recorded, closed])

    ledger.wait_for([recorded.id, closed.id])
    router.wait_for([recorded.id])
    intake.wait_for([closed.id])
    assert (router.ids, intake.ids) == ([recorded.id], [closed.id])


def test_a_command_reaches_the_service_that_carries_it_out_and_not_who_hears_all_events(
    bus: Bus,
) -> None:
    intake, ledger = Reader(bus, INTAKE), Reader(bus, LEDGER)
    command, event = message("submit-case"), message("case.closed")

    bus.publish([command, event])

    intake.wait_for([command.id, event.id])
    ledger.wait_for([event.id])
    assert ledger.ids == [event.id]


def test_a_message_arrives_as_it_was_published(bus: Bus) -> None:
    reader = Reader(bus, INTAKE)
    sent = Message(
        id=new_id(),
        key="submit-case",
        body="停电了".encode(),
        content_type="application/cloudevents+json",
        headers={"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"},
        reply_to="answers",
    )

    bus.publish([sent])

    reader.wait_for([sent.id])
    assert reader.got[0].message == sent
    assert not reader.got[0].redelivered


def test_a_message_published_twice_comes_with_the_same_id_both_times(bus: Bus) -> None:
    reader = Reader(bus, ROUTER)
    again = message()

    bus.publish([again])
    bus.publish([again])

    reader.wait_for_count(2)
    assert reader.ids == [again.id, again.id]


def test_five_thousand_messages_all_arrive_and_each_once_in_quiet_times(bus: Bus) -> None:
    router, ledger = Reader(bus, ROUTER), Reader(bus, LEDGER)
    sent = [message(body=b"x" * 500) for _ in range(5000)]

    for start in range(0, 5000, 1000):
        bus.publish(sent[start : start + 1000])

    ids = [each.id for each in sent]
    for reader in router, ledger:
        reader.wait_for(ids)
        assert sorted(reader.ids) == sorted(ids)


def test_several_threads_publish_at_the_same_time(bus: Bus) -> None:
    reader = Reader(bus, ROUTER)
    shares = [[message() for _ in range(100)] for _ in range(4)]
    threads = [Thread(target=bus.publish, args=[share]) for share in shares]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    reader.wait_for([each.id for share in shares for each in share])


def test_deliveries_are_acknowledged_from_another_thread_and_in_any_order(bus: Bus) -> None:
    reader = Reader(bus, ROUTER, hold=True)
    sent = [message() for _ in range(10)]
    relay = Relaying(bus, sent)
    reader.wait_for_count(10)

    reader.consumer.ack(reader.got[5:])
    reader.consumer.ack(reader.got[1:5])
    reader.consumer.ack(reader.got[:1])

    relay.wait()
    reader.consumer.stop()
    later = Reader(bus, ROUTER)
    last = message()
    bus.publish([last])
    later.wait_for([last.id])
    assert later.ids == [last.id], "what was acknowledged does not come back"


def test_acknowledging_a_later_delivery_does_not_acknowledge_an_earlier_one(bus: Bus) -> None:
    reader = Reader(bus, ROUTER, hold=True)
    first, second = message(), message()
    Relaying(bus, [first])
    Relaying(bus, [second])
    reader.wait_for([first.id, second.id])

    reader.consumer.ack(reader.got[1:])
    reader.consumer.stop()

    later = Reader(bus, ROUTER)
    later.wait_for([reader.ids[0]])
    assert reader.ids[1] not in later.ids


def test_what_is_acknowledged_twice_or_after_the_stop_does_no_harm(bus: Bus) -> None:
    reader = Reader(bus, ROUTER)
    sent = message()
    bus.publish([sent])
    reader.wait_for([sent.id])

    reader.consumer.ack(reader.got)
    reader.consumer.stop()
    reader.consumer.ack(reader.got)
    reader.consumer.release(reader.got)

    later = Reader(bus, ROUTER)
    bus.publish([last := message()])
    later.wait_for([last.id])


def test_what_a_stopped_reader_left_unacknowledged_comes_back(bus: Bus) -> None:
    reader = Reader(bus, ROUTER, hold=True)
    sent = [message() for _ in range(20)]
    relay = Relaying(bus, sent)
    reader.wait_for_count(20)
    reader.consumer.ack(reader.got[:10])

    reader.consumer.stop()

    later = Reader(bus, ROUTER)
    later.wait_for([each.id for each in sent[10:]])
    relay.wait()


def test_what_a_reader_gives_back_is_delivered_again_and_marked(bus: Bus) -> None:
    reader = Reader(bus, ROUTER, hold=True)
    sent = message()
    relay = Relaying(bus, [sent])
    reader.wait_for_count(1)

    reader.consumer.release(reader.got)

    reader.wait_for_count(2)
    first, second = reader.got
    assert first.message == second.message
    assert (first.redelivered, second.redelivered) == (False, True)
    assert second.tag > first.tag
    reader.consumer.ack([second])
    relay.wait()


def test_a_stopped_reader_is_delivered_nothing_more(bus: Bus) -> None:
    reader = Reader(bus, ROUTER)
    reader.consumer.stop()
    sent = message()

    relay = Relaying(bus, [sent])
    time.sleep(0.2)

    assert reader.ids == []
    later = Reader(bus, ROUTER)
    later.wait_for([sent.id])
    relay.wait()


def test_a_reader_that_takes_its_time_holds_up_neither_the_others_nor_loses_anything(
    bus: Bus,
) -> None:
    router, ledger = Reader(bus, ROUTER, hold=True), Reader(bus, LEDGER)
    sent = [message() for _ in range(50)]

    relay = Relaying(bus, sent)

    ledger.wait_for([each.id for each in sent])
    router.wait_for([each.id for each in sent])
    router.consumer.ack(router.got)
    relay.wait()


def test_what_nobody_is_bound_to_is_refused_by_name(bus: Bus) -> None:
    reader = Reader(bus, Subscription("deadline", events=("case.routed",)))

    with pytest.raises(Unavailable, match=r"nobody is bound to rate-reply"):
        bus.publish([message("case.routed"), message("rate-reply")])

    bus.publish([after := message("case.routed")])
    reader.wait_for([after.id])


def test_publishing_nothing_is_done_at_once(bus: Bus) -> None:
    bus.publish([])


def test_a_bus_and_a_reader_that_work_have_no_problem_and_closed_ones_say_so(bus: Bus) -> None:
    reader = Reader(bus, ROUTER)
    bus.publish([message()])
    eventually(lambda: bus.problem is None and reader.consumer.problem is None)

    bus.close()

    assert bus.problem is not None
    assert reader.consumer.problem is not None
    with pytest.raises(Unavailable):
        bus.publish([message()])


def test_closing_the_bus_tells_those_who_wait_in_publish(bus: Bus) -> None:
    reader = Reader(bus, ROUTER, hold=True)
    relay = Relaying(bus, [message()])
    reader.wait_for_count(1)

    bus.close()
    bus.close()

    relay.done.wait(0.2)
    relay.done.set()
    relay.join(5)
    assert not relay.is_alive()
