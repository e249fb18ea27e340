"""The figures of what waits to be told, for Prometheus; labels hold only what the policy names."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from services.notify.notices import DIGEST
from services.notify.store import backlog
from shared.domain.model import micros
from shared.runtime.handling import Context, Sample


def gauges(connection: sa.Connection, ctx: Context) -> Iterable[Sample]:
    """How many messages wait whose time has come, and for how long the oldest has."""
    now = micros(ctx.now)
    assert now is not None
    found = backlog(connection, ctx.now)
    for colour in dict.fromkeys((*ctx.policy.colours, "", *found)):
        count, oldest = found.get(colour, (0, now))
        labels = {"colour": colour or DIGEST}
        yield Sample(
            "concentric_notifications_waiting",
            "Messages whose time has come and which are not delivered yet.",
            count,
            labels,
        )
        yield Sample(
            "concentric_notification_age_seconds",
            "Age of the oldest of those messages.",
            max(0, now - oldest) / 1_000_000,
            labels,
        )
