"""One transaction: what a batch reads, and what it will write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import chain, starmap
from typing import Any

import sqlalchemy as sa

from shared.storage.backend import Changes, Claim, Hot, Row, Upsert
from shared.storage.collection import Collection, Log, M, Scalar
from shared.storage.messaging import (
    Messaging,
    OutboxRow,
    Parked,
    outbox_values,
    parked_message,
    parked_values,
)

Key = tuple[str | int, ...]
"""What tells a row of a log from others: the values of its primary key."""

PART = 500
"""Rows that are worth a statement of their own: the database is at them while Python puts others
together."""

_UNKNOWN = object()


class _Entities:
    """The entities of one collection as a transaction sees them."""

    __slots__ = ("absent", "changed", "seen")

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}
        """By key; None is absent."""
        self.absent: set[str] = set()
        """Keys that were not in the database."""
        self.changed: set[str] = set()
        """Keys of what is seen, but not in the database yet."""

    @property
    def gone(self) -> list[str]:
        """Keys of what is to be deleted, in their order."""
        return sorted(key for key in self.changed if self.seen[key] is None)

    def restore(self, key: str, before: Any, changed: bool) -> None:
        """Make a key what it was; `_UNKNOWN` was not seen."""
        if before is _UNKNOWN:
            del self.seen[key]
        else:
            self.seen[key] = before
        if not changed:
            self.changed.discard(key)


class Tx:
    """Reads through an identity map; writes at the end, a statement for each table and 500 rows.

    What was read is nobody else's until the transaction ends: a replica that wants it waits.
    Not for use by several threads.
    """

    def __init__(
        self,
        connection: sa.Connection,
        hot: Hot,
        messaging: Messaging,
        now: int,
        errors: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`errors` raises `Unavailable` for the driver's errors against which waiting can help."""
        self._connection = connection
        self._hot = hot
        self._messaging = messaging
        self._now = now
        self._errors = errors
        self._entities: defaultdict[Collection[Any], _Entities] = defaultdict(_Entities)
        self._inserts: defaultdict[sa.Table, list[Row]] = defaultdict(list)
        self._deletes: dict[sa.Table, list[str]] = {}
        self._revisions: list[tuple[sa.Table, Key, str, Scalar]] = []
        self._undo: list[tuple[Any, ...]] = []
        """What to call, and with what, to take back what was put, one after the other."""
        self._gathered = 0
        """Rows of logs since some were inserted ahead."""

    @property
    def connection(self) -> sa.Connection:
        """For queries of a service's own; they do not see what is still buffered."""
        with self._errors():
            self._hot.settle(self._connection)
        return self._connection

    def open(self, ids: Sequence[str], needs: Iterable[tuple[Collection[Any], str]]) -> set[str]:
        """Claim messages and read what will be needed: `claim` and `preload` in one go."""
        keys = self._unseen(needs)
        if not ids and not keys:
            return set()
        claim = Claim(self._messaging.inbox, ids, self._now) if ids else None
        # in a fixed order, so that two replicas wait for each other, not in a circle
        wanted = {c.table: sorted(keys[c]) for c in sorted(keys, key=lambda c: c.table.name)}
        with self._errors():  # here, because a handler that meets a bare error counts as mistaken
            opened = self._hot.open(self._connection, claim, wanted)
        for collection, missing in keys.items():
            entities = self._entities[collection]
            read = map(collection.parse, opened.bodies[collection.table])
            found = {collection.key(entity): entity for entity in read}
            missing.difference_update(found)
            entities.seen.update(found)
            entities.seen.update(dict.fromkeys(missing))
            entities.absent |= missing
        return opened.unclaimed

    def claim(self, ids: Sequence[str]) -> set[str]:
        """Claim messages in the inbox at once, and return those that nobody had claimed.

        Waits where another replica has claimed one of them and has not ended yet.
        """
        return self.open(ids, ())

    def preload(self, needs: Iterable[tuple[Collection[Any], str]]) -> None:
        """Read what will be needed, one query for each collection; absent keys are remembered."""
        self.open((), needs)

    def get(self, collection: Collection[M], key: str) -> M | None:
        """An entity as this transaction sees it, its own puts included; None where there is none.

        The same object every time, until something else is put.
        """
        seen = self._entities[collection].seen
        if key not in seen:
            self.preload([(collection, key)])
        found: M | None = seen[key]
        return found

    def put(self, collection: Collection[M], entity: M) -> None:
        """Write an entity at the end; putting back the very object that was got writes nothing."""
        self._set(collection, collection.key(entity), entity)

    def remove(self, collection: Collection[M], key: str) -> None:
        """Delete an entity at the end; one that is not there does not matter."""
        self._set(collection, key, None)

    def revise(self, log: Log, key: Key, column: str, value: Scalar) -> None:
        """Write another value into a row of a log that was committed earlier, at the end.

        A log is only ever appended to; what this is for is to erase.
        """
        self._revise(log.table, key, column, value)

    def append(self, log: Log, *values: Scalar) -> None:
        """Append a row to a log; the values in the order of its columns."""
        self._insert(log.table, values)
        self._gathered += 1

    def send(self, messages: Sequence[OutboxRow]) -> None:
        """Put messages into the outbox at the end."""
        for message in messages:
            self._insert(self._messaging.outbox, outbox_values(message, self._now))

    def discard(self, ids: Sequence[str]) -> None:
        """Delete rows of the outbox that were published; ids that are not there do not matter."""
        self._delete(self._messaging.outbox, ids)

    def park(self, parked: Parked) -> None:
        """Keep a message that cannot be handled."""
        self._insert(self._messaging.parked, parked_values(parked))

    def parked_about(self, case_id: str) -> list[Parked]:
        """What lies aside and is about a case, or about cases that the row does not name."""
        parked = self._messaging.parked
        about = sa.or_(parked.c.case_id == case_id, parked.c.case_id.is_(None))
        rows = self.connection.execute(sa.select(parked).where(about).order_by(parked.c.id))
        return [parked_message(row) for row in rows]

    def repark(self, parked: Parked) -> None:
        """Replace what a message that lies aside says, and why it does, by what is left of it."""
        for column in ("body", "reason", "trace"):
            value: Scalar = getattr(parked, column)
            self._revise(self._messaging.parked, (parked.id,), column, value)

    def take_parked(self, id_: str) -> Parked | None:
        """Delete a parked message at once, and return it; None where it no longer lies there.

        Of two who want it, one waits for the other's transaction to end and then finds nothing.
        """
        parked = self._messaging.parked
        query = sa.delete(parked).where(parked.c.id == id_).returning(parked)
        found = self.connection.execute(query).one_or_none()
        return None if found is None else parked_message(found)

    def forget(self, ids: Sequence[str]) -> None:
        """Delete claims, after which a message would take effect again."""
        self._delete(self._messaging.inbox, ids)

    def keep(self) -> None:
        """What was put so far stays, and need not be remembered for `undo`.

        Many rows of logs set out now: the database is at them while the rest is put together.
        """
        self._undo.clear()
        if self._gathered > PART:
            self._hot.insert_ahead(self._connection, self._gathered_rows())
            self._inserts.clear()
            self._gathered = 0

    def undo(self) -> None:
        """Forget everything buffered since `keep`; claims stay."""
        while self._undo:
            take_back, *given = self._undo.pop()
            take_back(*given)

    def flush(self, *, commit: bool = False) -> None:
        """Write everything; called by `Storage`, which will `commit` then."""
        for table, key, column, value in self._revisions:
            same = (known == part for known, part in zip(table.primary_key, key, strict=True))
            self.connection.execute(sa.update(table).where(*same).values({column: value}))
        by_table = sorted(self._entities.items(), key=lambda pair: pair[0].table.name)
        changed = [pair for pair in by_table if pair[1].changed]
        removed = {kind.table: gone for kind, entities in changed if (gone := entities.gone)}
        changes = Changes(
            inserts=self._gathered_rows(),
            upserts=chain.from_iterable(starmap(_upserts, changed)),
            deletes={table: ids for table, ids in self._deletes.items() if ids} | removed,
        )
        if changed or changes.inserts or changes.deletes:
            self._hot.write(self._connection, changes, commit=commit)
        else:
            self._hot.settle(self._connection)

    def _gathered_rows(self) -> dict[sa.Table, list[Row]]:
        return {table: rows for table, rows in self._inserts.items() if rows}

    def _unseen(
        self, needs: Iterable[tuple[Collection[Any], str]]
    ) -> dict[Collection[Any], set[str]]:
        keys: defaultdict[Collection[Any], set[str]] = defaultdict(set)
        for collection, key in needs:
            if key not in self._entities[collection].seen:
                keys[collection].add(key)
        return keys

    def _set(self, collection: Collection[M], key: str, entity: M | None) -> None:
        entities = self._entities[collection]
        before = entities.seen.get(key, _UNKNOWN)
        if before is not entity:
            self._undo.append((entities.restore, key, before, key in entities.changed))
            entities.seen[key] = entity
            entities.changed.add(key)

    def _insert(self, table: sa.Table, row: Row) -> None:
        rows = self._inserts[table]
        rows.append(row)
        self._undo.append((rows.pop,))

    def _revise(self, table: sa.Table, key: Key, column: str, value: Scalar) -> None:
        self._revisions.append((table, key, column, value))
        self._undo.append((self._revisions.pop,))

    def _delete(self, table: sa.Table, ids: Sequence[str]) -> None:
        kept = self._deletes.setdefault(table, [])
        before = len(kept)
        kept.extend(ids)
        self._undo.append((kept.__delitem__, slice(before, None)))


def _upserts(collection: Collection[Any], entities: _Entities) -> Iterator[Upsert]:
    """In parts: the database is at one while the next is put together."""
    seen, row = entities.seen, collection.row
    there = {key for key in entities.changed if seen[key] is not None}
    for new, keys in ((True, there & entities.absent), (False, there - entities.absent)):
        ordered = sorted(keys)
        for first in range(0, len(ordered), PART):
            rows = [row(seen[key]) for key in ordered[first : first + PART]]
            yield Upsert(collection.table, rows, new=new)
