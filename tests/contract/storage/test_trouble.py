"""A database that is away, busy or full is waited for; what was committed is not lost."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import make_url

from shared.domain.errors import Unavailable
from shared.storage import sqlite
from shared.storage.storage import Storage
from tests.contract.storage.workshop import DIARY, TOOLS, Place, Tool, at_once, contents, use, uses
from tests.support.servers import Server


def test_of_two_replicas_that_make_the_same_entity_one_has_to_try_again(
    postgres_place: Place, now: datetime
) -> None:
    storage, replica = postgres_place.open(), postgres_place.open()
    storage.migrate()
    failures: list[Exception] = []
    both_have_read = threading.Barrier(2)

    def make(mine: Storage) -> None:
        try:
            with mine.transaction(now) as tx:
                assert tx.get(TOOLS, "saw") is None
                tx.put(TOOLS, Tool(id="saw"))
                both_have_read.wait(5)
        except Unavailable as error:
            failures.append(error)

    at_once(partial(make, storage), partial(make, replica))
    [failure] = failures
    assert str(failure).endswith(": another replica has just written the same new rows")
    use(storage, now)
    assert uses(storage) == 1
    storage.close()
    replica.close()


def test_replicas_that_wait_for_each_other_are_untangled(
    postgres_place: Place, now: datetime
) -> None:
    storage, replica = postgres_place.open(), postgres_place.open()
    storage.migrate()
    with storage.transaction(now) as tx:
        tx.put(TOOLS, Tool(id="a"))
        tx.put(TOOLS, Tool(id="b"))
    outcomes: list[str] = []
    both_hold_one = threading.Barrier(2)

    def lock(mine: Storage, first: str, second: str) -> None:
        try:
            with mine.transaction(now) as tx:
                tx.get(TOOLS, first)
                both_hold_one.wait(5)
                tx.get(TOOLS, second)
            outcomes.append("done")
        except Unavailable as error:
            outcomes.append(str(error))

    at_once(partial(lock, storage, "a", "b"), partial(lock, replica, "b", "a"))
    assert len(outcomes) == 2
    assert "done" in outcomes
    assert any("deadlock detected" in outcome for outcome in outcomes)
    use(storage, now)
    use(replica, now)
    storage.close()
    replica.close()


def test_a_server_that_is_away_is_unavailable_and_found_again(
    postgres: Server, database: str, tmp_path: Path, now: datetime
) -> None:
    storage = Place(tmp_path, database).open()
    storage.migrate()
    use(storage, now)
    uses(storage)

    def use_while_the_power_fails() -> None:
        with storage.transaction(now) as tx:
            tx.put(TOOLS, Tool(id="axe"))
            postgres.kill()

    with pytest.raises(Unavailable):
        use_while_the_power_fails()
    told = []
    for ask in (partial(use, storage, now), partial(uses, storage), storage.migrate):
        with pytest.raises(Unavailable) as caught:
            ask()
        told.append(str(caught.value))
    postgres.start()
    place = f"{make_url(postgres.url).host}:{make_url(postgres.url).port}"
    assert all(place in reason for reason in told)
    use(storage, now)
    assert uses(storage) == 2
    assert contents(storage) == {"tools": 1}
    storage.close()


def test_a_server_that_was_restarted_meanwhile_goes_unnoticed(
    postgres: Server, database: str, tmp_path: Path, now: datetime
) -> None:
    storage = Place(tmp_path, database).open()
    storage.migrate()
    use(storage, now)
    assert uses(storage) == 1
    postgres.stop()
    postgres.start()
    use(storage, now)
    assert uses(storage) == 2
    storage.close()


def test_a_lost_connection_is_replaced(postgres_place: Place, now: datetime) -> None:
    storage, killer = postgres_place.open(), postgres_place.open()
    storage.migrate()

    def cut(connection: sa.Connection) -> None:
        process = connection.scalar(sa.text("select pg_backend_pid()"))
        with killer.transaction(now) as other:
            other.connection.execute(sa.text(f"select pg_terminate_backend({process})"))

    def get() -> None:
        with storage.transaction(now) as tx:
            cut(tx.connection)
            tx.get(TOOLS, "saw")

    def fail() -> None:
        with storage.transaction(now) as tx:
            cut(tx.connection)
            raise LookupError

    with pytest.raises(Unavailable):
        get()
    with pytest.raises(LookupError):
        fail()
    use(storage, now)
    assert uses(storage) == 1
    storage.close()
    killer.close()


def test_a_process_that_slept_inside_a_transaction_begins_again(
    postgres_place: Place, now: datetime
) -> None:
    storage = postgres_place.open()
    storage.migrate()

    def sleep() -> None:
        with storage.transaction(now) as tx:
            tx.connection.execute(sa.text("set idle_in_transaction_session_timeout = 50"))
            time.sleep(0.2)
            tx.get(TOOLS, "saw")

    with pytest.raises(Unavailable):
        sleep()
    use(storage, now)
    assert uses(storage) == 1
    storage.close()


def test_a_file_that_another_process_writes_is_unavailable(
    tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.2)
    storage, replica = Place(tmp_path).open(), Place(tmp_path).open()
    storage.migrate()
    with storage.transaction(now):
        started = time.monotonic()
        with pytest.raises(Unavailable, match=r"workshop\.sqlite: database is locked"):
            use(replica, now)
        assert 0.1 < time.monotonic() - started < 2
    use(replica, now)
    storage.close()
    replica.close()


def test_a_full_disk_is_unavailable_and_loses_nothing(tmp_path: Path, now: datetime) -> None:
    storage = Place(tmp_path).open()
    storage.migrate()
    use(storage, now)

    def write() -> None:
        with storage.transaction(now) as tx:
            tx.connection.exec_driver_sql("pragma max_page_count = 20")
            tx.append(DIARY, 1, "x" * 1_000_000, None)

    with pytest.raises(Unavailable, match="full"):
        write()
    use(storage, now)
    assert contents(storage) == {"tools": 1}
    assert uses(storage) == 2
    storage.close()
