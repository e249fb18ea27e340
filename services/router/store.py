"""The router's own table."""

from __future__ import annotations

import sqlalchemy as sa

from shared.domain.aggregates import Handling
from shared.storage.collection import Field, aggregates

METADATA = sa.MetaData()

HANDLINGS = aggregates(
    METADATA,
    "handlings",
    Handling,
    Field("unit", sa.Text(), lambda handling: handling.unit, index=True),
)
"""One row per case: who has to answer it, and how far that is."""
