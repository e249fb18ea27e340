"""The router's own tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from shared.domain.aggregates import Decision, Handling
from shared.domain.case import State
from shared.domain.model import Value
from shared.storage.collection import Collection, Field, Log, aggregates, key_type

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


DECISIONS = Log(
    METADATA,
    "decisions",
    sa.Column("case_id", key_type(), primary_key=True),
    sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text(), nullable=False),
)
"""What the policy decided about each case, with the facts by which it can be explained.

One row per triage, known by the version of the handling that it led to: the first, and one more
whenever a case is decided anew. Further rounds go on with the same decision.
"""


def decisions(connection: sa.Connection, case_id: str) -> dict[int, Decision]:
    """What was decided about a case, by the handling's version; the newest comes last.

    One that was kept by a release that knew a case's newest decision alone has version 0.
    """
    kept = DECISIONS.table.c
    query = sa.select(kept.version, kept.body).where(kept.case_id == case_id)
    rows = connection.execute(query.order_by(kept.version))
    return {version: Decision.from_json(body) for version, body in rows}


def newest_decision(connection: sa.Connection, case_id: str) -> Decision | None:
    """What was decided about a case last; None where nothing was."""
    return next(reversed(decisions(connection, case_id).values()), None)


def counting(units: Iterable[str]) -> sa.Select[Any]:
    """Each of these units that has open cases, and how many."""
    unit = HANDLINGS.table.c.unit
    return sa.select(unit, sa.func.count()).where(unit.in_(sorted(units)), _IS_OPEN).group_by(unit)


def open_cases(connection: sa.Connection, units: set[str]) -> dict[str, int]:
    """How many open cases lie with each of these units."""
    counted = {row[0]: row[1] for row in connection.execute(counting(units))}
    return {unit: counted.get(unit, 0) for unit in units}
