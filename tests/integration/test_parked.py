"""What lies aside is tried again or given up, once, and the journal tells of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest
import sqlalchemy as sa

from services.router.service import ROUTER
from services.router.store import HANDLINGS
from shared.bus.codec import Envelope, decode, encode
from shared.bus.protocol import Delivery, Message
from shared.domain.commands import AcceptCase
from shared.domain.events import (
    CaseRecorded,
    CaseRouted,
    CommandRefused,
    Event,
    MessageDiscarded,
    MessageReplayed,
)
from shared.domain.ids import new_id
from shared.domain.message_events import Outcome
from shared.runtime import host
from shared.runtime.handling import Context
from shared.runtime.http import application
from shared.runtime.service import Service
from shared.runtime.work import Resolution
from shared.storage.tx import Tx
from tests.support.house import SmallPolicy, Unchanging
from tests.support.machine import Machine, machine, recorded, storage_of
from tests.support.serving import served

WHO = {"by": "ops-1", "reason": "the bug is mended"}


@dataclass
class Faulty:
    """A router with a bug, which is mended when a test says so."""

    bad: set[str] = field(default_factory=set)
    """Cases at which its handler fails."""
    broken: bool = False
    """Whether what it writes is refused by the database."""

    def route(self, event: CaseRecorded, tx: Tx, ctx: Context) -> Sequence[Event]:
        events = ROUTER.handlers[CaseRecorded](event, tx, ctx)
        if event.case_id in self.bad:
            raise ZeroDivisionError("a bug")
        if self.broken:
            tx.connection.execute(sa.text("select nothing from nowhere"))
        return events

    @property
    def service(self) -> Service:
        return replace(ROUTER, handlers={**ROUTER.handlers, CaseRecorded: self.route})


@dataclass
class Place:
    """The faulty router, running, with a client of its HTTP side."""

    faulty: Faulty
    machine: Machine
    http: httpx.Client

    @property
    def parked(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = self.http.get("/parked/router").json()["parked"]
        return found

    def act(self, act: str, **body: object) -> list[tuple[str, str]]:
        answer = self.http.post(f"/parked/router/{act}", json={**WHO, **body})
        assert answer.status_code == 200, answer.text
        return [(one["id"], one["outcome"]) for one in answer.json()["resolved"]]

    def hand_in(self, delivery: Delivery) -> None:
        """As the bus would."""
        self.machine.host._worker.put(delivery)

    def routed(self) -> list[str]:
        return [event.case_id for event in self.machine.of(CaseRouted)]


@contextmanager
def running(folder: Path, url: str | None = None, faulty: Faulty | None = None) -> Iterator[Place]:
    faulty = faulty or Faulty()
    storage = storage_of(ROUTER, folder, url)
    with machine(faulty.service, storage, Unchanging(SmallPolicy()), folder) as router:
        app = application([router.host], router.host.metrics)
        with served(app) as address, httpx.Client(base_url=address, trust_env=False) as client:
            yield Place(faulty, router, client)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running(tmp_path) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    on_server = request.param == "postgresql"
    url = request.getfixturevalue("database") if on_server else None
    with running(tmp_path, url) as made:
        yield made


def until(true: Callable[[], object]) -> None:
    end = monotonic() + 15
    while not true():
        assert monotonic() < end, "it did not come about"
        sleep(0.02)


def park(place: Place, *names: str) -> list[str]:
    """Have the events about these cases parked; their parkings' ids."""
    cases = [recorded(name) for name in names]
    place.faulty.bad |= {case.case_id for case in cases}
    place.machine.send(*cases)
    until(lambda: len(place.parked) == len(names))
    return [f"{line['id']}" for line in place.parked]


def test_a_replayed_event_has_its_effect_and_lies_aside_no_longer(either: Place) -> None:
    [parked] = park(either, "a")
    either.faulty.bad.clear()

    assert either.act("replay", ids=[parked]) == [(parked, "handled")]

    assert either.routed() == [recorded("a").case_id]
    assert either.parked == []
    [told] = either.machine.of(MessageReplayed)
    assert isinstance(told, MessageReplayed)
    assert (told.service, told.case_id) == ("router", recorded("a").case_id)
    assert (told.by, told.reason, told.outcome) == (*WHO.values(), Outcome.HANDLED)
    assert (told.message_type, told.attempts) == ("case.recorded", 4)


def test_a_second_replay_finds_nothing(place: Place) -> None:
    [parked] = park(place, "a")
    place.faulty.bad.clear()
    place.act("replay", ids=[parked])

    assert place.act("replay", ids=[parked]) == [(parked, "gone")]

    assert len(place.routed()) == 1
    assert len(place.machine.of(MessageReplayed)) == 1


def test_what_fails_again_takes_the_old_ones_place_with_all_tries_counted(either: Place) -> None:
    first, second = park(either, "a", "b")
    before = either.parked

    assert either.act("replay", all=True) == [(first, "parked"), (second, "parked")]

    after = either.parked
    assert [line["attempts"] for line in after] == [6, 6]
    assert [line["id"] for line in after] == [first, second]
    assert [line["parked_at"] for line in after] == [line["parked_at"] for line in before]
    outcomes = {(each.outcome, each.attempts) for each in either.machine.of(MessageReplayed)}  # type: ignore[attr-defined]
    assert outcomes == {(Outcome.PARKED, 6)}
    assert either.routed() == []


