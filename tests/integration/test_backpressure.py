"""A bus that takes nothing, a slow database, a full disk: work is turned away whole, in time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import httpx
import pika
import psycopg
import pytest
import sqlalchemy as sa

from services.intake.service import INTAKE
from services.intake.store import RECORDS
from services.router.service import ROUTER
from services.router.store import HANDLINGS
from shared.bus.codec import Envelope, encode
from shared.bus.listeners import LISTENERS
from shared.bus.protocol import CLOUDEVENTS_BATCH
from shared.bus.rabbit import RabbitBus
from shared.bus.topology import EVENTS_EXCHANGE
from shared.domain.events import CaseRecorded
from shared.domain.ids import case_id, new_id
from shared.observe.metrics import Metrics
from shared.runtime import gateway, host, relay
from shared.runtime.host import Host
from shared.runtime.http import application
from shared.runtime.service import Service
from shared.settings import Settings
from shared.storage.collection import Collection
from tests.contract.bus.readers import Reader
from tests.support.house import SmallPolicy, Unchanging
from tests.support.machine import machine, recorded, storage_of
from tests.support.proxy import Proxy
from tests.support.servers import Server
from tests.support.servers.server import libpq, management
from tests.support.serving import served


def until(true: Callable[[], object]) -> None:
    end = monotonic() + 20
    while not true():
        assert monotonic() < end, "it did not come about"
        sleep(0.05)


@dataclass
class Place:
    """A running service and a client of its HTTP side."""

    host: Host
    http: httpx.Client

    def submit(self, name: str) -> httpx.Response:
        body = {"source": "t", "external_id": name, "channel": "hotline", "subject": "No light"}
        return self.http.post("/commands/submit-case", json=body)

    def books(self, collection: Collection[Any] = RECORDS) -> set[str]:
        with self.host.read() as connection:
            return set(connection.scalars(collection.table.select()))

    def figure(self, name: str, **labels: str) -> float | None:
        return self.host.metrics.registry.get_sample_value(name, labels)


@contextmanager
def on_rabbit(
    service: Service,
    folder: Path,
    amqp: str,
    url: str | None = None,
    *,
    speaks: bool = True,
    **settings: int,
) -> Iterator[Place]:
    """A service on RabbitMQ; one that does not speak has only just begun to listen."""
    given = Settings.read({}, data=folder, drain=5.0, **settings)
    bus = RabbitBus(amqp, LISTENERS, timeout=3)
    running = Host(
        service, storage_of(service, folder, url), bus, Unchanging(SmallPolicy()), Metrics(), given
    )
    running.listen()
    if speaks:
        running.speak()
    try:
        with reached(running) as place:
            yield place
    finally:
        if not speaks:
            running.speak()  # whatever ends has begun
        running.stop()
        bus.close()


@contextmanager
def reached(running: Host) -> Iterator[Place]:
    app = application([running], running.metrics)
    with served(app) as address, httpx.Client(base_url=address, trust_env=False) as client:
        yield Place(running, client)


def all_gone(place: Place) -> Callable[[], bool]:
    return lambda: place.host.storage.counts().outbox == 0


@pytest.mark.parametrize(
    ("on", "trouble"),
    [("sqlite", "away"), ("postgresql", "away"), ("sqlite", "black hole")],
)
def test_intake_goes_on_without_a_broker_up_to_its_bound_and_by_itself_when_it_is_back(
    on: str, trouble: str, vhost: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("database") if on == "postgresql" else None
    with Proxy(vhost) as proxy, on_rabbit(INTAKE, tmp_path, proxy.url, url, outbox_rows=5) as place:
        if trouble == "away":
            proxy.down()
        else:
            proxy.swallow()
        taken = [name for name in map(str, range(12)) if place.submit(name).status_code == 201]
        assert taken == ["0", "1", "2", "3", "4"]

        turned_away = place.submit("5")
        assert turned_away.status_code == 503
        assert turned_away.headers["Retry-After"] == "5"
        told = turned_away.json()
        assert told["problems"][0]["code"] == "overloaded"
        assert "5 messages" in told["detail"]
        assert place.books() == {case_id("t", name) for name in taken}
        assert place.host.storage.counts().outbox == 5
        assert place.figure("concentric_outbox_full", service="intake") == 1
        assert place.figure("concentric_turned_away_total", reason="overloaded") == 8
        assert any("outbox" in problem for problem in place.host.problems)
        assert place.http.get("/healthz").status_code == 200
        assert place.http.get(f"/cases/{case_id('t', '0')}/record").status_code == 200, (
            "reading goes on"
        )

        if trouble == "away":
            proxy.mend()
        else:
            proxy.mend()
            proxy.cut()
        until(lambda: place.submit("5").status_code == 201)
        until(all_gone(place))
        assert place.figure("concentric_outbox_full", service="intake") == 0


def test_a_restarted_service_knows_that_its_outbox_is_full(vhost: str, tmp_path: Path) -> None:
    with Proxy(vhost) as proxy:
        proxy.down()
        with on_rabbit(INTAKE, tmp_path, proxy.url, outbox_rows=1) as place:
            assert place.submit("1").status_code == 201
        with on_rabbit(INTAKE, tmp_path, proxy.url, speaks=False, outbox_rows=1) as place:
            assert any("1 messages" in problem for problem in place.host.problems)
            assert place.submit("2").status_code == 503


def test_a_service_that_cannot_publish_stops_taking_messages_on(
    rabbitmq: Server, vhost: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger's queue is full; the router's own has no bound and keeps what waits."""
    monkeypatch.setattr(host, "REFRESH", 0.1)
    monkeypatch.setattr(relay, "LONGEST_PAUSE", 0.2)
    with management(rabbitmq) as api, on_rabbit(ROUTER, tmp_path, vhost, outbox_rows=4) as place:
        name = urlsplit(vhost).path.removeprefix("/")
        policy = f"/api/policies/{name}/full"
        full = {
            "pattern": "concentric.ledger.v1",
            "definition": {"max-length": 20},
            "apply-to": "queues",
        }
        # a limit that is set while a queue is being declared would pass RabbitMQ's queue by
        _reach(vhost, "concentric.ledger.v1")
        api.put(policy, json=full).raise_for_status()
        sleep(1)  # policies are applied a moment later
        cases = [recorded(f"{number}") for number in range(600)]
        _publish(vhost, cases)
        until(lambda: place.host._backlog.full)
        sleep(0.5)
        held = len(place.books(HANDLINGS))
        assert held < len(cases)
        sleep(0.5)
        assert len(place.books(HANDLINGS)) == held, "nothing more is taken on"
        ledger = RabbitBus(vhost, timeout=5)
        Reader(ledger, next(each for each in LISTENERS if each.service == "ledger"))
        until(lambda: len(place.books(HANDLINGS)) == len(cases))
        until(all_gone(place))
        ledger.close()


