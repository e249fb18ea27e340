"""A service's real storage, which crashes, is away, or keeps to itself that it has committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from services.embedded.catalogue import NAMES, load
from shared.domain.errors import Unavailable
from shared.runtime.service import Service
from shared.storage.sqlite import Sqlite
from shared.storage.storage import Storage
from shared.storage.tx import Tx
from tests.simulation.chance import Chance, Crash
from tests.simulation.records import Effect, Records

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of a random name is made in it
"""Where files lie in memory, on Linux: crashes are simulated, so no disk has to keep anything."""


@dataclass
class Watch:
    """What a replica's storage is told and tells."""

    name: str
    service: str
    chance: Chance
    records: Records
    effects: list[Effect] = field(default_factory=list)
    """Of the transaction that is under way."""
    stumbles: Counter[str] = field(default_factory=Counter)
    """How often a handler failed in it, by envelope."""


class FaultyStorage(Storage):
    """The storage of one replica; the file is shared, and outlives every crash."""

    def __init__(self, service: Service, folder: Path, watch: Watch) -> None:
        file = Sqlite(folder / f"{service.name}.sqlite")
        super().__init__(file, service.name, service.metadata, service.migrations)
        self.watch = watch

    @contextmanager
    def transaction(self, now: datetime) -> Iterator[Tx]:
        """See `Storage`; the process may crash just before and just after the commit."""
        chance, watch = self.watch.chance, self.watch
        if chance.strikes(0.01):
            raise Unavailable("the database is away")
        watch.effects.clear()
        watch.stumbles.clear()
        with super().transaction(now) as tx:
            yield tx
            if chance.strikes(0.03):
                raise Crash("before the commit")
            stored = self._compare(tx)
            sent = _sent(tx)
        for table, key, entity in stored:
            watch.records.remember(watch.service, table, key, entity)
        watch.records.keep(watch.service, watch.effects, [id_ for id_, _ in sent])
        self._tell(key for _, key in sent)
        if chance.strikes(0.02):
            raise Crash("after the commit")
        if chance.strikes(0.03):
            raise Unavailable("the connection was lost during the commit")

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """See `Storage`."""
        if self.watch.chance.strikes(0.01):
            raise Unavailable("the database is away")
        with super().read() as connection:
            yield connection

    def _compare(self, tx: Tx) -> list[tuple[str, str, object]]:
        stored = [
            (collection.table.name, key, entities.seen[key])
            for collection, entities in tx._entities.items()
            for key in entities.changed
            if entities.seen[key] is not None
        ]
        for table, key, entity in stored:
            self.watch.records.compare(self.watch.service, table, key, entity)
        return stored

    def _tell(self, keys: Iterable[str]) -> None:
        heard = Counter(f"{e.envelope.type} {e.outcome}" for e in self.watch.effects)
        sent = Counter(keys)
        if heard or sent:
            told = f"commits {_counted(heard) or 'a timer'} -> {_counted(sent) or 'nothing'}"
            self.watch.records.tell(self.watch.name, told)


def _sent(tx: Tx) -> list[tuple[str, str]]:
    """Ids and routing keys of the messages that a transaction is about to put into the outbox."""
    found = (rows for table, rows in tx._inserts.items() if table.name == "outbox")
    return [(f"{row[0]!s}", f"{row[1]!s}") for rows in found for row in rows]


def _counted(what: Mapping[str, int]) -> str:
    return ", ".join(f"{one} x{number}" for one, number in what.items())


@cache
def _templates() -> TemporaryDirectory[str]:
    """Empty databases with every table, migrated once in a process; removed with it."""
    folder = new_folder()
    for name in NAMES:
        service = load(name)
        storage = Storage.open(
            None, name, service.metadata, service.migrations, folder=Path(folder.name)
        )
        storage.migrate()
        storage.close()
    return folder


def new_folder() -> TemporaryDirectory[str]:
    """A folder for one history, in memory where that can be."""
    return TemporaryDirectory(
        prefix="concentric-", dir=MEMORY if MEMORY.is_dir() else None, ignore_cleanup_errors=True
    )


def lay_out(folder: Path) -> None:
    """Put an empty database for each service into a folder."""
    for file in Path(_templates().name).iterdir():
        if file.suffix == ".sqlite":
            copyfile(file, folder / file.name)
