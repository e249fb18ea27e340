"""What a service does outside its transactions: a thread of its own, and what it may use.

Whatever waits for the world outside, such as a mail server, must not hold up the worker. It runs
here, and what it has to write it hands to the worker like everybody else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as Late
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import sqlalchemy as sa

from shared.domain.errors import Unavailable
from shared.domain.events import Event
from shared.observe.logs import Logger, place_of
from shared.observe.metrics import Metrics
from shared.runtime.handling import Context
from shared.runtime.work import Errand
from shared.settings import Settings
from shared.storage.tx import Tx

PAUSE = 5.0
"""Seconds before a background that failed is begun again."""


class Writer(Protocol):
    """The thread that writes."""

    def put(self, work: Errand) -> None:
        """Hand work in."""

    def is_alive(self) -> bool:
        """Whether what is handed in will be done."""


@dataclass(frozen=True)
class Means:
    """What a background may use."""

    writer: Writer
    read: Callable[[], AbstractContextManager[sa.Connection]]
    """A connection for reading the service's own tables."""
    context: Callable[[], Context]
    """The present moment and the policy in force."""
    settings: Settings
    metrics: Metrics
    log: Logger
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set when the background has to come to its end."""

    def transact(self, run: Callable[[Tx, Context], Sequence[Event]]) -> None:
        """Have something written by the worker, and wait for its commit.

        Raises `Unavailable` where the service stops meanwhile, and whatever `run` raises.
        """
        errand = Errand(run)
        self.writer.put(errand)
        while True:
            try:
                return errand.done.result(timeout=1.0)
            except Late:
                if not self.writer.is_alive():
                    raise Unavailable("the service has stopped") from None


class Background(threading.Thread):
    """Runs a service's background until it is stopped; where it fails it is begun again."""

    def __init__(self, name: str, run: Callable[[Means], None] | None, means: Means) -> None:
        super().__init__(name=f"{name}-background", daemon=True)
        self._run = run
        self._means = means

    def start(self) -> None:
        """Begin, where there is anything to do."""
        if self._run is not None:
            super().start()

    def stop(self) -> None:
        """Take on nothing new."""
        self._means.stopping.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until what was taken on is done."""
        if self.is_alive():
            super().join(timeout)

    def run(self) -> None:
        """Go on until told to stop."""
        assert self._run is not None
        means = self._means
        while not means.stopping.is_set():
            try:
                self._run(means)
            except Unavailable as away:
                means.log.warning("background waits", reason=str(away))
            except Exception as error:  # noqa: BLE001 - the work outside goes on
                means.log.error("background failed", error=place_of(error))  # noqa: TRY400 - see place_of
            means.stopping.wait(PAUSE)
