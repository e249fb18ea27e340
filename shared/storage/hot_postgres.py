"""The hot statements of PostgreSQL: a column of a whole batch is one binary array.

A transaction speaks twice: it begins, claims and reads in one go, and writes and commits in
another, because a statement's cost is mostly that of asking (docs/decisions/hot-statements.md).
"""

# ruff: noqa: S608 - only names of our own tables and columns are put into statements

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import sqlalchemy as sa

from shared.storage.backend import Changes, Claim, Opened, Row, key_name, names

RACED = "another replica has just written the same new rows"
"""What the statement that writes everything fails with, as a text that is no number."""

# BigInteger comes first, because to SQLAlchemy it is an Integer, too
_ELEMENTS: tuple[tuple[type[sa.types.TypeEngine[Any]], str], ...] = (
    (sa.BigInteger, "bigint"),
    (sa.Integer, "integer"),
    (sa.Boolean, "boolean"),
    (sa.LargeBinary, "bytea"),
    (sa.String, "text"),
)


class PostgresHot:
    """Statements for a writer among several: a replica of the service may write as well.

    What a transaction has read is locked. What it has read as absent cannot be locked; there the
    upsert notices that somebody else was faster.
    """

    def open(
        self,
        connection: sa.Connection,
        claim: Claim | None,
        wanted: Mapping[sa.Table, Sequence[str]],
    ) -> Opened:
        """See `Hot`; waits for another replica that has claimed one of the ids."""
        driver = _driver(connection)
        with driver.pipeline():
            claimed = None if claim is None else _claim(driver, claim)
            loaded = {table: _load(driver, table, keys) for table, keys in wanted.items()}
        return Opened(
            set() if claimed is None else {id_ for (id_,) in claimed},
            {table: cursor.fetchall() for table, cursor in loaded.items()},
        )

    def together(self, connection: sa.Connection) -> AbstractContextManager[object]:
        """See `Hot`."""
        return _driver(connection).pipeline()

    def write(self, connection: sa.Connection, changes: Changes) -> None:
        """See `Hot`; everything is one statement, whose parts write different rows.

        The statement itself compares how many rows it wrote, so that nobody has to wait for its
        answer before the commit. It fails with `RACED` where somebody else was faster.
        """
        parts: list[str] = []
        values: list[Any] = []
        counts: list[str] = []
        for upsert in changes.upserts:
            counts.append(
                f"when (select count(*) from part{len(parts)}) <> %s::bigint then '{RACED}'"
            )
            parts.append(_upsert(upsert.table))
            values += [*_columns(upsert.rows), list(upsert.new)]
        for table, rows in changes.inserts.items():
            parts.append(_insert(table))
            values += _columns(rows)
        for table, keys in changes.deletes.items():
            key = key_name(table)
            parts.append(f'delete from "{table.name}" where "{key}" = any(%b::text[])')
            values.append(list(keys))
        named = ", ".join(f"part{number} as ({part})" for number, part in enumerate(parts))
        # no number: the cast fails while it runs, as a constant would while it is planned
        written = f"(case {' '.join(counts)} else '1' end)::integer" if counts else "1"
        values += [len(upsert.rows) for upsert in changes.upserts]
        _driver(connection).execute(f"with {named} select {written}", values, prepare=True)


def _claim(driver: psycopg.Connection[Any], claim: Claim) -> psycopg.Cursor[Any]:
    # sorted, so that two replicas with the same ids wait for each other, not in a circle
    return driver.execute(
        f'insert into "{claim.inbox.name}" (id, received_at)'
        " select id, %s::bigint from unnest(%b::text[]) as given (id)"
        " on conflict do nothing returning id",
        (claim.at, sorted(claim.ids)),
        prepare=True,
    )


def _load(
    driver: psycopg.Connection[Any], table: sa.Table, keys: Sequence[str]
) -> psycopg.Cursor[Any]:
    return driver.execute(
        f'select "key", body from "{table.name}" where "key" = any(%b::text[])'
        ' order by "key" for no key update',
        (list(keys),),
        prepare=True,
    )


def _upsert(table: sa.Table) -> str:
    rest = [column.name for column in table.columns if not column.primary_key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
    return (
        f'{_insert(table)} on conflict ("key") do update set {changes}'
        f' where "{table.name}"."key" <> all(%b::text[]) returning 1'
    )


def _insert(table: sa.Table) -> str:
    # the cast gives a parameter its type, whatever the values of a batch look like
    places = ", ".join(f"%b::{_element(column)}[]" for column in table.columns)
    return f'insert into "{table.name}" ({names(table.columns)}) select * from unnest({places})'


def _driver(connection: sa.Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _columns(rows: Sequence[Row]) -> list[list[Any]]:
    return [list(values) for values in zip(*rows, strict=True)]


def _element(column: sa.Column[Any]) -> str:
    for type_, name in _ELEMENTS:
        if isinstance(column.type, type_):
            return name
    raise TypeError(f"{column} is {column.type!r}: use text, integers, booleans or bytes")
