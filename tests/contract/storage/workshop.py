"""A small service of the tests' own: what it stores, and how it is opened."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from shared.domain.case import Aggregate
from shared.domain.model import Value
from shared.storage.collection import Collection, Field, Log, aggregates
from shared.storage.storage import Storage

MIGRATIONS = str(Path(__file__).parent / "migrations")


class Tool(Value):
    """An entity with a column of every type that can be extracted."""

    id: str
    place: str | None = None
    uses: int = 0
    bought_at: int = 0
    sharp: bool | None = None


class Repair(Aggregate):
    """An aggregate."""

    unit: str = ""


METADATA = sa.MetaData()
TOOLS = Collection(
    METADATA,
    "tools",
    Tool,
    key=lambda tool: tool.id,
    fields=(
        Field("place", sa.Text(), lambda tool: tool.place, index=True),
        Field("uses", sa.Integer(), lambda tool: tool.uses),
        Field("bought_at", sa.BigInteger(), lambda tool: tool.bought_at),
        Field("sharp", sa.Boolean(), lambda tool: tool.sharp),
    ),
    indexes=(sa.Index("ix_tools_worn", "place", "uses"),),
)
REPAIRS = aggregates(
    METADATA, "repairs", Repair, Field("unit", sa.Text(), lambda repair: repair.unit)
)
DIARY = Log(
    METADATA,
    "diary",
    sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("line", sa.Text(), nullable=False),
    sa.Column("seal", sa.LargeBinary()),
)


def open_workshop(url: str | None, folder: Path, migrations: str = MIGRATIONS) -> Storage:
    """The workshop's storage; its schema is not migrated yet."""
    return Storage.open(url, "workshop", METADATA, migrations, folder=folder)
