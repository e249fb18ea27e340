"""The router's own tables."""

from __future__ import annotations

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
    Field("unit", sa.Text(), lambda handling: handling.unit, index=True),
)
"""One row per case: who has to answer it, and how far that is."""


class PolicyHead(Value):
    """Where the numbers of the policy's versions end."""

    name: str = "policy"
    number: int = 0
    file: str = ""
    """Checksum of the house's own file as it was last seen and could be used."""


POLICY_HEAD = Collection(METADATA, "policy_head", PolicyHead, key=lambda head: head.name)
"""One row, made by the migration: whoever applies a policy reads it first, and waits its turn."""


class Decided(Value):
    """What the policy decided about a case, with the facts by which it can be explained."""

    case_id: str
    decision: Decision


DECISIONS = Collection(METADATA, "decisions", Decided, key=lambda decided: decided.case_id)
"""One row per case that was triaged; further rounds go on with the same decision."""


def open_cases(connection: sa.Connection, units: set[str]) -> dict[str, int]:
    """How many open cases lie with each of these units."""
    table = HANDLINGS.table.c
    query = (
        sa.select(table.unit, sa.func.count().label("number"))
        .where(table.unit.in_(sorted(units)), table.state == State.OPEN.value)
        .group_by(table.unit)
    )
    counted = {row.unit: row.number for row in connection.execute(query)}
    return {unit: counted.get(unit, 0) for unit in units}
