"""What committed transactions did, in metrics and in the log."""

from __future__ import annotations

from functools import cache, partial

from shared.observe.logs import Logger
from shared.observe.metrics import Metrics
from shared.runtime.batch import Result


class Tally:
    """Counts what one service does.

    It keeps the series that it has counted in once, which are as few as there are types: the
    library takes longer to find one than to add to it.
    """

    def __init__(self, service: str, metrics: Metrics, log: Logger) -> None:
        self._log = log
        self._handled = cache(partial(metrics.events_handled.labels, service))
        self._emitted = cache(partial(metrics.events_emitted.labels, service))
        self._commands = cache(partial(metrics.commands.labels, service))
        self._duplicates = metrics.duplicates.labels(service)
        self._parked = metrics.parked.labels(service)
        self._seconds = cache(partial(metrics.batch_seconds.labels, service))
        self._items = cache(partial(metrics.batch_items.labels, service))

    def batch(self, seconds: float, items: int) -> None:
        """A transaction has taken so long, for so many messages and commands."""
        self._seconds().observe(seconds)
        self._items().observe(items)

    def result(self, result: Result) -> None:
        """Count the events and commands of a transaction; say of each parked message that it is."""
        for kind, number in result.handled.items():
            self._handled(kind).inc(number)
        for kind, number in result.emitted.items():
            self._emitted(kind).inc(number)
        for (kind, outcome), number in result.commands.items():
            self._commands(kind, outcome).inc(number)
        if result.duplicates:
            self._duplicates.inc(result.duplicates)
        for parked in result.parked:
            self._parked.inc()
            self._log.error(
                "parked",
                type=parked.type,
                case_id=parked.case_id,
                message_id=parked.message_id,
                attempts=parked.attempts,
            )
