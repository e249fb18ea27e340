"""The deadline service's own table."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from shared.domain.aggregates import Clocks
from shared.domain.model import micros
from shared.storage.collection import Field, aggregates
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
)
"""One row per case: its clock, and when that speaks next."""

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
    keys = tx.connection.scalars(query).all()
    tx.preload((CLOCKS, key) for key in keys)
    return [clocks for key in keys if (clocks := tx.get(CLOCKS, key)) is not None]
