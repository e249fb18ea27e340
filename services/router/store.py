"""The router's own table."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from shared.domain.aggregates import Handling
from shared.domain.case import State
from shared.storage.collection import Field, aggregates

METADATA = sa.MetaData()

HANDLINGS = aggregates(
    METADATA,
    "handlings",
    Handling,
    Field("unit", sa.Text(), lambda handling: handling.unit, index=True),
)
"""One row per case: who has to answer it, and how far that is."""


def open_cases(connection: sa.Connection, units: Collection[str]) -> dict[str, int]:
    """How many open cases lie with each of these units."""
    table = HANDLINGS.table.c
    query = (
        sa.select(table.unit, sa.func.count().label("number"))
        .where(table.unit.in_(sorted(units)), table.state == State.OPEN.value)
        .group_by(table.unit)
    )
    counted = {row.unit: row.number for row in connection.execute(query)}
    return {unit: counted.get(unit, 0) for unit in units}
