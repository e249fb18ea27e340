"""From the outbox to the bus: publishes what was committed, unchanged, until it is confirmed."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic

from shared.bus.protocol import Bus, Message
from shared.domain.errors import Unavailable
from shared.observe.logs import Logger, place_of
from shared.observe.metrics import Metrics
from shared.runtime.backlog import Backlog
from shared.storage.messaging import OutboxRow
from shared.storage.storage import Storage

BATCH = 200
"""The most messages published before their confirms are awaited."""

BATCH_BYTES = 128 * 1024
"""About the most bytes of them: in one process their readers hold all of that, read, in memory."""

MEMORY_BYTES = 1024 * 1024
"""The most bytes kept in memory; beyond that rows are read from the outbox in their turn."""

CATCH_UP = 50
"""Rows read from the outbox at a time."""

SWEEP = 10.0
"""Seconds between two looks for rows that another replica committed and did not publish."""

ORPHANED = timedelta(seconds=30)
"""Age at which a row counts as left behind: publishing it twice would do no harm, only work."""

LONGEST_PAUSE = 5.0
"""The longest pause between two tries, in seconds."""

LOOK = 0.25
"""Seconds between two looks whether the bus is back."""


class Relay(threading.Thread):
    """Publishes the outbox of one service in a thread of its own.

    The worker hands over rows after their commit, so that none is read back at all as long as
    the relay keeps up. Published rows are deleted by the worker, in its next transaction.
    """

    def __init__(
        self,
        name: str,
        storage: Storage,
        bus: Bus,
        metrics: Metrics,
        log: Logger,
        backlog: Backlog,
    ) -> None:
        super().__init__(name=f"{name}-relay", daemon=True)
        self._service = name
        self._storage = storage
        self._bus = bus
        self._metrics = metrics
        self._log = log
        self._backlog = backlog
        self._changed = threading.Condition()
        self._waiting: deque[OutboxRow] = deque()
        self._bytes = 0
        """Of the bodies that wait."""
        self._known: set[str] = set()
        """Ids that wait, are on their way, or are published and not yet deleted."""
        self._published: list[str] = []
        self._behind = True
        """Whether the outbox may hold rows that are not in memory."""
        self._reading = False
        self._halt = threading.Event()
        self._deadline = 0.0
        self._swept = monotonic()

    def offer(self, rows: Sequence[OutboxRow]) -> None:
        """Take over rows that were committed just now."""
        if not rows:
            return
        self._backlog.committed(rows)
        with self._changed:
            if self._bytes > MEMORY_BYTES:
                self._behind = True
            else:
                # Catching up may have read them between their commit and now.
                self._enqueue([row for row in rows if row.id not in self._known])
            self._changed.notify()

    def published(self) -> list[str]:
        """Ids that the bus confirmed and that can be deleted."""
        with self._changed:
            return list(self._published)

    def forget(self, ids: Sequence[str]) -> None:
        """These were deleted."""
        if not ids:
            return
        with self._changed:
            del self._published[: len(ids)]
            self._known.difference_update(ids)

    @property
    def idle(self) -> bool:
        """Whether everything committed has been confirmed."""
        with self._changed:
            return not (self._behind or self._reading) and len(self._known) == len(self._published)

    def stop(self, seconds: float) -> None:
        """Publish what is left, for so long at the most; the rest stays in the outbox."""
        with self._changed:
            self._deadline = monotonic() + seconds
            self._halt.set()
            self._changed.notify()

    def run(self) -> None:
        """Publish until told to stop."""
        pause = 0.05
        while rows := self._next():
            try:
                self._publish(rows)
            except Unavailable as away:
                self._log.warning("bus away", reason=str(away), pause=round(pause, 2))
                if self._rest(pause * random.uniform(0.5, 1.5)):
                    return
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = 0.05

    def step(self) -> None:
        """Take the next rows and publish them once. Whoever has no thread calls it."""
        rows = self._next()
        if rows:
            self._publish(rows)

    def _publish(self, rows: Sequence[OutboxRow]) -> None:
        """Note rows as published once the bus has all of them; until then they wait."""
        try:
            self._bus.publish([_message(row) for row in rows])
        except Unavailable:
            self._put_back(rows)
            raise
        self._backlog.confirmed(rows)
        self._metrics.published.labels(self._service).inc(len(rows))
        with self._changed:
            self._published.extend(row.id for row in rows)

    def _rest(self, seconds: float) -> bool:
        """Wait for so long, or until a bus that is away is back; True when it is time to end.

        The bus has its own pauses between its tries to connect, which need not be waited out twice.
        """
        until, away = monotonic() + seconds, self._bus.problem is not None
        while (left := until - monotonic()) > 0 and not (away and self._bus.problem is None):
            if self._halt.wait(min(left, LOOK)):
                return True
        return False

    def _next(self) -> list[OutboxRow]:
        """The next rows to publish, waiting for them; none when stopped."""
        while True:
            with self._changed:
                if self._halt.is_set() and (monotonic() > self._deadline or not self._waiting):
                    return []
                if self._waiting:
                    return self._dequeue()
                due = monotonic() - self._swept > SWEEP
                if not self._behind and not due:
                    self._changed.wait(SWEEP)
                    continue
            self._catch_up()

    def _catch_up(self) -> None:
        """Read rows that are not in memory: all when behind, otherwise those left behind."""
        self._swept = monotonic()
        with self._changed:
            behind, self._behind, self._reading = self._behind, False, True
            limit = CATCH_UP + len(self._known)
        try:
            before = None if behind else datetime.now(UTC) - ORPHANED
            rows = self._storage.outbox(before=before, limit=limit)
        except Exception as away:  # noqa: BLE001 - whatever it is, the thread goes on
            reason = str(away) if isinstance(away, Unavailable) else place_of(away)
            self._log.warning("outbox cannot be read", reason=reason)
            with self._changed:
                self._behind, self._reading = True, False
            self._halt.wait(1.0)
            return
        with self._changed:
            new = [row for row in rows if row.id not in self._known]
            self._enqueue(new)
            self._behind = self._behind or (behind and bool(new))
            self._reading = False

    def _enqueue(self, rows: Sequence[OutboxRow]) -> None:
        self._waiting.extend(rows)
        self._known.update(row.id for row in rows)
        self._bytes += sum(len(row.body) for row in rows)

    def _dequeue(self) -> list[OutboxRow]:
        rows: list[OutboxRow] = []
        size = 0
        while self._waiting and len(rows) < BATCH and size < BATCH_BYTES:
            rows.append(self._waiting.popleft())
            size += len(rows[-1].body)
        self._bytes -= size
        return rows

    def _put_back(self, rows: Sequence[OutboxRow]) -> None:
        with self._changed:
            self._waiting.extendleft(reversed(rows))
            self._bytes += sum(len(row.body) for row in rows)


def _message(row: OutboxRow) -> Message:
    return Message(
        id=row.id,
        key=row.key,
        body=row.body,
        content_type=row.content_type,
        headers=row.headers,
        reply_to=row.reply_to,
    )
