"""The hot statements of SQLite: a list of keys is one JSON value, many rows are one statement."""

# ruff: noqa: S608 - only names of our own tables and columns are put into statements

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

import msgspec
import sqlalchemy as sa

from shared.storage.backend import Changes, Claim, Opened, Row, key_name, names

SIZES = (64, 16, 4, 1)
"""Rows of one statement: few sizes, so that each is prepared once."""


class SqliteHot:
    """Statements on the connection that holds SQLite's one write lock: nobody else writes."""

    def open(
        self,
        connection: sa.Connection,
        claim: Claim | None,
        wanted: Mapping[sa.Table, Sequence[str]],
    ) -> Opened:
        """See `Hot`."""
        driver = _driver(connection)
        unclaimed = set() if claim is None else _claim(driver, claim)
        return Opened(unclaimed, {table: _load(driver, table, wanted[table]) for table in wanted})

    def insert_ahead(
        self, connection: sa.Connection, inserts: Mapping[sa.Table, Sequence[Row]]
    ) -> None:
        """See `Hot`; there is nobody else who could do it meanwhile."""
        driver = _driver(connection)
        for table, rows in inserts.items():
            _write(driver, table, rows)

    def settle(self, connection: sa.Connection) -> None:
        """See `Hot`: it is done."""

    def write(self, connection: sa.Connection, changes: Changes, *, commit: bool) -> None:  # noqa: ARG002
        """See `Hot`; nobody else can have written a new key, and the commit is near anyway."""
        driver = _driver(connection)
        for upsert in changes.upserts:
            _write(driver, upsert.table, upsert.rows, replacing=not upsert.new)
        self.insert_ahead(connection, changes.inserts)
        for table, keys in changes.deletes.items():
            driver.execute(
                f'delete from "{table.name}"'
                f' where "{key_name(table)}" in (select value from json_each(?))',
                (_json(keys),),
            )


def _claim(driver: sqlite3.Connection, claim: Claim) -> set[str]:
    # "where true" keeps SQLite's parser from reading "on conflict" as a join's condition
    found = driver.execute(
        f'insert into "{claim.inbox.name}" (id, received_at)'
        " select value, ? from json_each(?) where true on conflict do nothing returning id",
        (claim.at, _json(claim.ids)),
    )
    return {id_ for (id_,) in found}


def _load(driver: sqlite3.Connection, table: sa.Table, keys: Sequence[str]) -> Sequence[bytes]:
    """One row of all: for the next row, too, the driver would let go of the interpreter."""
    # a cross join looks up each key as it comes; "in" would sort them into a table first
    (found,) = driver.execute(
        "select cast(group_concat(body, char(30)) as blob)"
        f' from json_each(?) as wanted cross join "{table.name}" as kept'
        ' on kept."key" = wanted.value',
        (_json(keys),),
    ).fetchone()
    # JSON has no control characters
    return [] if found is None else found.split(b"\x1e")


def _json(keys: Sequence[str]) -> str:
    return msgspec.json.encode(keys).decode()


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _write(
    driver: sqlite3.Connection, table: sa.Table, rows: Sequence[Row], *, replacing: bool = False
) -> None:
    """Insert rows by statements of many rows each.

    The driver lets go of the interpreter for each statement, and gets it back only when another
    thread lets go of it: so a statement for each row would be a change of threads for each row.
    """
    first = 0
    for size in SIZES:
        statement = _insert(table, size, replacing)
        while len(rows) - first >= size:
            values = list(chain.from_iterable(rows[first : first + size]))
            driver.execute(statement, values)
            first += size


@cache
def _insert(table: sa.Table, rows: int, replacing: bool) -> str:
    """Always the same text, of which Python need not reckon the hash again to find it prepared."""
    places = f"({', '.join(map(_place, table.columns))})"
    every = ", ".join([places] * rows)
    inserting = f'insert into "{table.name}" ({names(table.columns)}) values {every}'
    return inserting + _on_conflict(table) if replacing else inserting


def _place(column: sa.Column[Any]) -> str:
    """Bodies come as they were encoded, in UTF-8; what is read by queries is text."""
    is_body = column.name == "body" and isinstance(column.type, sa.Text)
    return "cast(? as text)" if is_body else "?"


def _on_conflict(table: sa.Table) -> str:
    rest = [column.name for column in table.columns if not column.primary_key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
    return f' on conflict ("key") do update set {changes}'
