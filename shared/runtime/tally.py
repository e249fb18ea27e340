"""What a committed transaction did, in metrics and in the log."""

from __future__ import annotations

from shared.observe.logs import Logger
from shared.observe.metrics import Metrics
from shared.runtime.batch import Result


def tally(result: Result, service: str, metrics: Metrics, log: Logger) -> None:
    """Count the events and commands of a transaction; say of each parked message that it is."""
    for kind, number in result.handled.items():
        metrics.events_handled.labels(service, kind).inc(number)
    for kind, number in result.emitted.items():
        metrics.events_emitted.labels(service, kind).inc(number)
    for (kind, outcome), number in result.commands.items():
        metrics.commands.labels(service, kind, outcome).inc(number)
    if result.duplicates:
        metrics.duplicates.labels(service).inc(result.duplicates)
    for parked in result.parked:
        metrics.parked.labels(service).inc()
        log.error(
            "parked",
            type=parked.type,
            case_id=parked.case_id,
            message_id=parked.message_id,
            attempts=parked.attempts,
        )
