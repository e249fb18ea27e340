"""What lies aside in a service, as whoever looks after it reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from shared.domain.model import EPOCH
from shared.storage.messaging import Parked, parked_message


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which parked messages are meant; left out, all."""

    type: str | None = None
    case_id: str | None = None
    after: str = ""
    """The id behind which to begin."""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Lying:
    """A parked message as it is listed: without its body, which can be large, and its trace."""

    id: str
    message_id: str
    type: str
    case_id: str | None
    reason: str
    attempts: int
    bytes: int
    """Size of the body."""
    parked_at: datetime
    """Since when it lies aside."""


def listed(
    connection: sa.Connection, parked: sa.Table, wanted: Wanted
) -> tuple[int, Sequence[Lying]]:
    """How many there are, and the oldest of them behind `after`, in the order of their ids."""
    column = parked.c
    asked = {"type": wanted.type, "case_id": wanted.case_id}
    conditions = [column[name] == value for name, value in asked.items() if value is not None]
    total = sa.select(sa.func.count()).select_from(parked).where(*conditions)
    columns = [column[name] for name in _LISTED]
    query = (
        sa.select(*columns, sa.func.length(column.body).label("bytes"), column.parked_at)
        .where(column.id > wanted.after, *conditions)
        .order_by(column.id)
        .limit(wanted.limit)
    )
    found = [_lying(row._asdict()) for row in connection.execute(query)]
    return connection.scalar(total) or 0, found


_LISTED = ("id", "message_id", "type", "case_id", "reason", "attempts")


def _lying(stored: dict[str, Any]) -> Lying:
    return Lying(**{**stored, "parked_at": EPOCH + timedelta(microseconds=stored["parked_at"])})


def one(connection: sa.Connection, parked: sa.Table, id_: str) -> Parked | None:
    """A parked message, whole."""
    # no id holds a NUL, which PostgreSQL would not even be asked for
    if "\0" in id_:
        return None
    found = connection.execute(sa.select(parked).where(parked.c.id == id_)).one_or_none()
    return None if found is None else parked_message(found)