def test_what_the_database_refuses_again_is_not_lost_either(either: Place) -> None:
    either.faulty.broken = True
    either.machine.send(recorded("a"))
    until(lambda: either.parked)
    [line] = either.parked
    assert line["case_id"] is None, "the whole message lies aside"

    assert either.act("replay", ids=[line["id"]]) == [(line["id"], "parked")]
    assert [(one["id"], one["attempts"]) for one in either.parked] == [(line["id"], 6)]
    either.faulty.broken = False
    assert either.act("replay", ids=[line["id"]]) == [(line["id"], "handled")]

    assert either.parked == []
    assert either.routed() == [recorded("a").case_id]


def test_of_a_pack_only_what_fails_again_lies_aside(place: Place) -> None:
    place.faulty.broken = True
    cases = [recorded(name) for name in ("a", "b", "c", "d")]
    place.machine.send(*cases)
    until(lambda: place.parked)
    [whole] = place.parked
    place.faulty.broken, place.faulty.bad = False, {cases[1].case_id, cases[3].case_id}

    assert place.act("replay", ids=[whole["id"]]) == [(whole["id"], "parked")]

    assert sorted(place.routed()) == sorted((cases[0].case_id, cases[2].case_id))
    assert {line["case_id"] for line in place.parked} == place.faulty.bad
    assert place.parked[0]["id"] == whole["id"]


