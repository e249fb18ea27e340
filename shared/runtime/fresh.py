"""Figures that many ask for and that cost a pass over all cases: made once for all who ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from time import perf_counter
from typing import Generic, TypeVar

V = TypeVar("V")

SHARE = 10
"""What took a second to make stands for so many seconds: at most a tenth of the time is spent."""

BRIEF = 0.05
"""What took fewer seconds than these is made anew for everybody."""

MOST = 32
"""Values kept; beyond that the oldest goes."""


class Fresh(Generic[V]):
    """Values that are kept for ten times as long as they took to make."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._kept: dict[Hashable, tuple[float, V]] = {}

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of `key`; whoever asks while it is being made waits for it."""
        with self._turn:
            until, value = self._kept.get(key, (0.0, None))
            began = self._clock()
            if value is not None and began < until:
                return value
            made = make()
            ended = self._clock()
            self._kept.pop(key, None)
            if ended - began >= BRIEF:
                self._kept[key] = (ended + SHARE * (ended - began), made)
            if len(self._kept) > MOST:
                del self._kept[next(iter(self._kept))]
            return made
