"""The evaluation service's own tables."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from services.evaluation.logic import is_asked
from shared.domain.aggregates import Judgement
from shared.domain.model import micros
from shared.storage.collection import Field, aggregates, sparse_index
from shared.storage.tx import Tx

METADATA = sa.MetaData()

JUDGEMENTS = aggregates(
    METADATA,
    "judgements",
    Judgement,
    Field(
        "lapses_at",
        sa.BigInteger(),
        lambda judgement: micros(judgement.lapses_at) if is_asked(judgement) else None,
    ),
)
"""One row per case: who may rate its answer, and how it was rated."""

sparse_index("ix_judgements_lapses_at", JUDGEMENTS.table.c.lapses_at)

MOST = 200
"""Judgements that lapse in one transaction."""


def lapsing(tx: Tx, now: datetime) -> list[Judgement]:
    """Judgements whose time is over, the longest waiting first; another replica's are left."""
    column = JUDGEMENTS.table.c
    query = (
        sa.select(column.key)
        .where(column.lapses_at < micros(now))
        .order_by(column.lapses_at)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    keys = tx.connection.scalars(query).all()
    tx.preload((JUDGEMENTS, key) for key in keys)
    return [known for key in keys if (known := tx.get(JUDGEMENTS, key)) is not None]
