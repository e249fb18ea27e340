"""Hands timers to the worker when they fall due, and looks after the policy file and the gauges."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from shared.observe.logs import Logger, place_of
from shared.runtime.handling import Timer
from shared.runtime.work import Tick, Work


class Ticker(threading.Thread):
    """One thread per service that calls what is due; it does no work of its own."""

    def __init__(self, name: str, put: Callable[[Work], None], log: Logger) -> None:
        super().__init__(name=f"{name}-ticker", daemon=True)
        self._log = log
        self._put = put
        self._halt = threading.Event()
        self._due: list[tuple[float, float, Callable[[], None]]] = []

    def every(self, seconds: float, run: Callable[[], None]) -> None:
        """Call `run` at the start and every so many seconds; before `start` only."""
        self._due.append((monotonic(), seconds, run))

    def timer(self, timer: Timer) -> None:
        """Hand a timer to the worker whenever it is due and the last time has been carried out."""
        tick = Tick(timer)
        tick.done.set()

        def fire() -> None:
            if tick.done.is_set():
                tick.done.clear()
                self._put(tick)

        self.every(timer.seconds, fire)

    def stop(self) -> None:
        """Call nothing more."""
        self._halt.set()

    def run(self) -> None:
        """Call what is due until told to stop."""
        while self._due:
            self._due.sort(key=lambda entry: entry[0])
            due, seconds, run = self._due[0]
            if self._halt.wait(max(0.0, due - monotonic())):
                return
            try:
                run()
            except Exception as error:  # noqa: BLE001 - the clock goes on, whatever it struck
                self._log.error("timer failed", timer=run.__name__, error=place_of(error))
            self._due[0] = (monotonic() + seconds, seconds, run)
