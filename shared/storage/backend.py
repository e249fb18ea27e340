"""What `Storage` asks of a database; sqlite.py and postgres.py are the two implementations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from shared.storage.collection import Scalar

Row = tuple[Scalar, ...]
"""Values in the order of a table's columns; the first is the primary key."""


@dataclass(frozen=True, slots=True)
class Upsert:
    """Rows to be written, in the order of their keys, no key twice."""

    table: sa.Table
    rows: Sequence[Row]
    new: bool
    """Whether this transaction has read them as absent, so that nobody may have written them since;
    others are written whether or not they exist."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that a transaction writes at its end."""

    inserts: Mapping[sa.Table, Sequence[Row]]
    upserts: Iterable[Upsert]
    """To be gone through once: each is put together when it is asked for. A table may come several
    times, no row of it twice."""
    deletes: Mapping[sa.Table, Sequence[str]]
    """Primary keys."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Messages that a transaction wants for itself."""

    inbox: sa.Table
    ids: Sequence[str]
    at: int
    """The moment in microseconds."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a transaction begins with."""

    unclaimed: set[str]
    """Ids of messages that nobody had claimed."""
    bodies: Mapping[sa.Table, Sequence[bytes]]
    """Of the rows that exist."""


class Hot(Protocol):
    """The few statements that run for every batch, in the fastest form that a database has."""

    def open(
        self,
        connection: sa.Connection,
        claim: Claim | None,
        wanted: Mapping[sa.Table, Sequence[str]],
    ) -> Opened:
        """Claim messages and read the bodies of those rows that exist, in one go.

        What was read is locked until the end of the transaction.
        """

    def insert_ahead(
        self, connection: sa.Connection, inserts: Mapping[sa.Table, Sequence[Row]]
    ) -> None:
        """Begin to insert rows, and do not wait for it.

        Whether that failed is told by whatever is asked next. `settle` comes before any other use
        of the connection.
        """

    def settle(self, connection: sa.Connection) -> None:
        """Wait for what was begun ahead; raises its error."""

    def write(self, connection: sa.Connection, changes: Changes, *, commit: bool) -> None:
        """Write everything; where somebody else wrote a `new` key, an error that `away` knows.

        With `commit` the transaction may be committed in the same go. Who asks for that commits
        all the same, which then does nothing more.
        """


class Backend(Protocol):
    """One database, or one schema of it."""

    @property
    def hot(self) -> Hot:
        """The hot statements."""

    @property
    def place(self) -> str:
        """Where it is, for messages to people; holds no password."""

    @property
    def is_remote(self) -> bool:
        """Whether connections can be lost, so that it helps to make a new one."""

    def lost(self, connection: sa.Connection) -> bool:
        """Whether a connection that did nothing has been closed by the other side meanwhile."""

    def writer(self) -> sa.Engine:
        """An engine for the connection that writes; a transaction may begin at any time."""

    def readers(self) -> sa.Engine:
        """A small pool; a transaction sees one moment and cannot write."""

    def migrator(self) -> sa.Engine:
        """An engine for one use: changing the schema, or comparing it."""

    def take_turns(self, connection: sa.Connection) -> None:
        """Wait until nobody else changes the schema, and make sure that there is one."""

    def away(self, error: BaseException) -> str | None:
        """Why waiting and trying again can help against the error, or None."""


def begins_with(engine: sa.Engine, statement: str) -> sa.Engine:
    """Make every transaction of an engine, whose driver is in autocommit, begin so."""

    def begin(connection: sa.Connection) -> None:
        # asking the driver itself is three times as fast
        driver: Any = connection.connection.driver_connection
        driver.execute(statement)

    sa.event.listen(engine, "begin", begin)
    return engine


def names(columns: Iterable[sa.Column[Any]]) -> str:
    """Quoted names of columns."""
    return ", ".join(f'"{column.name}"' for column in columns)


def key_name(table: sa.Table) -> str:
    """The name of the one column by which rows are known."""
    (column,) = table.primary_key
    return column.name