def test_two_operators_at_once_have_one_effect(either: Place) -> None:
    [parked] = park(either, "a")
    either.faulty.bad.clear()
    found: list[str] = []

    def replay() -> None:
        found.extend(outcome for _, outcome in either.act("replay", ids=[parked]))

    threads = [threading.Thread(target=replay) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == ["gone"] * 4 + ["handled"]
    assert len(either.routed()) == 1


def test_two_replicas_at_once_have_one_effect(database: str, tmp_path: Path) -> None:
    with running(tmp_path, database) as one, running(tmp_path, database) as other:
        ids = park(one, *(f"{number}" for number in range(10)))
        one.faulty.bad.clear()
        found: list[str] = []
        threads = [
            threading.Thread(
                target=lambda p=place: found.extend(o for _, o in p.act("replay", ids=ids))
            )
            for place in (one, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == ["gone"] * 10 + ["handled"] * 10
        assert len(one.routed()) + len(other.routed()) == 10
        assert one.parked == []


def test_a_replay_ends_as_the_ordinary_way_does_also_in_a_refusal(place: Place) -> None:
    command = AcceptCase(case_id=recorded("a").case_id, unit="north-station")

    def buggy(*_: object) -> Sequence[Event]:
        raise ZeroDivisionError

    commands = place.machine.host.service.commands
    ordinary = commands[AcceptCase]
    commands[AcceptCase] = buggy  # type: ignore[index]
    try:
        place.machine.send(command)
        until(lambda: place.parked)
    finally:
        commands[AcceptCase] = ordinary  # type: ignore[index]
    [line] = place.parked

    assert place.act("replay", ids=[line["id"]]) == [(line["id"], "refused")]

    [refused] = place.machine.of(CommandRefused)
    assert refused.case_id == command.case_id


def test_what_is_discarded_has_no_effect_and_is_told(either: Place) -> None:
    first, second = park(either, "a", "b")
    either.faulty.bad.clear()

    assert either.act("discard", ids=[first]) == [(first, "discarded")]

    assert [line["id"] for line in either.parked] == [second]
    assert either.act("replay", ids=[first]) == [(first, "gone")]
    assert either.routed() == []
    [told] = either.machine.of(MessageDiscarded)
    assert isinstance(told, MessageDiscarded)
    assert (told.by, told.reason) == tuple(WHO.values())
    assert (told.service, told.message_type) == ("router", "case.recorded")


def test_a_discarded_pack_is_told_of_every_case_in_it(either: Place) -> None:
    either.faulty.broken = True
    cases = [recorded(name) for name in ("a", "b")]
    either.machine.send(*cases)
    until(lambda: either.parked)

    either.act("discard", all=True)

    told = {event.case_id for event in either.machine.of(MessageDiscarded)}
    assert told == {case.case_id for case in cases}


def test_what_a_broken_message_says_of_itself_stays_out_of_the_journal(place: Place) -> None:
    body = b'[{"specversion": "1.0", "id": "1", "source": "/s", "type": "concentric.Zhang San.v1"}]'
    place.machine.send_raw("case.recorded", body)
    until(lambda: place.parked)
    assert place.parked[0]["type"] == "Zhang San"

    place.act("discard", all=True)

    [told] = place.machine.of(MessageDiscarded)
    assert "Zhang" not in told.to_json()


def test_a_list_is_narrowed_and_paged(either: Place) -> None:
    ids = park(either, "a", "b", "c")
    ask = either.http.get
    assert ask("/parked").json() == {"router": 3}
    page = ask("/parked/router", params={"limit": 2}).json()
    assert ([one["id"] for one in page["parked"]], page["total"]) == (ids[:2], 3)
    rest = ask("/parked/router", params={"limit": 2, "after": page["next"]}).json()
    assert ([one["id"] for one in rest["parked"]], rest["next"]) == (ids[2:], None)
    case = recorded("b").case_id
    [only] = ask("/parked/router", params={"case_id": case}).json()["parked"]
    assert only["case_id"] == case
    assert ask("/parked/router", params={"type": "case.closed"}).json()["total"] == 0
    assert either.act("discard", all=True, case_id=case) == [(only["id"], "discarded")]
    assert len(either.parked) == 2


def test_a_message_is_shown_with_where_it_failed_and_what_it_says(place: Place) -> None:
    [parked] = park(place, "a")
    shown = place.http.get(f"/parked/router/{parked}").json()
    assert "in route" in shown["trace"]
    assert shown["reason"] == "ZeroDivisionError: a bug"
    message = Message(shown["message_id"], shown["key"], shown["body"].encode())
    [envelope] = decode(message)
    assert isinstance(envelope.data, CaseRecorded)  # type: ignore[union-attr]


def test_bytes_that_are_no_text_are_shown_all_the_same(place: Place) -> None:
    place.machine.send_raw("case.recorded", b"\xff\xfe")
    until(lambda: place.parked)
    shown = place.http.get(f"/parked/router/{place.parked[0]['id']}").json()
    assert (shown["encoding"], shown["body"]) == ("base64", "//4=")


def test_what_cannot_be_done_is_refused_in_words(place: Place) -> None:
    asked: list[tuple[str, str, object, int]] = [
        ("GET", "/parked/nobody", None, 404),
        ("GET", "/parked/router/unknown", None, 404),
        ("GET", "/parked/router/%00", None, 404),
        ("GET", "/parked/router?limit=0", None, 422),
        ("POST", "/parked/router/replay", {"by": "ops-1", "ids": ["x"]}, 422),
        ("POST", "/parked/router/replay", {**WHO}, 422),
        ("POST", "/parked/router/discard", {**WHO, "ids": ["x"], "all": True}, 422),
        ("POST", "/parked/router/replay", {**WHO, "ids": ["x"] * 101}, 422),
    ]
    for method, path, body, status in asked:
        answer = place.http.request(method, path, json=body)
        assert answer.status_code == status, path
        assert answer.json()["detail"]


def test_the_gauge_rises_and_falls_with_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "REFRESH", 0.05)
    with running(tmp_path) as place:
        check_gauge(place)


def check_gauge(place: Place) -> None:
    def gauge() -> float | None:
        registry = place.machine.host.metrics.registry
        return registry.get_sample_value("concentric_parked_messages", {"service": "router"})

    park(place, "a", "b")
    until(lambda: gauge() == 2)
    place.act("discard", all=True)
    until(lambda: gauge() == 0)


def test_a_replay_called_off_before_its_turn_has_no_effect(place: Place) -> None:
    [parked] = park(place, "a")
    place.faulty.bad.clear()
    order = Resolution(parked, "replay", WHO["by"], WHO["reason"])
    assert order.answer.cancel()
    place.machine.host.put(order)
    place.machine.send(recorded("later"), message_id=new_id())
    assert place.routed() == [recorded("later").case_id]
    assert [line["id"] for line in place.parked] == [parked]
    with place.machine.host.read() as connection:
        keys = connection.scalars(sa.select(HANDLINGS.table.c.key)).all()
    assert recorded("a").case_id not in keys


def test_what_the_broker_gave_up_on_lies_aside_unread_until_somebody_replays_it(
    place: Place,
) -> None:
    case = recorded("a")
    message = Message(new_id(), "case.recorded", _pack(case))
    for _ in range(2):
        place.hand_in(Delivery(message, 1, redelivered=True, given_up=True))
    until(lambda: place.parked)
    [line] = place.parked
    assert (line["attempts"], line["type"]) == (20, "case.recorded")
    assert place.routed() == []

    assert place.act("replay", ids=[line["id"]]) == [(line["id"], "handled")]

    assert place.routed() == [case.case_id]


def test_what_had_its_effect_before_the_broker_gave_it_up_does_not_lie_aside(
    place: Place,
) -> None:
    case, id_ = recorded("a"), new_id()
    place.machine.send(case, message_id=id_)
    assert place.routed() == [case.case_id]

    message = Message(id_, "case.recorded", _pack(case))
    place.hand_in(Delivery(message, 1, redelivered=True, given_up=True))
    place.machine.send(recorded("later"))

    assert place.routed() == [case.case_id, recorded("later").case_id]
    assert place.parked == []


def _pack(case: CaseRecorded) -> bytes:
    return encode(
        [
            Envelope(
                id=new_id(),
                type=case.type,
                source="/tests",
                subject=case.case_id,
                time=case.case.recorded_at,
                data=case,
            )
        ]
    )
