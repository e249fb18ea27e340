"""Tables come to be by migrations: under a lock, all or nothing, never backwards."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.domain.errors import ConfigurationError
from shared.storage.migrations import VERSION_TABLE
from shared.storage.schema import assert_schema_matches
from shared.storage.storage import Storage
from tests.contract.storage.workshop import METADATA, MIGRATIONS, TOOLS, Place, Tool

Opener = Callable[..., Storage]


@pytest.fixture
def place(new_place: Place) -> Place:
    """Migrations are tried where no workshop has been yet."""
    return new_place


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of a newer release, which has a third one."""
    folder = tmp_path / "50% newer migrations"
    shutil.copytree(MIGRATIONS, folder)
    (folder / "0003_borrowers.py").write_text(
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        "revision, down_revision = '0003', '0002'\n"
        "def upgrade():\n"
        "    op.create_table('borrowers', sa.Column('key', sa.Text(), primary_key=True))\n"
    )
    return folder


def tables(storage: Storage) -> set[str]:
    with storage.read() as connection:
        return set(sa.inspect(connection).get_table_names())


def test_the_migrations_make_the_tables_that_the_code_declares(storage: Storage) -> None:
    assert_schema_matches(storage)
    assert tables(storage) == {*METADATA.tables, VERSION_TABLE}


@pytest.mark.parametrize(
    "change", ["alter table tools add extra integer", "drop index ix_tools_worn"]
)
def test_a_schema_that_is_not_as_declared_is_noticed(storage: Storage, change: str) -> None:
    engine = storage.backend.migrator()
    with engine.begin() as connection:
        connection.exec_driver_sql(change)
    with pytest.raises(AssertionError, match=r"extra|ix_tools_worn"):
        assert_schema_matches(storage)


def test_migrating_again_changes_nothing(storage: Storage, now: datetime) -> None:
    with storage.transaction(now) as tx:
        tx.put(TOOLS, Tool(id="saw"))
    storage.migrate()
    with storage.transaction(now) as tx:
        assert tx.get(TOOLS, "saw") == Tool(id="saw")


def test_a_newer_release_adds_its_migrations_and_keeps_the_data(
    storage: Storage, opener: Opener, newer: Path, now: datetime
) -> None:
    with storage.transaction(now) as tx:
        tx.put(TOOLS, Tool(id="saw"))
    upgraded = opener(str(newer))
    upgraded.migrate()
    assert "borrowers" in tables(upgraded)
    with upgraded.transaction(now) as tx:
        assert tx.get(TOOLS, "saw") == Tool(id="saw")


def test_a_schema_of_a_newer_release_is_refused(
    storage: Storage, opener: Opener, newer: Path
) -> None:
    upgraded = opener(str(newer))
    upgraded.migrate()
    with pytest.raises(ConfigurationError, match=r"schema 0003.*none after 0002.*Run that release"):
        storage.migrate()


def test_a_migration_that_fails_leaves_nothing_behind(opener: Opener, newer: Path) -> None:
    with (newer / "0003_borrowers.py").open("a") as file:
        file.write("    op.execute('insert into nowhere values (1)')\n")
    broken = opener(str(newer))
    with pytest.raises(sa.exc.DBAPIError, match="nowhere"):
        broken.migrate()
    assert tables(broken) == set()


def test_two_processes_may_migrate_at_once(opener: Opener, place: Place) -> None:
    pipe = subprocess.PIPE
    children = [
        subprocess.Popen(place.child("migrate"), stdin=pipe, stdout=pipe, stderr=pipe)
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"go\n")
        child.stdin.flush()
    for child in children:
        _, errors = child.communicate(timeout=60)
        assert (child.returncode, errors) == (0, b"")
    assert_schema_matches(opener())


def test_alembic_is_not_imported_where_nothing_is_to_be_done(
    storage: Storage, place: Place
) -> None:
    storage.migrate()
    child = subprocess.run(place.child("imported"), capture_output=True, text=True, check=True)
    assert child.stdout.split() == ["psycopg"] * (place.url is not None)


def test_a_package_without_migrations_is_refused(opener: Opener, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for migrations in (str(empty), "shared.storage", "shared.nowhere"):
        with pytest.raises(ConfigurationError, match="Install it again"):
            opener(migrations).migrate()
