"""Which errors of a database are waited for, and which are the fault of what was written."""

from __future__ import annotations

import sqlite3
import threading
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import make_url

from shared.domain.errors import Unavailable
from shared.storage.postgres import Postgres
from shared.storage.sqlite import Sqlite
from tests.contract.storage.workshop import TOOLS, Place, Tool, use, uses
from tests.support.servers import Server
from tests.support.servers.server import libpq

WAITED_FOR = {
    "08006": "connection failure",
    "25006": "read-only transaction",
    "25P03": "idle in transaction timeout",
    "40001": "serialization failure",
    "40P01": "deadlock",
    "53100": "disk full",
    "53200": "out of memory",
    "53300": "too many connections",
    "55P03": "lock timeout",
    "57014": "cancelled",
    "57P01": "admin shutdown",
    "57P02": "crash shutdown",
    "57P03": "cannot connect now",
    "58030": "input or output",
}
AT_FAULT = {
    "22001": "string too long",
    "22P02": "invalid text",
    "23502": "not null",
    "23505": "unique",
    "42P01": "undefined table",
    "54000": "program limit",
}


def _away(state: str) -> str | None:
    place = Postgres(make_url("postgresql://user:secret@db/house"), "workshop")
    return place.away(psycopg.errors.lookup(state)("the server's words"))


@pytest.mark.parametrize("state", WAITED_FOR)
def test_trouble_of_the_server_is_waited_for(state: str) -> None:
    reason = _away(state)
    assert reason is not None
    assert reason.endswith("@db/house, schema workshop: the server's words")
    assert "secret" not in reason


@pytest.mark.parametrize("state", AT_FAULT)
def test_what_the_server_refuses_to_store_is_not_waited_for(state: str) -> None:
    assert _away(state) is None


@pytest.mark.parametrize(
    ("name", "waited_for"),
    [
        ("SQLITE_BUSY", True),
        ("SQLITE_BUSY_SNAPSHOT", True),
        ("SQLITE_CANTOPEN", True),
        ("SQLITE_FULL", True),
        ("SQLITE_IOERR_FSYNC", True),
        ("SQLITE_NOMEM", True),
        ("SQLITE_PROTOCOL", True),
        ("SQLITE_READONLY", True),
        ("SQLITE_CONSTRAINT_PRIMARYKEY", False),
        ("SQLITE_CORRUPT", False),
        ("SQLITE_ERROR", False),
        ("SQLITE_MISMATCH", False),
        ("SQLITE_TOOBIG", False),
    ],
)
def test_so_it_is_with_a_file(name: str, waited_for: bool, tmp_path: Path) -> None:
    error = sqlite3.OperationalError("its words")
    error.sqlite_errorname = name
    assert (Sqlite(tmp_path / "workshop.sqlite").away(error) is not None) is waited_for


def test_a_server_that_only_reads_is_waited_for(postgres_place: Place, now: datetime) -> None:
    storage = postgres_place.open()
    storage.migrate()
    use(storage, now)

    def write_on_a_standby() -> None:
        with storage.transaction(now) as tx:
            tx.connection.execute(sa.text("set transaction read only"))
            tx.put(TOOLS, Tool(id="axe"))

    with pytest.raises(Unavailable, match="read-only"):
        write_on_a_standby()
    use(storage, now)
    assert uses(storage) == 2
    storage.close()


def test_a_server_that_lets_nobody_in_is_waited_for(
    postgres: Server, database: str, tmp_path: Path, now: datetime
) -> None:
    storage = Place(tmp_path, database).open()
    storage.migrate()

    def let_in(yes: bool) -> None:
        # superusers are let in beyond any limit of connections, so it is everybody or nobody
        name = make_url(database).database
        with psycopg.connect(libpq(postgres.url), autocommit=True) as admin:
            admin.execute(f'alter database "{name}" allow_connections {yes}')

    let_in(False)
    with pytest.raises(Unavailable, match="not currently accepting connections"):
        use(storage, now)
    let_in(True)
    use(storage, now)
    assert uses(storage) == 1
    storage.close()


def test_a_handler_that_meets_a_locked_row_is_told_so_at_once(
    postgres_place: Place, now: datetime
) -> None:
    storage, replica = postgres_place.open(), postgres_place.open()
    storage.migrate()
    use(storage, now)
    locked, told = threading.Event(), threading.Event()

    def hold() -> None:
        with replica.transaction(now) as tx:
            tx.get(TOOLS, "saw")
            locked.set()
            told.wait(10)

    def read() -> str:
        with storage.transaction(now) as tx:
            tx.connection.execute(sa.text("set local lock_timeout = 50"))
            try:
                tx.get(TOOLS, "saw")
            except Unavailable as away:  # what a handler sees: not the driver's own error
                return str(away)
            return "read"

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(10)
    reason = read()
    told.set()
    holder.join()
    assert "lock timeout" in reason
    use(storage, now)
    assert uses(storage) == 2
    storage.close()
    replica.close()
