"""Intake's own tables."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from services.intake.counts import Sightings
from services.intake.repeats import Matter
from shared.domain.aggregates import Record
from shared.domain.case import Kind
from shared.domain.model import micros
from shared.storage.collection import Collection, Field, aggregates, sparse_index
from shared.storage.tx import Tx

METADATA = sa.MetaData()

RECORDS = aggregates(
    METADATA,
    "records",
    Record,
    Field("kind", sa.Text(), lambda record: record.case.kind.value if record.case else None),
    Field(
        "ended_at",
        sa.BigInteger(),
        lambda record: micros(record.ended_at) if record.erased_at is None else None,
    ),
)
"""One row per case: what was recorded; and when it ended, as long as it is not erased."""

_COLUMN = RECORDS.table.c

sparse_index("ix_records_ended", _COLUMN.kind, _COLUMN.ended_at)

FINGERPRINTS = Collection(METADATA, "fingerprints", Matter, key="fingerprint")
"""One row per fingerprint of words: the earliest case of each run of repeats."""

SIGHTINGS = Collection(METADATA, "sightings", Sightings, key="key")
"""One row per matter or informant that the policy counts."""

MOST = 100
"""Cases erased in one transaction."""


def ended(tx: Tx, kind: Kind, before: datetime, most: int) -> list[Record]:
    """Cases of a kind that ended before a moment and are not erased, the longest ended first.

    Another replica's are left.
    """
    query = (
        sa.select(_COLUMN.key)
        .where(_COLUMN.kind == kind.value, _COLUMN.ended_at < micros(before))
        .order_by(_COLUMN.ended_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    keys = tx.connection.scalars(query).all()
    tx.preload((RECORDS, key) for key in keys)
    return [known for key in keys if (known := tx.get(RECORDS, key)) is not None]
