"""Messages take effect once, and none is lost on its way out."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from shared.storage import storage as storage_module
from shared.storage.messaging import Counts, OutboxRow, Parked
from shared.storage.parking import Wanted, listed
from shared.storage.storage import Storage
from tests.contract.storage.workshop import TOOLS, Tool, at_once

SECOND = timedelta(seconds=1)


def message(id_: str) -> OutboxRow:
    return OutboxRow(id_, "case.routed", b'[{"id":"\xc3\xa4"}]\x00', "application/json")


def parked(id_: str, at: datetime) -> Parked:
    return Parked(
        id=id_,
        message_id="m",
        key="case.routed",
        type="case.routed",
        case_id=None,
        reason="the unit 'smithy' is unknown",
        trace="",
        attempts=5,
        content_type="application/json",
        headers={"traceparent": "00-1-2-01"},
        body=b"\x00\xff",
        parked_at=at,
        reply_to="refusals",
    )


def test_a_message_is_claimed_once(storage: Storage, now: datetime) -> None:
    with storage.transaction(now) as tx:
        assert tx.claim(["a", "b"]) == {"a", "b"}
        assert tx.claim(["b", "c", "c"]) == {"c"}
    with storage.transaction(now) as tx:
        assert tx.claim(["a", "c", "d"]) == {"d"}
        assert tx.claim([]) == set()


def test_what_was_claimed_in_vain_can_be_claimed_again(storage: Storage, now: datetime) -> None:
    def fail() -> None:
        with storage.transaction(now) as tx:
            tx.claim(["a"])
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with storage.transaction(now) as tx:
        assert tx.claim(["a"]) == {"a"}


def test_replicas_that_get_the_same_messages_claim_each_once(
    storage: Storage, replica: Storage, now: datetime
) -> None:
    claimed: list[str] = []

    together = threading.Barrier(2)

    def claim(mine: Storage, packs: list[list[str]]) -> None:
        for pack in packs:
            together.wait(10)
            with mine.transaction(now) as tx:
                new = tx.claim(pack)
                for id_ in new:
                    tx.put(TOOLS, Tool(id=id_))
            claimed.extend(new)

    packs = [[f"{pack}.{number}" for number in range(200)] for pack in range(10)]
    backwards = [list(reversed(pack)) for pack in packs]
    at_once(partial(claim, storage, packs), partial(claim, replica, backwards))
    assert sorted(claimed) == sorted(id_ for pack in packs for id_ in pack)


def test_the_outbox_gives_back_what_was_sent_the_oldest_first(
    storage: Storage, now: datetime
) -> None:
    first = OutboxRow("1", "case.routed", b"\x00", "text/plain", {"a": "ö"}, reply_to="refusals")
    for seconds, row in enumerate([message("2"), first, message("3")]):
        with storage.transaction(now + seconds * SECOND) as tx:
            tx.send([row])
    assert storage.outbox() == [first, message("2"), message("3")]
    assert storage.outbox(limit=2) == [first, message("2")]


def test_the_outbox_leaves_out_what_is_in_hand_and_ends_where_there_is_no_room(
    storage: Storage, now: datetime
) -> None:
    sizes = {"1": 40, "2": 30, "3": 30, "4": 1, "5": 1}
    with storage.transaction(now) as tx:
        tx.send([replace(message(id_), body=b"x" * size) for id_, size in sizes.items()])

    def read(**asked: Any) -> list[str]:
        return [row.id for row in storage.outbox(**asked)]

    assert read(known={"1", "3"}) == ["2", "4", "5"]
    assert read(known={"1", "3"}, limit=2) == ["2", "4"]
    assert read(known={"1", "elsewhere"}, room=30) == ["2", "3"]
    assert read(known=set(sizes)) == []


def test_the_sweep_leaves_out_what_was_sent_just_now(storage: Storage, now: datetime) -> None:
    for seconds in range(3):
        with storage.transaction(now + seconds * SECOND) as tx:
            tx.send([message(str(seconds))])
    assert storage.outbox(before=now + SECOND) == [message("0")]


def test_what_was_published_is_discarded(storage: Storage, now: datetime) -> None:
    with storage.transaction(now) as tx:
        tx.send([message("1"), message("2"), message("3")])
    with storage.transaction(now) as tx:
        tx.discard(["1", "3", "nobody's"])
        tx.discard([])
    assert [row.id for row in storage.outbox()] == ["2"]


def test_undoing_takes_messages_back(storage: Storage, now: datetime) -> None:
    with storage.transaction(now) as tx:
        tx.send([message("1")])
    with storage.transaction(now) as tx:
        tx.send([message("2")])
        tx.keep()
        tx.send([message("3"), message("4")])
        tx.discard(["1"])
        tx.park(parked("p", now))
        tx.undo()
    assert [row.id for row in storage.outbox()] == ["1", "2"]
    assert storage.parked() == []


def test_a_parked_message_is_kept_in_full_until_it_is_taken_away(
    storage: Storage, now: datetime
) -> None:
    with storage.transaction(now) as tx:
        for id_ in ("1", "2", "3"):
            tx.park(parked(id_, now))
    assert storage.parked() == [parked(id_, now) for id_ in ("1", "2", "3")]
    assert [each.id for each in storage.parked(limit=1)] == ["1"]
    assert [each.id for each in storage.parked(after="1")] == ["2", "3"]
    assert [each.id for each in storage.parked(ids=["3", "4"])] == ["3"]
    with storage.transaction(now) as tx:
        assert tx.take_parked("1") == parked("1", now)
        assert tx.take_parked("1") is None
        assert tx.take_parked("4") is None
    assert [each.id for each in storage.parked()] == ["2", "3"]


def test_a_parked_message_can_be_put_back_in_its_place_by_whoever_took_it(
    storage: Storage, now: datetime
) -> None:
    with storage.transaction(now) as tx:
        tx.park(parked("1", now))
    with storage.transaction(now) as tx:
        taken = tx.take_parked("1")
        assert taken is not None
        tx.park(replace(taken, attempts=9))
    assert [(each.id, each.attempts) for each in storage.parked()] == [("1", 9)]


def test_a_parked_message_stays_where_the_transaction_that_took_it_fails(
    storage: Storage, now: datetime
) -> None:
    with storage.transaction(now) as tx:
        tx.park(parked("1", now))

    def fail() -> None:
        with storage.transaction(now) as tx:
            tx.take_parked("1")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert storage.parked() == [parked("1", now)]


def test_parked_messages_are_listed_by_type_and_case_without_their_bodies(
    storage: Storage, now: datetime
) -> None:
    with storage.transaction(now) as tx:
        for id_ in ("1", "2", "3"):
            tx.park(replace(parked(id_, now), case_id=f"case-{id_}", body=b"x" * 1000))
    with storage.read() as connection:
        total, lines = listed(connection, storage.parked_table, Wanted(limit=2))
        assert (total, [(each.id, each.bytes) for each in lines]) == (3, [("1", 1000), ("2", 1000)])
        total, lines = listed(connection, storage.parked_table, Wanted(case_id="case-3"))
        assert (total, [each.parked_at for each in lines]) == (1, [now])
        assert listed(connection, storage.parked_table, Wanted(type="other")) == (0, [])


def test_the_counts_show_what_waits_and_how_long(storage: Storage, now: datetime) -> None:
    assert storage.counts() == Counts(outbox=0, parked=0, outbox_age=0, outbox_bytes=0)
    with storage.transaction(now) as tx:
        tx.send([message("1"), message("2")])
        tx.park(parked("p", now))
    counts = storage.counts(now + timedelta(milliseconds=1_500))
    assert counts == Counts(outbox=2, parked=1, outbox_age=1.5, outbox_bytes=28)
    assert storage.counts(now - SECOND).outbox_age == 0


def test_pruning_forgets_old_claims_alone(
    storage: Storage, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_module, "PRUNE", 2)
    old = [f"old {number}" for number in range(5)]
    with storage.transaction(now) as tx:
        tx.claim(old)
    with storage.transaction(now + SECOND) as tx:
        tx.claim(["young"])
    assert storage.prune_inbox(now + SECOND) == 5
    assert storage.prune_inbox(now + SECOND) == 0
    with storage.transaction(now) as tx:
        assert tx.claim(["young", *old]) == set(old)


def test_moments_are_stored_as_microseconds(storage: Storage, now: datetime) -> None:
    at = now + timedelta(microseconds=1)
    with storage.transaction(at) as tx:
        tx.claim(["a"])
    with storage.read() as connection:
        received = connection.execute(sa.text("select received_at from inbox")).scalar()
    assert received == 1_772_438_400_000_001
