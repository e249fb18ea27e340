"""SQLite: a file for each service, one writer at a time, readers that never wait."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import sqlalchemy as sa

from shared.domain.errors import ConfigurationError
from shared.storage.backend import begins_with
from shared.storage.hot_sqlite import SqliteHot

PATIENCE = 10.0
"""Seconds to wait for another process's write lock."""
MIGRATION_PATIENCE = 60.0
"""Seconds to wait while another process changes the schema."""
AWAY = (
    "SQLITE_BUSY",
    "SQLITE_CANTOPEN",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_LOCKED",
    "SQLITE_NOMEM",
    "SQLITE_PROTOCOL",  # too many processes opened the write-ahead log at once
    "SQLITE_READONLY",  # the file system was mounted anew after an error, or the rights are gone
)
"""Names with which the errors begin against which waiting can help, by sqlite.org/rescode.html."""

# SQLite takes these as they are; unless told so, the driver asks each value in three ways first.
sqlite3.register_adapter(bytes, bytes)
sqlite3.register_adapter(bool, int)
sqlite3.register_adapter(type(None), lambda none: none)

PAGE = 8192
"""Bytes of a page of a new file: a few rows with their bodies. Of smaller ones a commit changes
more, and each change of a page costs the same; larger ones make a commit of a single case long."""

LOGGED = 2000
"""Pages of the log, 16 MiB, after which they are written into the file: a page that changes often
is then written there half as often as by SQLite's own measure."""


class Sqlite:
    """A service's file; a commit returns when the operating system has it on the disk."""

    is_remote = False

    def __init__(self, file: Path) -> None:
        self.hot = SqliteHot()
        self.place = str(file)
        self._file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"The data folder {file.parent} cannot be made ({error.strerror}): name one in"
                " which this user may write."
            ) from error

    def lost(self, connection: sa.Connection) -> bool:  # noqa: ARG002
        """See `Backend`; a file does not hang up."""
        return False

    def writer(self) -> sa.Engine:
        """See `Backend`; the write lock is taken at once, so that no transaction fails half-way.

        A statement of many rows notes the pages that it changes, to take itself back if it fails:
        in memory, or every change would be written to a file that is thrown away.

        Some builds of SQLite write zeros over all that is deleted. `fast` does so where the page is
        written anyway, and leaves free pages as they are until they are used again.
        """
        engine = self._engine(
            PATIENCE,
            "pragma synchronous = full",
            "pragma temp_store = memory",
            "pragma secure_delete = fast",
            f"pragma wal_autocheckpoint = {LOGGED}",
            poolclass=sa.NullPool,
        )
        return begins_with(engine, "begin immediate")

    def readers(self) -> sa.Engine:
        """See `Backend`."""
        engine = self._engine(
            PATIENCE, "pragma query_only = on", poolclass=sa.QueuePool, pool_size=2, max_overflow=6
        )
        return begins_with(engine, "begin")

    def migrator(self) -> sa.Engine:
        """See `Backend`."""
        engine = self._engine(
            MIGRATION_PATIENCE, "pragma synchronous = full", poolclass=sa.NullPool
        )
        return begins_with(engine, "begin immediate")

    def take_turns(self, connection: sa.Connection) -> None:
        """See `Backend`; the transaction holds the write lock already."""

    def away(self, error: BaseException) -> str | None:
        """See `Backend`."""
        if isinstance(error, sqlite3.Error):
            # absent where the driver, not the database, raised the error
            name = getattr(error, "sqlite_errorname", "")
            return f"{self.place}: {error}" if name.startswith(AWAY) else None
        return None

    def _engine(self, patience: float, *pragmas: str, **pool: Any) -> sa.Engine:
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=self.place),
            # autocommit for the driver: `begins_with` says when and how a transaction begins
            connect_args={
                "isolation_level": None,
                "timeout": patience,
                "check_same_thread": False,
            },
            hide_parameters=True,
            **pool,
        )

        def connect(driver: sqlite3.Connection, _record: object) -> None:
            driver.execute(f"pragma page_size = {PAGE}").close()  # before anything is written
            _write_ahead(driver, patience)
            for pragma in pragmas:
                driver.execute(pragma).close()

        sa.event.listen(engine, "connect", connect)
        return engine


def _write_ahead(driver: sqlite3.Connection, patience: float) -> None:
    """Turn on the write-ahead log; two processes may do so to a new file at once.

    SQLite itself does not wait for a lock in this statement, whatever its timeout.
    """
    until = monotonic() + patience
    while True:
        try:
            driver.execute("pragma journal_mode = wal").close()
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or monotonic() > until:
                raise
            sleep(0.01)
        else:
            return
