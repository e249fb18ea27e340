"""The tables of a service as an earlier release left them, to be filled and then upgraded."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from shared.runtime.service import Service
from shared.storage.storage import Storage


def earlier(service: Service, last: str, folder: Path, url: str | None) -> Storage:
    """The storage of the release that ended with that revision, such as `0003`."""
    package = Path(cast("str", import_module(service.migrations).__file__)).parent
    migrations = folder / f"{service.name}-earlier"
    migrations.mkdir()
    for file in package.glob("0*.py"):
        if file.name[:4] <= last:
            shutil.copy(file, migrations)
    storage = Storage.open(url, service.name, service.metadata, str(migrations), folder=folder)
    storage.migrate()
    return storage


def write(storage: Storage, table: str, **row: Any) -> None:
    """A row, by its columns' names."""
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in row]
    with storage.transaction(datetime.now(UTC)) as tx:
        tx.connection.execute(sa.insert(sa.table(table, *columns)).values(row))
