"""A service's storage: one connection that writes, a small pool that reads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from shared.domain.errors import ConfigurationError, Unavailable
from shared.domain.model import micros
from shared.storage import migrations as schema_migrations
from shared.storage.backend import Backend
from shared.storage.messaging import (
    Counts,
    OutboxRow,
    Parked,
    messaging,
    outbox_row,
    parked_message,
)
from shared.storage.tx import Tx

PRUNE = 5_000
"""Rows of the inbox deleted in one transaction, so that the writer is never kept waiting long."""


class Storage:
    """Opened once by a service; its methods may be called from any thread.

    Everything raises `Unavailable` where the database is away, locked or full, where two
    transactions got into each other's way, and where no connection is free: wait and try again.
    Other errors of the database pass as they are.
    """

    floor: AbstractContextManager[object] = nullcontext()
    """Held by whoever computes, never while waiting: services of one process take turns by it, who
    are given the same lock (docs/decisions/one-has-the-floor.md)."""

    def __init__(
        self, backend: Backend, service: str, metadata: sa.MetaData, migrations: str
    ) -> None:
        self.backend = backend
        self.metadata = metadata
        self._service = service
        self._migrations = migrations
        self._tables = messaging(metadata)
        self._writer = backend.writer()
        self._readers = backend.readers()
        self._turn = threading.RLock()
        self._connection: sa.Connection | None = None

    @classmethod
    def open(
        cls, url: str | None, service: str, metadata: sa.MetaData, migrations: str, *, folder: Path
    ) -> Storage:
        """Open the schema `service` of a PostgreSQL database, or `folder/SERVICE.sqlite`.

        Connects only when first used. `migrations` is a package or a folder of revisions.
        """
        return cls(_backend(url, service, folder), service, metadata, migrations)

    def migrate(self) -> None:
        """Bring the schema up to date; replicas may do so at the same time.

        Raises `ConfigurationError` where a newer release has already changed the schema.
        """
        engine = self.backend.migrator()
        try:
            with self._errors():
                schema_migrations.migrate(self.backend, engine, self._service, self._migrations)
        finally:
            engine.dispose()

    @contextmanager
    def transaction(self, now: datetime) -> Iterator[Tx]:
        """Read and write: committed to the disk at the end, rolled back on an exception.

        One at a time; others wait. `now` stamps what is claimed and sent. The floor is held while
        everything is written, but not while the transaction begins or waits for the disk.
        """
        hot = self.backend.hot
        with self._turn, self._errors(), self._begun() as transaction:
            connection = transaction.connection
            tx = Tx(connection, hot, self._tables, _micros(now), self._errors)
            yield tx
            with self.floor:
                tx.flush(commit=True)
            transaction.commit()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that cannot write and sees one moment, however many queries are made."""
        with self._errors(), self._readers.begin() as connection:
            yield connection

    def outbox(
        self,
        *,
        before: datetime | None = None,
        known: Collection[str] = (),
        limit: int = 1000,
        room: int = sys.maxsize,
    ) -> list[OutboxRow]:
        """Messages that are still to be published, the oldest first, so many at most.

        `before` leaves out those that were sent then or later, `known` those that the asker has in
        hand. It ends with the message by which the bodies are longer than `room`.
        """
        outbox = self._tables.outbox
        # the database knows a body's length without reading it
        lying = sa.select(outbox.c.id, sa.func.length(outbox.c.body)).order_by(outbox.c.id)
        lying = lying.limit(limit + len(known))
        if before is not None:
            lying = lying.where(outbox.c.created_at < _micros(before))
        with self.read() as connection:
            ids: list[str] = []
            for id_, length in connection.execute(lying):
                if id_ not in known:
                    ids.append(id_)
                    room -= length
                if room < 0 or len(ids) == limit:
                    break
            rows = sa.select(outbox).where(outbox.c.id.in_(ids)).order_by(outbox.c.id)
            return [outbox_row(values) for values in connection.execute(rows)] if ids else []

    def counts(self, now: datetime | None = None) -> Counts:
        """What waits in the outbox and among the parked messages; ages are reckoned to `now`."""
        outbox, parked = self._tables.outbox, self._tables.parked
        count = sa.select(sa.func.count())
        with self.read() as connection:
            oldest = connection.scalar(
                sa.select(outbox.c.created_at).order_by(outbox.c.id).limit(1)
            )
            # the database knows a body's length without reading it
            size = sa.func.coalesce(sa.func.sum(sa.func.length(outbox.c.body)), 0)
            waiting, bytes_ = connection.execute(sa.select(sa.func.count(), size)).one()
            failed = connection.scalar(count.select_from(parked)) or 0
        age = 0 if oldest is None else _micros(now or datetime.now(UTC)) - oldest
        return Counts(
            outbox=waiting,
            parked=failed,
            outbox_age=max(age, 0) / 1_000_000,
            outbox_bytes=int(bytes_),
        )

    @property
    def parked_table(self) -> sa.Table:
        """Where parked messages lie (`shared.storage.parking`)."""
        return self._tables.parked

    def parked(
        self, *, ids: Sequence[str] | None = None, after: str = "", limit: int = 100
    ) -> list[Parked]:
        """Parked messages, the oldest first: those with these ids, or those after one."""
        parked = self._tables.parked
        query = sa.select(parked).where(parked.c.id > after).order_by(parked.c.id).limit(limit)
        if ids is not None:
            query = query.where(parked.c.id.in_(ids))
        with self.read() as connection:
            return [parked_message(values) for values in connection.execute(query)]

    def prune_inbox(self, before: datetime) -> int:
        """Forget messages that were claimed before then, and return how many.

        A message that is delivered once more after that would take effect a second time.
        """
        inbox = self._tables.inbox
        query = sa.select(inbox.c.id).where(inbox.c.received_at < _micros(before)).limit(PRUNE)
        forgotten = 0
        while True:
            with self.read() as connection:
                ids = connection.scalars(query).all()
            if not ids:
                return forgotten
            with self.transaction(before) as tx:
                tx.forget(ids)
            forgotten += len(ids)

    def close(self) -> None:
        """Let go of every connection; waits for a transaction that is under way."""
        with self._turn:
            self._disconnect()
        self._writer.dispose()
        self._readers.dispose()

    @contextmanager
    def _begun(self) -> Iterator[sa.RootTransaction]:
        transaction = self._begin()
        try:
            yield transaction
        except BaseException as error:
            # where the error came with the commit's answer, SQLAlchemy takes it for committed
            if self._reason(error) is not None or not transaction.is_active:
                self._disconnect()
            else:
                self._roll_back(transaction)
            raise

    def _begin(self) -> sa.RootTransaction:
        if self._connection is not None and self.backend.lost(self._connection):
            self._disconnect()  # the server may have been restarted since the last transaction
        try:
            if self._connection is None:
                self._connection = self._writer.connect()
            return self._connection.begin()
        except Exception as error:
            if self._reason(error) is not None:
                self._disconnect()
            raise

    def _roll_back(self, transaction: sa.RootTransaction) -> None:
        try:
            with suppress(Exception):  # the error that led here matters more
                self.backend.hot.settle(transaction.connection)
            transaction.rollback()
        except sa.exc.DBAPIError:
            # gone, and with it the transaction; here, too, the first error matters more
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.invalidate()
            connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            reason = self._reason(error)
            if reason is None:
                raise
            raise Unavailable(reason) from error

    def _reason(self, error: BaseException) -> str | None:
        if isinstance(error, sa.exc.TimeoutError):
            return f"{self.backend.place}: no connection became free in time"
        origin = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        return None if origin is None else self.backend.away(origin)


def _micros(at: datetime) -> int:
    found = micros(at)
    assert found is not None
    return found


def _backend(url: str | None, service: str, folder: Path) -> Backend:
    # each driver is loaded where it is used: PostgreSQL's costs 12 MB, SQLite's 2
    if url is None:
        from shared.storage.sqlite import Sqlite  # noqa: PLC0415

        return Sqlite(folder / f"{service}.sqlite")
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise ConfigurationError(
            "The database's URL cannot be read: write postgresql://USER:PASSWORD@HOST:5432/DATABASE"
        ) from error
    if parsed.drivername not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ConfigurationError(
            f"The database's URL begins with {parsed.drivername}: Concentric knows PostgreSQL"
            " (postgresql://…), and SQLite where no URL is given."
        )
    from shared.storage.postgres import Postgres  # noqa: PLC0415

    return Postgres(parsed, service)
