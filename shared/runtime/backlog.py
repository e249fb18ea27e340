"""How much a service has committed that the bus has not taken yet, and when that is too much.

Nobody asks the database for it: whoever commits and whoever publishes tell it here. What other
replicas do to the same outbox is seen with the next count of the table.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.domain.errors import Overloaded
from shared.storage.messaging import OutboxRow

REOPENS = 0.8
"""Share of a bound below which a full backlog takes on work again: at the bound itself it would
open and close with every message."""

RETRY = 5
"""Seconds after which whoever was turned away may ask again: so often the table is counted."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that may wait; beyond either of them the service takes on nothing more."""

    rows: int
    bytes: int


class Backlog:
    """Counts what waits; its methods may be called from any thread."""

    def __init__(self, bounds: Bounds, changed: Callable[[bool], None]) -> None:
        """`changed` is told when the backlog has become full, and when it is so no longer."""
        self._bounds = bounds
        self._changed = changed
        self._lock = threading.Lock()
        self._rows = 0
        self._bytes = 0
        self._full = False

    @property
    def full(self) -> bool:
        """Whether nothing more is taken on."""
        return self._full

    @property
    def problem(self) -> str | None:
        """Why nothing more is taken on, or None."""
        if not self._full:
            return None
        return (
            f"{self._rows} messages ({self._bytes} bytes) wait in the outbox, which is all that it"
            " may hold: nothing more is taken on until the bus has taken some of them"
        )

    def admit(self) -> None:
        """Let somebody pass who brings work; raises `Overloaded` while the backlog is full."""
        problem = self.problem
        if problem is not None:
            raise Overloaded(problem, seconds=RETRY)

    def committed(self, rows: Sequence[OutboxRow]) -> None:
        """These were added to the outbox."""
        if rows:
            self._add(len(rows), sum(len(row.body) for row in rows))

    def confirmed(self, rows: Sequence[OutboxRow]) -> None:
        """The bus has taken these."""
        self._add(-len(rows), -sum(len(row.body) for row in rows))

    def counted(self, rows: int, size: int) -> None:
        """So much lies in the table, `size` in bytes."""
        with self._lock:
            self._rows, self._bytes = rows, size
            self._judge()

    def _add(self, rows: int, size: int) -> None:
        with self._lock:
            self._rows = max(0, self._rows + rows)
            self._bytes = max(0, self._bytes + size)
            self._judge()

    def _judge(self) -> None:
        share = max(self._rows / self._bounds.rows, self._bytes / self._bounds.bytes)
        full = share >= (REOPENS if self._full else 1.0)
        if full is not self._full:
            self._full = full
            self._changed(full)
