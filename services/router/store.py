"""The router's own tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from shared.domain.aggregates import Decision, Handling
from shared.domain.case import State
from shared.domain.model import Value
from shared.storage.collection import Collection, Field, aggregates

METADATA = sa.MetaData()

HANDLINGS = aggregates(
    METADATA,
    "handlings",
    Handling,
    Field("unit", sa.Text(), "unit"),
)
"""One row per case: who has to answer it, and how far that is."""

# As a literal: an index on a part of the rows is not used where the part is a parameter.
_IS_OPEN = HANDLINGS.table.c.state == sa.literal_column(f"'{State.OPEN.value}'")

sa.Index(
    "ix_handlings_open",
    HANDLINGS.table.c.unit,
    postgresql_where=_IS_OPEN,
    sqlite_where=_IS_OPEN,
)
# Of the open cases alone: what is over is nobody's burden, and grows for ever.


class PolicyHead(Value):
    """Where the numbers of the policy's versions end."""

    name: str = "policy"
    number: int = 0
    file: str = ""
    """Checksum of the house's own file as it was last seen and could be used."""


POLICY_HEAD = Collection(METADATA, "policy_head", PolicyHead, key="name")
"""One row, made by the migration: whoever applies a policy reads it first, and waits its turn."""


class Decided(Value):
    """What the policy decided about a case, with the facts by which it can be explained."""

    case_id: str
    decision: Decision


DECISIONS = Collection(METADATA, "decisions", Decided, key="case_id")
"""One row per case that was triaged; further rounds go on with the same decision."""


def counting(units: Iterable[str]) -> sa.Select[Any]:
    """Each of these units that has open cases, and how many."""
    unit = HANDLINGS.table.c.unit
    return sa.select(unit, sa.func.count()).where(unit.in_(sorted(units)), _IS_OPEN).group_by(unit)


def open_cases(connection: sa.Connection, units: set[str]) -> dict[str, int]:
    """How many open cases lie with each of these units."""
    counted = {row[0]: row[1] for row in connection.execute(counting(units))}
    return {unit: counted.get(unit, 0) for unit in units}
