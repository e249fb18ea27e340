"""The workshop's storage on SQLite and on PostgreSQL: every test here runs on both."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from shared.storage.storage import Storage
from tests.contract.storage.workshop import MIGRATIONS, Place
from tests.support.servers import Server, fresh

Opener = Callable[..., Storage]


@pytest.fixture(scope="session")
def workshops(postgres: Server) -> Iterator[str]:
    """A PostgreSQL database for all workshops, which makes a new one cheaper."""
    with fresh.database(postgres) as url:
        yield url


@pytest.fixture
def postgres_place(workshops: str, tmp_path: Path) -> Place:
    """A schema in PostgreSQL where no workshop has been yet."""
    return Place(tmp_path, workshops, service=f"workshop_{secrets.token_hex(4)}")


@pytest.fixture(params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place where no workshop has been yet."""
    if request.param == "sqlite":
        return Place(tmp_path)
    return cast("Place", request.getfixturevalue("postgres_place"))


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place for a workshop, in PostgreSQL one where others have been: that is cheaper."""
    if request.param == "sqlite":
        return Place(tmp_path)
    return Place(tmp_path, request.getfixturevalue("workshops"))


@pytest.fixture
def opener(place: Place) -> Iterator[Opener]:
    """Opens the same storage anew, as a replica does."""
    with ExitStack() as stack:

        def open_(migrations: str = MIGRATIONS) -> Storage:
            storage = place.open(migrations)
            stack.callback(storage.close)
            return storage

        yield open_


@pytest.fixture
def storage(opener: Opener, now: datetime) -> Storage:
    """The workshop's storage, up to date and empty."""
    storage = opener()
    storage.migrate()
    with storage.transaction(now) as tx:
        for table in storage.metadata.sorted_tables:
            tx.connection.execute(table.delete())
    return storage


@pytest.fixture
def replica(storage: Storage, opener: Opener) -> Storage:
    """A second writer on the same data."""
    return opener()


@pytest.fixture
def now() -> datetime:
    """Any moment."""
    return datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
