"""A small service of the tests' own: what it stores, and how it is opened."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from shared.domain.case import Aggregate
from shared.domain.model import Value
from shared.storage.collection import Collection, Field, Log, aggregates, key_type
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
    key="id",
    fields=(
        Field("place", sa.Text(), "place", index=True),
        Field("uses", sa.Integer(), "uses"),
        Field("bought_at", sa.BigInteger(), "bought_at"),
        Field("sharp", sa.Boolean(), "sharp"),
    ),
)
sa.Index("ix_tools_worn", TOOLS.table.c.place, TOOLS.table.c.uses)
REPAIRS = aggregates(METADATA, "repairs", Repair, Field("unit", sa.Text(), "unit"))
DIARY = Log(
    METADATA,
    "diary",
    sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("line", sa.Text(), nullable=False),
    sa.Column("seal", sa.LargeBinary()),
)
LOANS = Log(
    METADATA,
    "loans",
    sa.Column("tool", key_type(), primary_key=True),
    sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("borrower", sa.Text()),
)
"""How often a tool was lent, and to whom."""


@dataclass(frozen=True)
class Place:
    """Where a workshop keeps its data."""

    folder: Path
    url: str | None = None
    service: str = "workshop"

    def open(self, migrations: str = MIGRATIONS) -> Storage:
        """Its storage; the schema is not migrated yet."""
        return Storage.open(self.url, self.service, METADATA, migrations, folder=self.folder)

    def child(self, what: str) -> list[str]:
        """The command for a process of its own that does something there."""
        arguments = [what, str(self.folder), self.service, *filter(None, [self.url])]
        return [sys.executable, "-m", "tests.contract.storage.child", *arguments]


def contents(storage: Storage) -> dict[str, int]:
    """Rows by table, where there are any."""
    with storage.read() as connection:
        counts = {
            name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for name, table in storage.metadata.tables.items()
        }
    return {name: count for name, count in counts.items() if count}


def uses(storage: Storage) -> int:
    """How often the only tool was used."""
    with storage.read() as connection:
        return connection.scalar(sa.select(TOOLS.table.c.uses)) or 0


def use(storage: Storage, now: datetime) -> None:
    """Use the saw once more: read, add one, write."""
    with storage.transaction(now) as tx:
        saw = tx.get(TOOLS, "saw") or Tool(id="saw")
        tx.put(TOOLS, saw.but(uses=saw.uses + 1))


def at_once(*tasks: Callable[[], object]) -> None:
    """Run each in a thread of its own, and wait for all."""
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
