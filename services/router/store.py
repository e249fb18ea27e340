"""The router's own tables."""

from __future__ import annotations

import sqlalchemy as sa

from shared.domain.aggregates import Decision, Handling
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


class Decided(Value):
    """What the policy decided about a case, with the facts by which it can be explained."""

    case_id: str
    decision: Decision


DECISIONS = Collection(METADATA, "decisions", Decided, key=lambda decided: decided.case_id)
"""One row per case that was triaged; further rounds go on with the same decision."""
