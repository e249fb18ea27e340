"""What an auditor reads of a history that has come to rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from services.embedded.catalogue import NAMES, load
from services.ledger import queries
from services.ledger.journal import Entry
from shared.domain.events import Event
from shared.runtime.books import lines
from shared.storage.collection import Collection, M
from shared.storage.storage import Storage

if TYPE_CHECKING:
    from tests.simulation.history import History

E = TypeVar("E", bound=Event)

Storages = dict[str, Storage]


@contextmanager
def opened(history: History) -> Iterator[Storages]:
    """The databases, read as an auditor reads them."""
    storages = {}
    for name in NAMES:
        service, folder = load(name), history.house.folder
        storages[name] = Storage.open(
            None, name, service.metadata, service.migrations, folder=folder
        )
    try:
        yield storages
    finally:
        for storage in storages.values():
            storage.close()


def heard(history: History, *kinds: type[E]) -> list[E]:
    """The events of these types that reached anybody."""
    events = (envelope.data for envelope in history.records.heard.values())
    return [event for event in events if isinstance(event, kinds)]


def books(storage: Storage, name: str) -> list[Any]:
    """The lines of a service's books, as the audit compares them."""
    with storage.read() as connection:
        return list(lines(connection, load(name).books))


def journal(storages: Storages) -> list[Entry]:
    """Every entry of the ledger's journal."""
    with storages["ledger"].read() as connection:
        return list(queries.journal(connection))


def entities(storage: Storage, collection: Collection[M]) -> list[M]:
    """Everything that a collection holds."""
    with storage.read() as connection:
        bodies = connection.scalars(sa.select(collection.table.c.body))
        return [collection.parse(body) for body in bodies]
