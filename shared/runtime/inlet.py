"""Where a service's work lands, and how it is taken up: in batches of what lies there."""

from __future__ import annotations

from collections.abc import Set
from math import inf
from queue import Empty, SimpleQueue
from time import monotonic

from shared.bus.protocol import Delivery
from shared.runtime.work import Work, goes_alone, weight

LARGER = 10
"""How many times as large a batch may be that holds nothing but what can wait. Under load several
events about a case meet in it, and its rows are written once for all of them."""

MANY = 100
"""Messages after which a batch waits for no more: half of what the bus delivers before it is told
that some are done, so that it never stands still."""


class Inlet:
    """A queue with one taker; work can be handed in from any thread, and nobody waits for room.

    Whoever hands something in bounds it: the bus by what it delivers before it is acknowledged,
    requests by their turns, timers and errands by waiting for what they asked for.
    """

    def __init__(self, batch: int, can_wait: Set[str] = frozenset(), gap: float = 0.0) -> None:
        """Of events whose types are in `can_wait`, batches begin at least `gap` seconds apart."""
        self._batch = batch
        self._can_wait = can_wait
        self._gap = gap
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._held: Work | None = None
        self._in_hand = False
        self._began = -inf
        """When the last batch began."""

    def put(self, work: Work) -> None:
        """Hand work in."""
        self._queue.put(work)

    def close(self) -> None:
        """What was handed in so far is taken, and nothing after it."""
        self._queue.put(None)

    def hold(self, work: Work) -> None:
        """Take this up next."""
        self._held = work

    @property
    def waiting(self) -> int:
        """How many pieces of work lie here."""
        return self._queue.qsize()

    @property
    def idle(self) -> bool:
        """Whether nothing lies here and nothing that was taken is still in hand."""
        return not self._in_hand and self._held is None and self._queue.empty()

    def done(self) -> None:
        """What was taken has been carried out."""
        self._in_hand = False

    def take(self, patience: float) -> tuple[list[Work], bool]:
        """What lies there, up to a batch; and whether to go on.

        Nothing where nothing comes for `patience` seconds.
        """
        taken: list[Work] = []
        size, most, until = 0, self._batch * LARGER, inf
        while size < most:
            wait = max(0.0, until - monotonic()) if taken else patience
            try:
                work = self._held or self._queue.get(timeout=wait)
            except Empty:
                break
            self._in_hand = True
            self._held = None
            if work is None:
                return taken, False
            if taken and goes_alone(work):
                self._held = work
                break
            taken.append(work)
            size += weight(work)
            if not self._can_wait_for_others(work):
                most, until = self._batch, -inf
            elif len(taken) >= MANY:
                until = -inf
            else:
                # it has passed already after a pause: what comes alone is carried out at once
                until = min(until, self._began + self._gap)
            if goes_alone(work):
                break
        if taken:
            self._began = monotonic()
        return taken, True

    def _can_wait_for_others(self, work: Work) -> bool:
        return isinstance(work, Delivery) and work.message.key in self._can_wait
