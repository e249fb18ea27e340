"""The hot statements of PostgreSQL: a column of a whole batch is one binary array.

A transaction speaks twice: it begins, claims and reads in one go, and writes and commits in
another, because a statement's cost is mostly that of asking (docs/decisions/hot-statements.md).
"""

# ruff: noqa: S608 - only names of our own tables and columns are put into statements

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import psycopg
import sqlalchemy as sa
from psycopg.errors import UniqueViolation

from shared.storage.asking import Asking, Question
from shared.storage.backend import Changes, Claim, Opened, Row, Upsert, key_name, names
from shared.storage.packed import TEXT, Element, element_of, number

RACED = "another replica has just written the same new rows"
"""What writing fails with where somebody else was faster."""


class PostgresHot:
    """Statements for a writer among several: a replica of the service may write as well.

    What a transaction has read is locked. What it has read as absent cannot be locked; there the
    index of the keys notices that somebody else was faster.
    """

    def open(
        self,
        connection: sa.Connection,
        claim: Claim | None,
        wanted: Mapping[sa.Table, Sequence[str]],
    ) -> Opened:
        """See `Hot`; waits for another replica that has claimed one of the ids."""
        asking = _asking(connection)
        questions = [] if claim is None else [_claim(claim)]
        questions += [(_load(table), [TEXT.array(keys)]) for table, keys in wanted.items()]
        answers = asking.ask(_begin(asking) + questions)[-len(questions) :]
        unclaimed = set() if claim is None else {id_.decode() for (id_,) in answers.pop(0)}
        loaded = zip(wanted, answers, strict=True)
        return Opened(unclaimed, {table: [body for (body,) in rows] for table, rows in loaded})

    def insert_ahead(
        self, connection: sa.Connection, inserts: Mapping[sa.Table, Sequence[Row]]
    ) -> None:
        """See `Hot`."""
        asking = _asking(connection)
        asking.ask_ahead(_begin(asking))
        asking.ask_ahead(_insert(table, rows) for table, rows in inserts.items())

    def settle(self, connection: sa.Connection) -> None:
        """See `Hot`."""
        asking = _asking(connection)
        if asking.is_ahead:
            asking.ask(())

    def write(self, connection: sa.Connection, changes: Changes, *, commit: bool) -> None:
        """See `Hot`."""
        asking = _asking(connection)
        upserted: set[str] = set()

        def questions() -> Iterator[Question]:
            yield from _begin(asking)
            # inserts are the most bytes by far, and the server is at them when the rest is made
            yield from (_insert(table, rows) for table, rows in changes.inserts.items())
            for upsert in changes.upserts:
                upserted.add(upsert.table.name)
                yield _upsert(upsert)
            yield from (_delete(table, keys) for table, keys in changes.deletes.items())
            if commit:
                yield "commit", ()

        try:
            asking.ask(questions())
        except UniqueViolation as error:
            if error.diag.table_name in upserted:
                raise psycopg.OperationalError(RACED) from error
            raise


def _asking(connection: sa.Connection) -> Asking:
    known = connection.info.get("asking")  # what SQLAlchemy keeps as long as the driver's own
    if not isinstance(known, Asking):
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        known = connection.info["asking"] = Asking(driver)
    return known


def _begin(asking: Asking) -> list[Question]:
    return [] if asking.in_transaction else [("begin isolation level read committed", ())]


def _claim(claim: Claim) -> Question:
    statement = (
        f'insert into "{claim.inbox.name}" (id, received_at)'
        " select id, $1::bigint from unnest($2::text[]) as given (id)"
        " on conflict do nothing returning id"
    )
    # sorted, so that two replicas with the same ids wait for each other, not in a circle
    return statement, [number(claim.at), TEXT.array(sorted(claim.ids))]


@cache
def _load(table: sa.Table) -> str:
    return (
        f'select body from "{table.name}" where "key" = any($1::text[])'
        ' order by "key" for no key update'
    )


def _upsert(upsert: Upsert) -> Question:
    """New rows are only inserted: that costs less, and fails where they are no longer new."""
    statement = _inserting(upsert.table)
    if not upsert.new:
        statement += _replacing(upsert.table)
    return statement, _columns(upsert.table, upsert.rows)


def _insert(table: sa.Table, rows: Sequence[Row]) -> Question:
    return _inserting(table), _columns(table, rows)


def _delete(table: sa.Table, keys: Sequence[str]) -> Question:
    statement = f'delete from "{table.name}" where "{key_name(table)}" = any($1::text[])'
    return statement, [TEXT.array(keys)]


@cache
def _inserting(table: sa.Table) -> str:
    # the cast gives a parameter its type, whatever the values of a batch look like
    arrays = (f"${place}::{each.name}[]" for place, each in enumerate(_elements(table), 1))
    return (
        f'insert into "{table.name}" ({names(table.columns)})'
        f" select * from unnest({', '.join(arrays)})"
    )


@cache
def _replacing(table: sa.Table) -> str:
    rest = [column.name for column in table.columns if not column.primary_key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
    return f' on conflict ("key") do update set {changes}'


@cache
def _elements(table: sa.Table) -> list[Element]:
    return [element_of(column) for column in table.columns]


def _columns(table: sa.Table, rows: Sequence[Row]) -> list[bytes]:
    columns = zip(_elements(table), zip(*rows, strict=True), strict=True)
    return [element.array(values) for element, values in columns]
