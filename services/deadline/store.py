"""The deadline service's own tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from shared.domain.aggregates import Clocks
from shared.domain.model import Instant, Value, micros
from shared.storage.collection import Collection, Field, aggregates
from shared.storage.tx import Tx

METADATA = sa.MetaData()

CLOCKS = aggregates(
    METADATA,
    "clocks",
    Clocks,
    Field(
        "next_at",
        sa.BigInteger(),
        lambda clocks: micros(clocks.marks[0].at) if clocks.marks else None,
        index=True,
    ),
    Field("unit", sa.Text(), lambda clocks: clocks.unit),
    Field("due_at", sa.BigInteger(), lambda clocks: micros(clocks.due_at)),
    Field("stopped_at", sa.BigInteger(), lambda clocks: micros(clocks.stopped_at), index=True),
)
"""One row per case: its clocks, and when they speak next."""


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


SWEEPS = Collection(METADATA, "sweeps", Sweep, key=lambda sweep: sweep.name)

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


def _read(tx: Tx, keys: Sequence[str]) -> list[Clocks]:
    tx.preload((CLOCKS, key) for key in keys)
    return [clocks for key in keys if (clocks := tx.get(CLOCKS, key)) is not None]
