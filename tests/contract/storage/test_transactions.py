"""A transaction has its whole effect or none, whatever happens to the process or the database."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from datetime import datetime
from functools import partial

import pytest
import sqlalchemy as sa

from shared.domain.errors import Unavailable
from shared.storage.messaging import OutboxRow
from shared.storage.storage import Storage
from tests.contract.storage.workshop import DIARY, TOOLS, Place, Tool, at_once, contents, use, uses


def test_an_exception_leaves_nothing_behind(storage: Storage, now: datetime) -> None:
    def fail() -> None:
        with storage.transaction(now) as tx:
            tx.claim(["claimed"])
            tx.put(TOOLS, Tool(id="saw"))
            tx.append(DIARY, 1, "line", None)
            tx.send([OutboxRow("sent", "key", b"", "text/plain")])
            tx.flush()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert contents(storage) == {}


@pytest.mark.parametrize(
    ("moment", "left"),
    [("uncommitted", {}), ("committed", {"inbox": 1, "outbox": 1, "tools": 1, "diary": 1})],
)
def test_a_killed_process_leaves_what_it_has_committed(
    storage: Storage, place: Place, moment: str, left: dict[str, int]
) -> None:
    with subprocess.Popen(place.child(moment), stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        child.kill()
    assert contents(storage) == left


def test_threads_take_turns(storage: Storage, now: datetime) -> None:
    at_once(*[partial(use, storage, now)] * 20)
    assert uses(storage) == 20


def test_replicas_do_not_overwrite_each_other(
    storage: Storage, replica: Storage, now: datetime
) -> None:
    use(storage, now)

    def use_often(mine: Storage) -> None:
        for _ in range(50):
            use(mine, now)

    at_once(partial(use_often, storage), partial(use_often, replica))
    assert uses(storage) == 101


def test_a_read_cannot_write(storage: Storage) -> None:
    with pytest.raises(Unavailable, match=r"read-?only"), storage.read() as connection:
        connection.execute(sa.insert(DIARY.table).values(number=1, line="line"))
    assert contents(storage) == {}


def test_a_read_sees_one_moment_and_keeps_nobody_waiting(storage: Storage, now: datetime) -> None:
    use(storage, now)
    query = sa.select(TOOLS.table.c.uses)
    with storage.read() as connection:
        assert connection.scalar(query) == 1
        use(storage, now)
        assert connection.scalar(query) == 1
    assert uses(storage) == 2


@pytest.mark.parametrize(
    "values",
    [(1, None, None), (2**70, "number too large", None), (1, "lone surrogate \ud800", None)],
)
def test_impossible_data_is_an_error_after_which_all_goes_on(
    storage: Storage, now: datetime, values: tuple[int, str, None]
) -> None:
    def write() -> None:
        with storage.transaction(now) as tx:
            tx.claim(["claimed"])
            tx.put(TOOLS, Tool(id="saw"))
            tx.append(DIARY, *values)
            tx.send([OutboxRow("sent", "key", b"", "text/plain")])

    with pytest.raises(Exception) as caught:  # noqa: PT011 - each driver has its own
        write()
    assert not isinstance(caught.value, Unavailable)
    assert contents(storage) == {}
    use(storage, now)
    assert contents(storage) == {"tools": 1}


def test_a_broken_constraint_is_no_reason_to_try_again(storage: Storage, now: datetime) -> None:
    def write(line: str) -> None:
        with storage.transaction(now) as tx:
            tx.append(DIARY, 1, line, None)

    write("first")
    with pytest.raises(Exception, match=r"(?i)unique") as caught:
        write("second")
    assert not isinstance(caught.value, Unavailable)
    assert contents(storage) == {"diary": 1}


def test_a_transaction_inside_a_transaction_is_refused(storage: Storage, now: datetime) -> None:
    with (
        pytest.raises(sa.exc.InvalidRequestError, match="already"),
        storage.transaction(now),
        storage.transaction(now),
    ):
        pass
    use(storage, now)


def test_what_is_prepared_outlives_transactions_that_were_taken_back(
    storage: Storage, now: datetime
) -> None:
    def work(number: int) -> None:
        with storage.transaction(now) as tx:
            tx.put(TOOLS, Tool(id="saw", uses=number))
            for _ in range(10):
                tx.connection.execute(sa.select(TOOLS.table.c.key)).all()
            if number % 2:
                raise LookupError

    for number in range(6):
        with suppress(LookupError):
            work(number)
    with storage.transaction(now) as tx:
        assert tx.get(TOOLS, "saw") == Tool(id="saw", uses=4)
