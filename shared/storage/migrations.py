"""Bring a service's schema up to date, under a lock, in one transaction.

A migration is a plain Alembic revision in a file `NNNN_what.py` whose revision is `NNNN`. Names
alone therefore tell whether anything is to be done, and Alembic, which costs 190 ms and 9 MB to
import, is imported only then (docs/decisions/alembic-migrations.md).
"""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

import sqlalchemy as sa

from shared.domain.errors import ConfigurationError
from shared.storage.backend import Backend

VERSION_TABLE = "alembic_version"
_REVISION = re.compile(r"(\d{4})_\w+\.py")


def migrate(backend: Backend, engine: sa.Engine, service: str, migrations: str) -> None:
    """Apply the migrations that are missing; two processes at once take turns.

    `migrations` is a package such as `services.router.migrations`, or a folder. Raises
    `ConfigurationError` where the schema is newer than the migrations that are known.
    """
    folder = _folder(migrations)
    known = _revisions(folder)
    with engine.begin() as connection:
        if _is_current(connection, known, service, backend):
            return
    with engine.begin() as connection:
        backend.take_turns(connection)
        if not _is_current(connection, known, service, backend):
            _upgrade(connection, folder, known[-1])


def _folder(migrations: str) -> Path:
    if os.sep in migrations:
        return Path(migrations)
    spec = importlib.util.find_spec(migrations)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            f"There is no package {migrations}: the installation is not complete. Install it again."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _revisions(folder: Path) -> list[str]:
    found = sorted(m[1] for path in folder.iterdir() if (m := _REVISION.fullmatch(path.name)))
    if not found:
        raise ConfigurationError(
            f"{folder} holds no migration (NNNN_what.py): the installation is not complete."
            " Install it again."
        )
    return found


def _is_current(
    connection: sa.Connection, known: list[str], service: str, backend: Backend
) -> bool:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return False
    version = connection.execute(
        sa.select(sa.column("version_num")).select_from(sa.table(VERSION_TABLE))
    ).scalar()
    if version is not None and version not in known:
        raise ConfigurationError(
            f"The data of {service} ({backend.place}) has schema {version}, but this program knows"
            f" none after {known[-1]}: it was written by a newer release. Run that release or a"
            " later one, or restore the backup from before the upgrade."
        )
    return bool(version == known[-1])


def _upgrade(connection: sa.Connection, folder: Path, head: str) -> None:
    from alembic import command  # noqa: PLC0415 - see the module's first lines
    from alembic.config import Config  # noqa: PLC0415

    config = Config(
        attributes={"connection": connection, "version_table": VERSION_TABLE},
    )
    for option, value in (
        ("script_location", str(Path(__file__).parent)),
        ("version_locations", str(folder)),
        ("path_separator", "newline"),
    ):
        config.set_main_option(option, value.replace("%", "%%"))
    command.upgrade(config, head)
