"""From one version of the queues to the next, and back to the right arguments: nothing is lost."""

from collections.abc import Callable, Iterator
from itertools import chain
from urllib.parse import urlsplit

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from typer.testing import CliRunner

from services.cli.main import app
from shared.bus import topology, upkeep
from shared.bus.listeners import LISTENERS
from shared.bus.rabbit import RabbitBus
from shared.bus.upkeep import Upkeep
from shared.domain.errors import Conflict, Unavailable
from tests.contract.bus.readers import INTAKE, LEDGER, ROUTER, Reader, Relaying, eventually, message

Buses = Callable[..., RabbitBus]

OLD, NEW = "concentric.router.v1", "concentric.router.v2"


@pytest.fixture
def hand(vhost: str) -> Iterator[Upkeep]:
    with upkeep.upkeep(vhost) as made:
        yield made


def _next_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology, "VERSION", 2)


def test_after_an_upgrade_the_old_queue_is_emptied_into_the_new_one_and_removed(
    rabbit: Buses, hand: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rabbit(listeners=[ROUTER, LEDGER])
    waited = [message(body=b"old") for _ in range(250)]
    before.publish(waited)
    before.close()

    _next_release(monkeypatch)
    bus = rabbit(listeners=[ROUTER, LEDGER])
    bus.publish(meanwhile := [message(body=b"new") for _ in range(50)])
    reader = Reader(bus, ROUTER)
    moved: list[str] = []
    removed = upkeep.retire(hand, [ROUTER, LEDGER], moved.append)
    bus.publish([last := message()])

    reader.wait_for([each.id for each in (*waited, *meanwhile, last)])
    assert removed == [OLD, "concentric.ledger.v1"]
    assert moved.count(OLD) == 300, "what was published after the new queue stood lies in both"
    assert hand.find(OLD) is None
    assert {each.message.key for each in reader.got} == {"case.recorded"}, "keys are kept"
    assert not any(each.redelivered for each in reader.got), "and none counts as a second attempt"


def test_what_is_published_while_the_old_queue_is_emptied_arrives(
    rabbit: Buses, hand: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = rabbit(listeners=[ROUTER])
    old.publish(waited := [message() for _ in range(100)])
    _next_release(monkeypatch)
    reader = Reader(rabbit(listeners=[ROUTER]), ROUTER)

    shares = [[message() for _ in range(100)] for _ in range(10)]
    relays = [Relaying(old, share) for share in shares]
    upkeep.retire(hand, [ROUTER], lambda _: None)

    for relay in relays:
        relay.wait()
    reader.wait_for([each.id for each in (*waited, *chain(*shares))])
    assert hand.find(OLD) is None


def test_a_queue_that_the_old_release_still_reads_is_left_and_who_reads_it_is_told(
    rabbit: Buses, hand: Upkeep, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(rabbit(listeners=[ROUTER]), ROUTER)
    _next_release(monkeypatch)

    with pytest.raises(Conflict, match=r"router\.v1 is read by 1: stop the services of the old"):
        upkeep.retire(hand, [ROUTER], lambda _: None)

    assert hand.find(OLD) is not None
    assert reader.consumer.problem is None


def test_a_queue_with_other_arguments_is_declared_anew_with_what_lies_in_it(
    rabbit: Buses, hand: Upkeep, stranger: BlockingChannel
) -> None:
    stranger.queue_declare(OLD, durable=True)  # a classic queue, by hand
    reader = Reader(bus := rabbit(), ROUTER)
    assert "`concentric queues renew SERVICE`" in (reader.consumer.problem or "")
    stranger.basic_publish("", OLD, b"[1]")
    stranger.basic_publish("", OLD, b"[2]")

    upkeep.renew(hand, ROUTER, lambda _: None)

    eventually(lambda: reader.consumer.problem is None)
    reader.wait_for_count(2)
    bus.publish([sent := message()])
    reader.wait_for([sent.id])
    assert hand.find("concentric.router.aside") is None


def test_renewing_that_was_cut_short_is_brought_to_its_end_by_the_next(
    hand: Upkeep, rabbit: Buses
) -> None:
    bus = rabbit(listeners=[ROUTER])
    bus.publish(sent := [message() for _ in range(20)])
    hand.declare(topology.aside(ROUTER))

    class Cut(Exception):
        pass

    def cut(queue: str) -> None:
        if queue == "concentric.router.aside":
            raise Cut

    with pytest.raises(Cut):
        upkeep.renew(hand, ROUTER, cut)
    upkeep.renew(hand, ROUTER, lambda _: None)

    Reader(bus, ROUTER).wait_for([each.id for each in sent])


def test_a_message_that_names_another_user_stays_and_the_error_says_who_may_move_it(
    vhost: str, stranger: BlockingChannel, rabbit: Buses, monkeypatch: pytest.MonkeyPatch
) -> None:
    rabbit(listeners=[INTAKE]).publish([message("submit-case")])
    _next_release(monkeypatch)
    user = pika.BasicProperties(user_id=urlsplit(vhost).username)
    stranger.basic_publish("", "concentric.intake.v1", b"{}", user)
    monkeypatch.setattr(upkeep, "_sent_on", lambda _: pika.BasicProperties(user_id="crm"))

    with pytest.raises(Unavailable, match="impersonator"), upkeep.upkeep(vhost) as hand:
        upkeep.retire(hand, [INTAKE], lambda _: None)

    with upkeep.upkeep(vhost) as again:
        assert (found := again.find("concentric.intake.v1")) is not None
        eventually(lambda: getattr(again.find("concentric.intake.v1"), "messages", 0) == 2)
    assert found.readers == 0


def test_the_commands_show_and_renew_queues_and_say_what_is_wrong(vhost: str) -> None:
    run = CliRunner().invoke
    renewed = run(app, ["queues", "renew", "router", "--amqp", vhost])
    assert renewed.exit_code == 0, renewed.output
    shown = run(app, ["queues", "list", "--json", "--amqp", vhost])
    assert '{"name": "concentric.router.v1", "messages": 0, "readers": 0}' in shown.output
    assert "concentric.router.v1" in run(app, ["queues", "list", "--amqp", vhost]).output
    retired = run(app, ["queues", "retire", "--amqp", vhost])
    assert retired.output == "No queue of an earlier release.\n"
    unknown = run(app, ["queues", "renew", "nobody", "--amqp", vhost])
    assert (unknown.exit_code, "name one of" in unknown.output) == (2, True)
    away = run(app, ["queues", "list", "--amqp", "amqp://u:secret@127.0.0.1:1/"])
    assert (away.exit_code, "see that it runs there" in away.output) == (2, True)
    assert "secret" not in away.output


def test_every_service_has_a_queue_of_todays_version() -> None:
    names = {queue.name for queue in topology.topology(LISTENERS).queues}
    assert {topology.queue_name(each.service) for each in LISTENERS} <= names
    assert topology.retiring("router") == []
