"""The deadline service's own tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from shared.domain.aggregates import Clocks
from shared.domain.case import State
from shared.domain.model import EPOCH, Instant, Value, micros
from shared.storage.collection import Collection, Field, aggregates, sparse_index
from shared.storage.tx import Tx

METADATA = sa.MetaData()


def _waits(clocks: Clocks) -> bool:
    """Whether an answer is still owed."""
    return clocks.standing.state is State.OPEN and clocks.stopped_at is None


CLOCKS = aggregates(
    METADATA,
    "clocks",
    Clocks,
    Field(
        "next_at",
        sa.BigInteger(),
        lambda clocks: micros(clocks.marks[0].at) if clocks.marks else None,
    ),
    Field("unit", sa.Text(), "unit"),
    Field(
        "due_at", sa.BigInteger(), lambda clocks: micros(clocks.due_at) if _waits(clocks) else None
    ),
    Field("stopped_at", sa.BigInteger(), lambda clocks: micros(clocks.stopped_at)),
)
"""One row per case: its clocks, when they speak next, and when it is due while it waits."""

_COLUMN = CLOCKS.table.c
_AWAITED = _COLUMN.due_at.is_not(None)

sparse_index("ix_clocks_next_at", _COLUMN.next_at)
sparse_index("ix_clocks_stopped_at", _COLUMN.stopped_at)
sparse_index("ix_clocks_awaited", _COLUMN.unit, _COLUMN.due_at)

AWAITED = (
    sa.select(_COLUMN.unit, _COLUMN.due_at, sa.func.count())
    .where(_AWAITED)
    .group_by(_COLUMN.unit, _COLUMN.due_at)
)
"""Each unit, each moment at which cases of its are due, and how many owe an answer then."""


class Sweep(Value):
    """How far the open deadlines have been reckoned anew by the calendar in force."""

    name: str = "calendar"
    digest: str
    """The calendar's."""
    seen_at: Instant
    """When it was first met."""
    after: str = ""
    """The last case that was looked at, in the order of their ids."""
    done: bool = False


SWEEPS = Collection(METADATA, "sweeps", Sweep, key="name")

MOST = 200
"""Cases whose clocks speak in one transaction."""


def due(tx: Tx, now: datetime) -> list[Clocks]:
    """Clocks that have something to say, the longest waiting first; another replica's are left."""
    column = CLOCKS.table.c
    query = (
        sa.select(column.key)
        .where(column.next_at <= micros(now))
        .order_by(column.next_at)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    return _read(tx, tx.connection.scalars(query).all())


def armed(tx: Tx, after: str, limit: int) -> list[Clocks]:
    """Clocks that have something to say some day, in the order of their ids, after one."""
    column = CLOCKS.table.c
    query = (
        sa.select(column.key)
        .where(column.key > after, column.next_at.is_not(None))
        .order_by(column.key)
        .limit(limit)
    )
    return _read(tx, tx.connection.scalars(query).all())


def awaited(connection: sa.Connection) -> Iterator[tuple[str, datetime, int]]:
    """Each unit, each moment at which cases of its are due, and how many owe an answer then."""
    for unit, due_at, cases in connection.execute(AWAITED):
        yield unit, EPOCH + timedelta(microseconds=due_at), cases


def answered(connection: sa.Connection, since: datetime, until: datetime) -> dict[str, int]:
    """How many cases each unit answered from one moment to before another one."""
    query = (
        sa.select(_COLUMN.unit, sa.func.count())
        .where(_COLUMN.stopped_at >= micros(since), _COLUMN.stopped_at < micros(until))
        .group_by(_COLUMN.unit)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def lag(connection: sa.Connection, now: datetime) -> float:
    """Seconds for which the longest waiting clock should have spoken; 0 where none should."""
    armed = _COLUMN.next_at.is_not(None)
    earliest = connection.scalar(sa.select(sa.func.min(_COLUMN.next_at)).where(armed))
    if earliest is None:
        return 0.0
    waiting: timedelta = now - EPOCH - timedelta(microseconds=earliest)
    return max(0.0, waiting.total_seconds())


def open_clocks(connection: sa.Connection) -> Iterator[Clocks]:
    """The clocks of all cases that owe an answer, however many there are."""
    query = sa.select(CLOCKS.table.c.body).where(_AWAITED)
    for (body,) in connection.execution_options(yield_per=1000).execute(query):
        yield CLOCKS.parse(body)


def _read(tx: Tx, keys: Sequence[str]) -> list[Clocks]:
    tx.preload((CLOCKS, key) for key in keys)
    return [clocks for key in keys if (clocks := tx.get(CLOCKS, key)) is not None]
