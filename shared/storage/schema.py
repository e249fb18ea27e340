"""The proof, for tests, that a service's migrations make the tables that its code declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

if TYPE_CHECKING:
    from shared.storage.storage import Storage


def assert_schema_matches(storage: Storage) -> None:
    """Compare the migrated schema with the metadata; raises AssertionError with what differs."""
    engine = storage.backend.migrator()
    try:
        with engine.connect() as connection:
            differences = compare_metadata(MigrationContext.configure(connection), storage.metadata)
    finally:
        engine.dispose()
    if differences:
        listed = "\n".join(f"  {difference}" for difference in differences)
        raise AssertionError(f"{storage.backend.place} is not what the code declares:\n{listed}")