def _reach(vhost: str, queue: str) -> None:
    """Returns when a queue has taken a message, which says nothing."""
    with pika.BlockingConnection(pika.URLParameters(vhost)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()

        def taken() -> bool:
            try:
                channel.basic_publish("", queue, b"[]", mandatory=True)
            except pika.exceptions.UnroutableError:
                return False  # it has not been declared yet
            return True

        until(taken)


def _publish(vhost: str, cases: Sequence[CaseRecorded]) -> None:
    """Without confirms, since the ledger's queue refuses them."""
    with pika.BlockingConnection(pika.URLParameters(vhost)) as connection:
        channel = connection.channel()
        for case in cases:
            envelope = Envelope(
                id=new_id(),
                type=case.type,
                source="/tests",
                subject=case.case_id,
                time=case.case.recorded_at,
                data=case,
            )
            properties = pika.BasicProperties(
                content_type=CLOUDEVENTS_BATCH, message_id=new_id(), delivery_mode=2
            )
            channel.basic_publish(EVENTS_EXCHANGE, case.type, encode([envelope]), properties)
        connection.sleep(1)  # what was not confirmed may be lost with the channel


def test_a_slow_database_is_waited_for_no_longer_than_is_said(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "PATIENCE", 0.5)
    storage = storage_of(INTAKE, tmp_path, database)
    with (
        machine(INTAKE, storage, Unchanging(SmallPolicy()), tmp_path) as running,
        reached(running.host) as place,
    ):
        with psycopg.connect(libpq(database)) as other:
            other.execute("lock table intake.records in access exclusive mode")
            answers: dict[str, httpx.Response] = {}
            began = monotonic()
            names = [f"{number}" for number in range(4)]
            threads = [
                threading.Thread(target=lambda n=name: answers.update({n: place.submit(n)}))
                for name in names
            ]
            for thread in threads:
                thread.start()
                sleep(0.05)
            for thread in threads:
                thread.join()
            assert monotonic() - began < 4
            assert {answer.status_code for answer in answers.values()} == {503}
            assert {answer.headers["Retry-After"] for answer in answers.values()} == {"1"}
            other.rollback()
        called_off = {n for n in names if "it took no effect" in answers[n].json()["detail"]}
        assert called_off == set(names[1:]), "those behind the one that is being written"
        until(lambda: place.books() == {case_id("t", "0")})
        again = {name: place.submit(name).status_code for name in names}
        assert again == {"0": 200, "1": 201, "2": 201, "3": 201}, "each once"


def test_a_full_disk_turns_work_away_whole_until_there_is_room_on_sqlite(tmp_path: Path) -> None:
    storage = storage_of(INTAKE, tmp_path)
    with (
        machine(INTAKE, storage, Unchanging(SmallPolicy()), tmp_path) as running,
        reached(running.host) as place,
    ):
        assert place.submit("before").status_code == 201

        # the bound is one of a connection, and after a failure there is a new one
        pages = 1
        sa.event.listen(
            storage._writer,
            "connect",
            lambda driver, _: driver.execute(f"pragma max_page_count = {pages}").close(),
        )
        with storage.transaction(running.host.context().now) as tx:
            tx.connection.exec_driver_sql(f"pragma max_page_count = {pages}")
        names = [f"{number}" for number in range(40)]
        taken = {name for name in names if place.submit(name).status_code == 201}
        assert len(taken) < len(names)
        full = place.submit("full")
        assert full.status_code == 503
        assert full.headers["Retry-After"] == "1"
        assert "full" in full.json()["detail"]
        assert place.books() == {case_id("t", name) for name in (*taken, "before")}
        pages = 1_000_000
        until(lambda: place.submit("full").status_code in {200, 201})
        assert case_id("t", "full") in place.books()


def test_a_full_disk_turns_work_away_whole_until_there_is_room_on_postgresql(
    database: str, tmp_path: Path
) -> None:
    """The server says what it says when its disk is full, once everything else is written."""
    storage = storage_of(INTAKE, tmp_path, database)
    with (
        machine(INTAKE, storage, Unchanging(SmallPolicy()), tmp_path) as running,
        reached(running.host) as place,
        psycopg.connect(libpq(database), autocommit=True) as server,
    ):
        assert place.submit("before").status_code == 201
        server.execute(
            "create function full_disk() returns trigger language plpgsql as $$ begin"
            " raise exception 'could not extend file: No space left on device'"
            " using errcode = 'disk_full'; end $$"
        )
        server.execute(
            "create constraint trigger full_disk after insert on intake.outbox"
            " initially deferred for each row execute function full_disk()"
        )
        turned_away = place.submit("full")
        assert turned_away.status_code == 503
        assert "No space left" in turned_away.json()["detail"]
        assert turned_away.headers["Retry-After"] == "1"
        assert place.books() == {case_id("t", "before")}
        server.execute("drop trigger full_disk on intake.outbox")
        until(lambda: place.submit("full").status_code in {200, 201})
        assert place.books() == {case_id("t", name) for name in ("before", "full")}
