"""The figures of the deadline service's own tables, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from services.deadline.forecast import Forecast, forecast, window
from services.deadline.store import answered, awaited, lag
from shared.domain.errors import ConfigurationError
from shared.runtime.handling import Context, Sample


def figures(connection: sa.Connection, context: Context) -> Iterable[Sample]:
    """How far the clocks lag behind, and how many cases each unit is expected to breach."""
    yield Sample(
        "concentric_deadline_lag_seconds",
        "Seconds for which the longest waiting clock should have spoken.",
        lag(connection, context.now),
    )
    yield from _breaches(connection, context)


def expected(connection: sa.Connection, context: Context) -> Forecast:
    """The forecast; raises `ConfigurationError` where the calendar is too short for one."""
    calendar, now = context.policy.calendar, context.now
    since = calendar.start_of(window(calendar, now))
    today = calendar.start_of(calendar.local_day(now))
    return forecast(awaited(connection), answered(connection, since, today), calendar, now)


def _breaches(connection: sa.Connection, context: Context) -> Iterator[Sample]:
    try:
        found = expected(connection, context)
    except ConfigurationError:
        return
    for unit in found.units:
        yield Sample(
            "concentric_forecast_breaches",
            "Open cases that will breach at the unit's present pace, and have not yet.",
            unit.breaches,
            {"unit": unit.unit},
        )
