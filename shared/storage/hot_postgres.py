"""The hot statements of PostgreSQL: a column of a whole batch is one binary array.

A transaction speaks twice: it begins, claims and reads in one go, and writes and commits in
another, because a statement's cost is mostly that of asking (docs/decisions/hot-statements.md).
"""

# ruff: noqa: S608 - only names of our own tables and columns are put into statements

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import psycopg
import sqlalchemy as sa
from psycopg.errors import UniqueViolation

from shared.storage.asking import Asking, Question
from shared.storage.backend import Changes, Claim, Opened, Row, key_name, names
from shared.storage.packed import BIGINT, TEXT, Element, element_of

RACED = "another replica has just written the same new rows"
"""What writing fails with where somebody else was faster."""

BEGIN: Question = ("begin isolation level read committed", ())
COMMIT: Question = ("commit", ())


class PostgresHot:
    """Statements for a writer among several: a replica of the service may write as well.

    What a transaction has read is locked. What it has read as absent cannot be locked; there the
    row's key, of which there can be one, notices that somebody else was faster.
    """

    def open(
        self,
        connection: sa.Connection,
        claim: Claim | None,
        wanted: Mapping[sa.Table, Sequence[str]],
    ) -> Opened:
        """See `Hot`; waits for another replica that has claimed one of the ids."""
        asking = _asking(connection)
        questions = [] if asking.in_transaction else [BEGIN]
        if claim is not None:
            questions.append(_claim(claim))
        questions += [(_load(table), [TEXT.array(keys)]) for table, keys in wanted.items()]
        answers = asking.ask(questions)
        loaded = answers[len(answers) - len(wanted) :]
        claimed = answers[-len(wanted) - 1] if claim is not None else None
        return Opened(
            set() if claimed is None else {text(claimed, row, 0) for row in range(claimed.ntuples)},
            {table: rows(answer) for table, answer in zip(wanted, loaded, strict=True)},
        )

    def write(self, connection: sa.Connection, changes: Changes) -> None:
        """See `Hot`; commits in the same go."""
        asking = _asking(connection)
        questions: list[Question] = []
        for upsert in changes.upserts:
            new = set(upsert.new)
            known = [row for row in upsert.rows if row[0] not in new]
            rows = [row for row in upsert.rows if row[0] in new]
            if known:
                questions.append((_upsert(upsert.table), _columns(upsert.table, known)))
            if rows:
                questions.append((_insert(upsert.table), _columns(upsert.table, rows)))
        for table, rows in changes.inserts.items():
            questions.append((_insert(table), _columns(table, rows)))
        for table, keys in changes.deletes.items():
            questions.append((_delete(table), [TEXT.array(keys)]))
        if asking.in_transaction:
            questions.append(COMMIT)
        try:
            asking.ask(questions)
        except UniqueViolation as error:
            if error.diag.table_name in {upsert.table.name for upsert in changes.upserts}:
                raise psycopg.OperationalError(RACED) from error
            raise


def _asking(connection: sa.Connection) -> Asking:
    asking = connection.info.get("asking")
    if asking is None:
        driver = connection.connection.driver_connection
        asking = connection.info["asking"] = Asking(driver)
    return asking


def _claim(claim):
    return (
        f'insert into "{claim.inbox.name}" (id, received_at)'
        " select id, $1 from unnest($2::text[]) as given (id)"
        " on conflict do nothing returning id",
        [__import__('struct').pack(">q", claim.at), TEXT.array(sorted(claim.ids))],
    )

@cache
def _load(table):
    return (
        f'select "key", body from "{table.name}" where "key" = any($1::text[])'
        ' order by "key" for no key update'
    )

def text(a,r,c): return a.get_value(r,c).decode()
def rows(a):
    return [(a.get_value(r,0).decode(),a.get_value(r,1)) for r in range(a.ntuples)]

@cache
def _upsert(table: sa.Table) -> str:
    rest = [column.name for column in table.columns if not column.primary_key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in rest)
    return f'{_insert(table)} on conflict ("key") do update set {changes}'

import os
@cache
def _insert(table: sa.Table) -> str:
    if os.environ.get('SRF'):
        places = ", ".join(f"unnest(${i}::{element_of(column).name}[])" for i,column in enumerate(table.columns,1))
        return f'insert into "{table.name}" ({names(table.columns)}) select {places}'
    places = ", ".join(f"${i}::{element_of(column).name}[]" for i,column in enumerate(table.columns,1))
    return f'insert into "{table.name}" ({names(table.columns)}) select * from unnest({places})'

@cache
def _delete(table): return f'delete from "{table.name}" where "{key_name(table)}" = any($1::text[])'

@cache
def _elements(table): return [element_of(c) for c in table.columns]

def _columns(table,rows) -> list:
    return [e.array(v) for e,v in zip(_elements(table), zip(*rows, strict=True), strict=True)]
