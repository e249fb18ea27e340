"""The router's own tables."""

from __future__ import annotations

import sqlalchemy as sa

from shared.domain.aggregates import Handling
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
