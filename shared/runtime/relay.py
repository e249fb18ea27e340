"""From the outbox to the bus: sends what was committed, unchanged, until it is safe."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf
from time import monotonic

from shared.bus.protocol import Bus, Message
from shared.domain.errors import Unavailable
from shared.observe.logs import Logger, place_of
from shared.observe.metrics import Metrics
from shared.runtime.backlog import Backlog
from shared.storage.messaging import OutboxRow
from shared.storage.storage import Storage

CATCH_UP = 200
"""The most rows read from the outbox at a time."""

SWEEP = 10.0
"""Seconds between two looks for rows that another replica committed and did not publish."""

ORPHANED = timedelta(seconds=30)
"""Age at which a row counts as left behind: publishing it twice would do no harm, only work."""

FIRST_PAUSE = 0.05
"""The first pause after a failure, in seconds; each is twice the last."""

LONGEST_PAUSE = 5.0
"""The longest pause between two tries, in seconds; after twice that without a failure the next one
is the first again. A success in between means nothing: it may be that of another message."""

LOOK = 0.25
"""Seconds between two looks whether the bus is back."""


class Relay(threading.Thread):
    """Sends the outbox of one service.

    What the worker has committed it sends at once, on the worker's own thread. The relay's thread
    only reads from the outbox what could not be sent then: what was left from before the start,
    what the bus did not take, and what came while more was on its way than the bus has room for.
    Published rows are deleted by the worker, in its next transaction.
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
        self._storage = storage
        self._bus = bus
        self._count = metrics.published.labels(name).inc
        self._log = log
        self._backlog = backlog
        self._changed = threading.Condition()
        """Guards the rest; the relay's thread waits for it."""
        self._known: set[str] = set()
        """Ids that are on their way, or are published and not yet deleted."""
        self._published: list[str] = []
        self._deleted: set[str] = set()
        """Ids that were deleted and are known for as long as the outbox is being read."""
        self._bytes = 0
        """Of the bodies on their way."""
        self._behind = True
        """Whether the outbox may hold rows that are not on their way."""
        self._resting = True
        """Whether nothing is sent at the moment: before the start and after a failure."""
        self._pause = 0.0
        """Seconds to rest."""
        self._failed = -inf
        """When it failed the last time."""
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
            if self._resting:
                self._fall_behind()
                return
            # Catching up may have read them between their commit and now.
            new = self._take(rows)
        self._send(new)

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
            # what is being read from the outbox just now may have seen them still
            self._deleted.update(ids)
            if not self._reading:
                self._forget_deleted()

    @property
    def idle(self) -> bool:
        """Whether everything committed has been confirmed."""
        with self._changed:
            return self._idle

    @property
    def clean(self) -> bool:
        """Whether, moreover, nothing that was published is still to be deleted."""
        with self._changed:
            return self._idle and not self._known

    def stop(self, seconds: float) -> None:
        """Publish what is left, for so long at the most; the rest stays in the outbox."""
        with self._changed:
            self._deadline = monotonic() + seconds
            self._halt.set()
            self._changed.notify()

    def run(self) -> None:
        """Catch up whenever the outbox holds what is not on its way, until told to stop."""
        while self._wait() and self._rest():
            self.step()

    def step(self) -> None:
        """Read rows that are not on their way, and send them. Whoever has no thread calls it."""
        self._send(self._read())

    @property
    def _idle(self) -> bool:
        return not (self._behind or self._reading) and len(self._known) == len(self._published)

    def _send(self, rows: Sequence[OutboxRow]) -> None:
        if rows:
            self._bus.send([_message(row) for row in rows], partial(self._settled, rows))

    def _settled(self, rows: Sequence[OutboxRow], failure: str | None) -> None:
        """They are published; or they have to be sent again, and lie in the outbox until then."""
        ids = [row.id for row in rows]
        if failure is None:
            self._backlog.confirmed(rows)
            self._count(len(rows))
        with self._changed:
            self._bytes -= sum(len(row.body) for row in rows)
            if failure is None:
                self._published.extend(ids)
                if self._behind or self._halt.is_set():
                    self._changed.notify()
                return
            self._known.difference_update(ids)
            self._fall_behind()
            if self._resting:
                return  # it had been sent before the failure that is known already
            self._resting = True
            now = monotonic()
            first = now - self._failed > 2 * LONGEST_PAUSE
            pause = self._pause = FIRST_PAUSE if first else min(self._pause * 2, LONGEST_PAUSE)
            self._failed = now
        self._log.warning("bus away", reason=failure, pause=round(pause, 2))

    def _fall_behind(self) -> None:
        self._behind = True
        self._changed.notify()

    def _wait(self) -> bool:
        """Wait until there may be something to read; False when it is time to end."""
        with self._changed:
            while True:
                now = monotonic()
                if self._halt.is_set() and (now > self._deadline or self._idle):
                    return False
                if self._bytes <= self._bus.room and (self._behind or now - self._swept > SWEEP):
                    return True
                until = self._deadline if self._halt.is_set() else now + SWEEP
                self._changed.wait(max(0.0, until - now))

    def _rest(self) -> bool:
        """Wait for the pause, or until a bus that was away is back; False when it is time to end.

        The bus has its own pauses between its tries to connect, which need not be waited out twice.
        """
        if self._resting:
            until = monotonic() + self._pause * random.uniform(0.5, 1.5)
            away = self._bus.problem is not None
            while (left := until - monotonic()) > 0 and not (away and self._bus.problem is None):
                if self._halt.wait(min(left, LOOK)):
                    return False
            self._resting = False
        return True

    def _read(self) -> Sequence[OutboxRow]:
        """Rows that are not on their way: any when behind, otherwise those left behind."""
        self._swept = monotonic()
        with self._changed:
            behind, self._behind, self._reading = self._behind, False, True
            known, room = frozenset(self._known), self._bus.room - self._bytes
        try:
            before = None if behind else datetime.now(UTC) - ORPHANED
            rows = self._storage.outbox(before=before, known=known, limit=CATCH_UP, room=room)
        except Exception as away:  # noqa: BLE001 - whatever it is, the thread goes on
            reason = str(away) if isinstance(away, Unavailable) else place_of(away)
            self._log.warning("outbox cannot be read", reason=reason)
            with self._changed:
                self._behind, self._reading = True, False
                self._forget_deleted()
            self._halt.wait(1.0)
            return ()
        with self._changed:
            new = self._take(rows)
            self._behind = self._behind or (behind and bool(new))
            self._reading = False
            self._forget_deleted()
        return new

    def _take(self, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Note those of the rows that are not known as being on their way, as far as there is room.

        The rest is read from the outbox in its turn.
        """
        new = []
        for row in rows:
            if row.id in self._known:
                continue
            if self._bytes > self._bus.room:
                self._fall_behind()
                break
            self._known.add(row.id)
            self._bytes += len(row.body)
            new.append(row)
        return new

    def _forget_deleted(self) -> None:
        self._known -= self._deleted
        self._deleted.clear()


def _message(row: OutboxRow) -> Message:
    return Message(
        id=row.id,
        key=row.key,
        body=row.body,
        content_type=row.content_type,
        headers=row.headers,
        reply_to=row.reply_to,
    )
