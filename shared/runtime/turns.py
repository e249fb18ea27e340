"""Requests take turns: so many at once, so many more that wait, and nobody for too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shared.domain.errors import Overloaded

AT_ONCE = 36
"""Requests that are worked on at a time, each in a thread; the worker takes theirs together."""

WAITING = 200
"""Requests that may wait for their turn, each with its body in memory."""

PATIENCE = 10.0
"""Seconds that a request waits for its turn at most."""

RETRY = 2
"""Seconds after which whoever was turned away may ask again."""


class Turns:
    """Runs plain functions in threads of its own, for one event loop."""

    def __init__(
        self, at_once: int = AT_ONCE, waiting: int = WAITING, patience: float = PATIENCE
    ) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="request")
        self._most = waiting
        self._waiting = 0
        self._patience = patience

    async def run(self, work: Callable[[], Any]) -> Any:
        """What the function returns or raises; raises `Overloaded` before it has begun."""
        await self._wait()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._turn.release()

    async def _wait(self) -> None:
        if not self._turn.locked():
            await self._turn.acquire()  # at once: a time limit would cost a task
            return
        if self._waiting >= self._most:
            raise Overloaded(f"{self._most} requests wait already", seconds=RETRY)
        self._waiting += 1
        try:
            await asyncio.wait_for(self._turn.acquire(), self._patience)
        except TimeoutError:
            reason = f"no turn came within {self._patience:g} s, so many requests are before it"
            raise Overloaded(reason, seconds=RETRY) from None
        finally:
            self._waiting -= 1
