"""The hot statements of PostgreSQL: a column of a whole batch is one binary array.

All that a transaction writes is one statement, because a statement's cost is mostly that of asking
(docs/decisions/hot-statements.md).
"""

# ruff: noqa: S608 - only names of our own tables and columns are put into statements

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa

from shared.domain.errors import Unavailable
from shared.storage.backend import Changes, Row, key_name, names

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

    def claim(
        self, connection: sa.Connection, inbox: sa.Table, ids: Sequence[str], at: int
    ) -> set[str]:
        """See `Hot`; waits for another replica that has claimed one of the ids."""
        # sorted, so that two replicas with the same ids wait for each other, not in a circle
        found = _driver(connection).execute(
            f'insert into "{inbox.name}" (id, received_at)'
            " select id, %s::bigint from unnest(%b::text[]) as given (id)"
            " on conflict do nothing returning id",
            (at, sorted(ids)),
            prepare=True,
        )
        return {id_ for (id_,) in found}

    def load(
        self, connection: sa.Connection, wanted: Mapping[sa.Table, Sequence[str]]
    ) -> dict[sa.Table, list[tuple[str, str]]]:
        """See `Hot`."""
        driver = _driver(connection)
        return {
            table: driver.execute(
                f'select "key", body from "{table.name}" where "key" = any(%b::text[])'
                ' order by "key" for no key update',
                (list(keys),),
                prepare=True,
            ).fetchall()
            for table, keys in wanted.items()
        }

    def write(self, connection: sa.Connection, changes: Changes) -> None:
        """See `Hot`; everything is one statement, whose parts write different rows."""
        parts: list[str] = []
        values: list[list[Any]] = []
        counts: list[str] = []
        for upsert in changes.upserts:
            counts.append(f"(select count(*) from part{len(parts)})")
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
        written = _driver(connection).execute(
            f"with {named} select {', '.join(counts)}", values, prepare=True
        )
        for upsert, count in zip(changes.upserts, written.fetchone() or (), strict=True):
            if count != len(upsert.rows):
                raise Unavailable(
                    f"another replica has just written the same new rows of {upsert.table.name}"
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
