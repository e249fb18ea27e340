"""The hot statements of SQLite: a list of keys is one JSON value, rows go through executemany."""

# ruff: noqa: S608 - only names of our own tables and columns are put into statements

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from shared.storage.backend import Changes, key_name, names


class SqliteHot:
    """Statements on the connection that holds SQLite's one write lock: nobody else writes."""

    def claim(
        self, connection: sa.Connection, inbox: sa.Table, ids: Sequence[str], at: int
    ) -> set[str]:
        """See `Hot`."""
        # "where true" keeps SQLite's parser from reading "on conflict" as a join's condition
        found = _driver(connection).execute(
            f'insert into "{inbox.name}" (id, received_at)'
            " select value, ? from json_each(?) where true on conflict do nothing returning id",
            (at, json.dumps(list(ids))),
        )
        return {id_ for (id_,) in found}

    def load(
        self, connection: sa.Connection, wanted: Mapping[sa.Table, Sequence[str]]
    ) -> dict[sa.Table, list[tuple[str, str]]]:
        """See `Hot`."""
        driver = _driver(connection)
        return {
            table: driver.execute(
                f'select "key", body from "{table.name}"'
                ' where "key" in (select value from json_each(?))',
                (json.dumps(list(keys)),),
            ).fetchall()
            for table, keys in wanted.items()
        }

    def write(self, connection: sa.Connection, changes: Changes) -> None:
        """See `Hot`; nobody else can have written a new key."""
        driver = _driver(connection)
        for upsert in changes.upserts:
            driver.executemany(_upsert(upsert.table), upsert.rows)
        for table, rows in changes.inserts.items():
            driver.executemany(_insert(table), rows)
        for table, keys in changes.deletes.items():
            driver.execute(
                f'delete from "{table.name}"'
                f' where "{key_name(table)}" in (select value from json_each(?))',
                (json.dumps(list(keys)),),
            )


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _insert(table: sa.Table) -> str:
    places = ", ".join("?" * len(table.columns))
    return f'insert into "{table.name}" ({names(table.columns)}) values ({places})'


def _upsert(table: sa.Table) -> str:
    rest = [column.name for column in table.columns if not column.primary_key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
    return f'{_insert(table)} on conflict ("key") do update set {changes}'
