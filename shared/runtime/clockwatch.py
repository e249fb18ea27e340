"""Whether the machine's clock can be believed: it is held against the time that really passes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

TOLERANCE = timedelta(seconds=10)
"""By so much a clock may be set ahead at once; time servers correct by less."""

CONFIRMATION = 60.0
"""Seconds that a clock must stay where it jumped to: whoever mistyped the date sets it back."""


class ClockWatch:
    """Compares the clock with monotonic time at every look; safe to share between threads.

    Only a jump ahead is in doubt: what fires then cannot be taken back. After a jump backwards
    nothing fires too early, and what was said is not said again.
    """

    def __init__(self, seconds: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._origin: datetime | None = None
        """What the clock would have shown when monotonic time was 0, as last believed."""
        self._doubted: tuple[datetime, float] | None = None
        """Where the clock jumped to, in the same terms, and when that was seen."""

    def certain(self, now: datetime) -> bool:
        """Whether the clock has not just jumped ahead, or a second look has confirmed it."""
        with self._lock:
            passed = self._seconds()
            origin = now - timedelta(seconds=passed)
            if self._origin is None or origin - self._origin <= TOLERANCE:
                self._believe(origin)
            elif self._doubted is None or abs(origin - self._doubted[0]) > TOLERANCE:
                self._doubted = (origin, passed)
            elif passed - self._doubted[1] >= CONFIRMATION:
                self._believe(origin)
            return self._doubted is None

    def _believe(self, origin: datetime) -> None:
        self._origin, self._doubted = origin, None
