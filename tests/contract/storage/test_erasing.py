"""What is to be forgotten goes at the end of the transaction, and not where that is taken back."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from shared.storage.storage import Storage
from shared.storage.tx import Tx
from tests.contract.storage.workshop import DIARY, LOANS, TOOLS, Tool, contents

SAW, AXE = Tool(id="saw", place="shed"), Tool(id="axe")


def filled(storage: Storage, now: datetime) -> None:
    with storage.transaction(now) as tx:
        tx.put(TOOLS, SAW)
        tx.put(TOOLS, AXE)
        tx.append(DIARY, 1, "Li Wei broke the saw", b"seal")
        tx.append(DIARY, 2, "quiet", b"seal")


def lines(storage: Storage) -> list[str]:
    with storage.read() as connection:
        query = sa.select(DIARY.table.c.line).order_by(DIARY.table.c.number)
        return list(connection.scalars(query))


def kept(storage: Storage, now: datetime) -> list[Tool | None]:
    with storage.transaction(now) as tx:
        return [tx.get(TOOLS, "saw"), tx.get(TOOLS, "axe")]


def test_an_entity_is_removed_and_one_that_is_not_there_does_not_matter(
    storage: Storage, now: datetime
) -> None:
    filled(storage, now)
    with storage.transaction(now) as tx:
        tx.remove(TOOLS, "saw")
        tx.remove(TOOLS, "hammer")
        assert tx.get(TOOLS, "saw") is None
    assert kept(storage, now) == [None, AXE]


def test_what_is_put_after_it_was_removed_is_there(storage: Storage, now: datetime) -> None:
    filled(storage, now)
    with storage.transaction(now) as tx:
        tx.remove(TOOLS, "saw")
        tx.put(TOOLS, Tool(id="saw", place="house"))
        tx.put(TOOLS, AXE.but(uses=1))
        tx.remove(TOOLS, "axe")
    assert kept(storage, now) == [Tool(id="saw", place="house"), None]


def test_a_line_of_a_log_is_revised_and_its_neighbours_stay(
    storage: Storage, now: datetime
) -> None:
    filled(storage, now)
    with storage.transaction(now) as tx:
        tx.revise(DIARY, (1,), "line", "erased")
    assert lines(storage) == ["erased", "quiet"]


def test_a_line_that_is_known_by_several_values_is_revised_alone(
    storage: Storage, now: datetime
) -> None:
    lent = [("saw", 1, "Li Wei"), ("saw", 2, "Li Wei"), ("axe", 2, "Li Wei")]
    with storage.transaction(now) as tx:
        for loan in lent:
            tx.append(LOANS, *loan)
    with storage.transaction(now) as tx:
        tx.revise(LOANS, ("saw", 2), "borrower", None)
    with storage.read() as connection:
        left = {tuple(row) for row in connection.execute(sa.select(LOANS.table))}
    assert left == {("saw", 1, "Li Wei"), ("saw", 2, None), ("axe", 2, "Li Wei")}


def test_what_is_taken_back_was_never_forgotten(storage: Storage, now: datetime) -> None:
    filled(storage, now)

    def forget(tx: Tx) -> None:
        tx.remove(TOOLS, "saw")
        tx.revise(DIARY, (1,), "line", "erased")

    with storage.transaction(now) as tx:
        tx.remove(TOOLS, "axe")
        tx.keep()
        forget(tx)
        tx.put(TOOLS, AXE)
        tx.undo()
        assert tx.get(TOOLS, "axe") is None
    assert kept(storage, now) == [SAW, None]
    assert lines(storage) == ["Li Wei broke the saw", "quiet"]
    assert contents(storage) == {"tools": 1, "diary": 2}
