"""Where a service's data is, is said by a URL or left to SQLite."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.domain.errors import ConfigurationError, Unavailable
from shared.storage.messaging import OutboxRow
from shared.storage.storage import Storage
from tests.contract.storage.workshop import METADATA, MIGRATIONS, TOOLS, Place, Tool


def test_without_a_url_the_data_is_a_file_of_the_services_own(tmp_path: Path) -> None:
    storage = Place(tmp_path / "new" / "folder").open()
    storage.migrate()
    storage.close()
    files = [path.name for path in (tmp_path / "new" / "folder").iterdir()]
    assert files == ["workshop.sqlite"]


def test_a_file_has_large_pages_and_is_written_through_to_the_disk(
    tmp_path: Path, now: datetime
) -> None:
    storage = Place(tmp_path).open()
    storage.migrate()
    with storage.transaction(now) as tx:
        synchronous = tx.connection.exec_driver_sql("pragma synchronous").scalar()
        journal = tx.connection.exec_driver_sql("pragma journal_mode").scalar()
        page = tx.connection.exec_driver_sql("pragma page_size").scalar()
    assert (synchronous, journal, page) == (2, "wal", 8192)
    storage.close()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_spelling_of_postgresql_is_understood(
    database: str, tmp_path: Path, now: datetime, scheme: str
) -> None:
    _, rest = database.split("://", 1)
    storage = Place(tmp_path, f"{scheme}://{rest}?application_name=mine").open()
    storage.migrate()
    with storage.transaction(now) as tx:
        settings = [
            tx.connection.exec_driver_sql(f"show {name}").scalar()
            for name in ("search_path", "application_name", "synchronous_commit", "fsync")
        ]
    assert settings == ["workshop", "mine", "on", "on"]
    assert list(tmp_path.iterdir()) == []
    storage.close()


def test_services_in_one_database_do_not_see_each_other(
    database: str, tmp_path: Path, now: datetime
) -> None:
    storages = [
        Storage.open(database, service, METADATA, MIGRATIONS, folder=tmp_path)
        for service in ("workshop", "smithy")
    ]
    for storage in storages:
        storage.migrate()
    with storages[0].transaction(now) as tx:
        tx.put(TOOLS, Tool(id="saw"))
    with storages[1].transaction(now) as tx:
        assert tx.get(TOOLS, "saw") is None
    for storage in storages:
        storage.close()


def test_keys_do_not_depend_on_the_collations_of_the_system(postgres_place: Place) -> None:
    storage = postgres_place.open()
    storage.migrate()
    query = sa.text(
        "select distinct column_name, collation_name from information_schema.columns"
        " where table_schema = current_schema() and table_name in ('inbox', 'tools')"
        " and column_name in ('id', 'key')"
    )
    with storage.read() as connection:
        assert set(connection.execute(query).all()) == {("key", "C"), ("id", "C")}
    storage.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "cannot be read"),
        ("mysql://me:secret@there/db", "begins with mysql"),
        ("sqlite:///there.db", "begins with sqlite"),
    ],
)
def test_an_unusable_url_is_refused_with_what_to_do(tmp_path: Path, url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{message}.*postgresql://") as caught:
        Place(tmp_path, url).open()
    assert "secret" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="name one in which this user may write"):
        Place(tmp_path / "file" / "folder").open()


def test_no_message_shows_the_password(tmp_path: Path) -> None:
    storage = Place(tmp_path, "postgresql://me:secret@127.0.0.1:1/db").open()
    with pytest.raises(Unavailable, match=r"me:\*\*\*@127.0.0.1:1/db, schema workshop") as caught:
        storage.migrate()
    assert "secret" not in str(caught.value)
    storage.close()


def test_errors_do_not_quote_what_was_stored(storage: Storage, now: datetime) -> None:
    with pytest.raises(sa.exc.DBAPIError) as caught, storage.transaction(now) as tx:
        tx.connection.execute(
            sa.text("insert into nowhere values (1, :line)"), {"line": "personal data"}
        )
    assert "personal data" not in str(caught.value)


def test_what_is_large_is_compressed_by_lz4_where_the_server_can(
    postgres_place: Place, now: datetime
) -> None:
    storage = postgres_place.open()
    storage.migrate()
    with storage.transaction(now) as tx:
        tx.send([OutboxRow("1", "key", b"words " * 2000, "text/plain")])
    with storage.read() as connection:
        used = connection.scalar(sa.text("select pg_column_compression(body) from outbox"))
        can = connection.scalar(
            sa.text(
                "select 'lz4' = any(enumvals) from pg_settings"
                " where name = 'default_toast_compression'"
            )
        )
    assert used == ("lz4" if can else "pglz")
    storage.close()
