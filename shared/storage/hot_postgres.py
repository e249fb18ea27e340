"""The hot statements of PostgreSQL: arrays in binary form, sent in one go (pipeline mode)."""

# ruff: noqa: S608 - only names of our own tables and columns are put into statements

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa

from shared.domain.errors import Unavailable
from shared.storage.arrays import TextArray, array_type
from shared.storage.backend import Changes, Row, Upsert, names


class PostgresHot:
    """Statements for a writer among several: a replica of the service may write as well.

    What a transaction has read is locked. What it has read as absent cannot be locked; there the
    upsert notices that somebody else was faster.
    """

    def claim(
        self, connection: sa.Connection, inbox: sa.Table, ids: Sequence[str], at: int
    ) -> set[str]:
        """See `Hot`; waits for another replica that has claimed one of the ids."""
        # sorted, so that two replicas with the same ids wait for each other, not in a circle
        found = _driver(connection).execute(
            f'insert into "{inbox.name}" (id, received_at)'
            " select id, %s::bigint from unnest(%b) as given (id)"
            " on conflict do nothing returning id",
            (at, TextArray(sorted(ids))),
            prepare=True,
        )
        return {id_ for (id_,) in found}

    def load(
        self, connection: sa.Connection, wanted: Mapping[sa.Table, Sequence[str]]
    ) -> dict[sa.Table, list[tuple[str, str]]]:
        """See `Hot`."""
        driver = _driver(connection)
        with driver.pipeline():
            found = {
                table: driver.execute(
                    f'select "key", body from "{table.name}" where "key" = any(%b)'
                    ' order by "key" for no key update',
                    (TextArray(keys),),
                    prepare=True,
                )
                for table, keys in wanted.items()
            }
        return {table: cursor.fetchall() for table, cursor in found.items()}

    def write(self, connection: sa.Connection, changes: Changes) -> None:
        """See `Hot`."""
        driver = _driver(connection)
        with driver.pipeline():
            written = [(upsert, _upsert(driver, upsert)) for upsert in changes.upserts]
            for table, rows in changes.inserts.items():
                driver.execute(_insert(table), _columns(table, rows), prepare=True)
            for table, keys in changes.deletes.items():
                driver.execute(
                    f'delete from "{table.name}" where id = any(%b)',
                    (TextArray(keys),),
                    prepare=True,
                )
        for upsert, cursor in written:
            if cursor.rowcount != len(upsert.rows):
                raise Unavailable(
                    f"another replica has just written the same new rows of {upsert.table.name}"
                )


def _driver(connection: sa.Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _columns(table: sa.Table, rows: Sequence[Row]) -> list[Any]:
    turned = zip(*rows, strict=True)
    return [
        array_type(column)(values) for column, values in zip(table.columns, turned, strict=True)
    ]


def _insert(table: sa.Table) -> str:
    places = ", ".join(["%b"] * len(table.columns))
    return f'insert into "{table.name}" ({names(table.columns)}) select * from unnest({places})'


def _upsert(driver: psycopg.Connection[Any], upsert: Upsert) -> psycopg.Cursor[Any]:
    table = upsert.table
    rest = [column.name for column in table.columns if not column.primary_key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
    return driver.execute(
        f'{_insert(table)} on conflict ("key") do update set {changes}'
        f' where "{table.name}"."key" <> all(%b)',
        (*_columns(table, upsert.rows), TextArray(upsert.new)),
        prepare=True,
    )
