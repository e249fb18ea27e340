"""Rows of logs set out before a transaction's end: its effect is whole or none all the same."""

from __future__ import annotations

import sqlite3
import struct
from datetime import datetime

import psycopg
import pytest
import sqlalchemy as sa

from shared.domain.errors import Unavailable
from shared.storage.storage import Storage
from shared.storage.tx import Tx
from tests.contract.storage.workshop import DIARY, TOOLS, Place, Tool, contents, use, uses

IMPOSSIBLE = (OverflowError, sqlite3.IntegrityError, struct.error, psycopg.errors.NotNullViolation)
"""What the two drivers, and who packs for one of them, say of such a row."""

COUNT = sa.select(sa.func.count()).select_from(DIARY.table)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.storage.tx.PART", 2)


def write(tx: Tx, first: int, last: int) -> None:
    """Lines of the diary, kept one by one."""
    for number in range(first, last + 1):
        tx.append(DIARY, number, f"line {number}", None)
        tx.keep()


def test_all_of_a_transaction_is_there_when_it_ends(storage: Storage, now: datetime) -> None:
    with storage.transaction(now) as tx:
        write(tx, 1, 10)
        tx.put(TOOLS, Tool(id="saw"))
        tx.claim(["claimed"])
        write(tx, 11, 19)
    assert contents(storage) == {"diary": 19, "tools": 1, "inbox": 1}


def test_a_transaction_may_have_set_out_whole(storage: Storage, now: datetime) -> None:
    with storage.transaction(now) as tx:
        write(tx, 1, 3)
    assert contents(storage) == {"diary": 3}
    use(storage, now)


def test_nobody_else_sees_what_has_set_out(storage: Storage, now: datetime) -> None:
    with storage.transaction(now) as tx:
        write(tx, 1, 9)
        assert tx.connection.scalar(COUNT) == 9
        assert contents(storage) == {}


def test_rows_can_be_read_and_queries_made_meanwhile(storage: Storage, now: datetime) -> None:
    use(storage, now)
    with storage.transaction(now) as tx:
        write(tx, 1, 4)
        assert tx.get(TOOLS, "saw") == Tool(id="saw", uses=1)
        write(tx, 5, 8)
        assert tx.connection.scalar(sa.select(TOOLS.table.c.uses)) == 1
        tx.revise(DIARY, (1,), "line", "another")
        write(tx, 9, 12)
    with storage.read() as connection:
        first = sa.select(DIARY.table.c.line).where(DIARY.table.c.number == 1)
        assert connection.scalar(first) == "another"
        assert connection.scalar(COUNT) == 12


def test_what_is_undone_never_sets_out(storage: Storage, now: datetime) -> None:
    with storage.transaction(now) as tx:
        write(tx, 1, 3)
        for number in range(4, 9):
            tx.append(DIARY, number, "mistaken", None)
        tx.undo()
        write(tx, 4, 5)
    with storage.read() as connection:
        lines = connection.scalars(sa.select(DIARY.table.c.line).order_by(DIARY.table.c.number))
        assert lines.all() == [f"line {number}" for number in range(1, 6)]


def test_an_exception_takes_back_what_has_set_out(storage: Storage, now: datetime) -> None:
    def fail() -> None:
        with storage.transaction(now) as tx:
            write(tx, 1, 9)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert contents(storage) == {}
    use(storage, now)
    assert uses(storage) == 1


@pytest.mark.parametrize("asks", [False, True])
def test_what_failed_on_its_way_is_told_at_the_latest_at_the_end(
    storage: Storage, now: datetime, *, asks: bool
) -> None:
    def fail() -> None:
        with storage.transaction(now) as tx:
            write(tx, 1, 9)
            tx.append(DIARY, 1, "once more", None)
            write(tx, 10, 19)
            if asks:
                tx.get(TOOLS, "saw")

    with pytest.raises(Exception, match=r"(?i)unique") as caught:
        fail()
    assert not isinstance(caught.value, Unavailable)
    assert contents(storage) == {}
    use(storage, now)
    assert uses(storage) == 1


@pytest.mark.parametrize("number", [2**70, None])
def test_what_cannot_even_set_out_takes_nothing_with_it(
    storage: Storage, now: datetime, number: int | None
) -> None:
    def fail() -> None:
        with storage.transaction(now) as tx:
            write(tx, 1, 9)
            tx.append(DIARY, number, "impossible", None)
            write(tx, 10, 19)

    with pytest.raises(IMPOSSIBLE):
        fail()
    assert contents(storage) == {}
    use(storage, now)


def test_a_connection_that_is_lost_meanwhile_is_replaced(
    postgres_place: Place, now: datetime
) -> None:
    storage, killer = postgres_place.open(), postgres_place.open()
    storage.migrate()

    def cut() -> None:
        with storage.transaction(now) as tx:
            process = tx.connection.scalar(sa.text("select pg_backend_pid()"))
            write(tx, 1, 9)
            with killer.transaction(now) as other:
                other.connection.execute(sa.text(f"select pg_terminate_backend({process})"))
            write(tx, 10, 19)

    with pytest.raises(Unavailable):
        cut()
    use(storage, now)
    assert contents(storage) == {"tools": 1}
    storage.close()
    killer.close()
