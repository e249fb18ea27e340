"""The notify service's own tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from services.notify.notices import Notice, NoticeState, Watch
from shared.domain.model import Value, micros
from shared.domain.notices import Way
from shared.storage.collection import Collection, Field, aggregates, sparse_index
from shared.storage.tx import Tx

METADATA = sa.MetaData()

WATCHES = aggregates(
    METADATA,
    "watches",
    Watch,
    Field(
        "due_at",
        sa.BigInteger(),
        lambda watch: micros(watch.due_at) if watch.waits else None,
    ),
)
"""One row per case: who has to answer it; when, as long as it waits for the answer."""

sparse_index("ix_watches_due_at", WATCHES.table.c.due_at)

NOTICES = Collection(
    METADATA,
    "notices",
    Notice,
    key="id",
    fields=(
        Field("case_id", sa.Text(), lambda notice: notice.case_id or None, index=True),
        Field("state", sa.Text(), "state._value_", index=True),
        Field("way", sa.Text(), "way._value_"),
        Field("urgency", sa.Integer(), "urgency"),
        Field("colour", sa.Text(), "colour"),
        Field("planned_at", sa.BigInteger(), lambda notice: micros(notice.planned_at)),
        Field("next_at", sa.BigInteger(), lambda notice: micros(notice.next_at)),
    ),
)
"""One row per message to one address."""

_NOTICE = NOTICES.table.c

sparse_index("ix_notices_due", _NOTICE.way, _NOTICE.urgency, _NOTICE.next_at)
# Of what is still to be tried: what is over is never looked for, and grows for ever.


class MadeDay(Value):
    """A day whose lists were made."""

    day: str


DIGESTS = Collection(METADATA, "digests", MadeDay, key="day")
"""The days whose lists were made, so that each is made once."""


def due(tx: Tx, way: Way, now: datetime, most: int) -> list[Notice]:
    """Messages that are to be tried, the urgent ones first; another replica's are left."""
    column = NOTICES.table.c
    query = (
        sa.select(column.key)
        .where(column.way == way.value, column.next_at <= micros(now))
        .order_by(column.urgency, column.next_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    keys = tx.connection.scalars(query).all()
    tx.preload((NOTICES, key) for key in keys)
    found = [notice for key in keys if (notice := tx.get(NOTICES, key)) is not None]
    # this very transaction may have concluded one of them
    return [each for each in found if each.next_at is not None and each.next_at <= now]


def anything_due(connection: sa.Connection, ways: Sequence[Way], now: datetime) -> bool:
    """Whether there is a message to be tried."""
    column = NOTICES.table.c
    query = sa.select(sa.literal(1)).where(
        column.way.in_([way.value for way in ways]),
        column.next_at <= micros(now),
    )
    return connection.scalar(query.limit(1)) is not None


def waiting(tx: Tx, until: datetime) -> list[Watch]:
    """Cases that wait for an answer due by then, in the order of their due dates."""
    column = WATCHES.table.c
    query = sa.select(column.body).where(column.due_at <= micros(until)).order_by(column.due_at)
    return [WATCHES.parse(body) for body in tx.connection.scalars(query)]


def of_case(connection: sa.Connection, case_id: str) -> list[Notice]:
    """Every message about a case, in the order in which they were planned."""
    column = NOTICES.table.c
    query = sa.select(column.body).where(column.case_id == case_id)
    bodies = connection.scalars(query.order_by(column.planned_at, column.key))
    return [NOTICES.parse(body) for body in bodies]


def messages_of(tx: Tx, case_id: str) -> list[Notice]:
    """Every message about a case, and the lists not delivered yet that name it.

    What was delivered holds no subject, and no list names anybody.
    """
    column = NOTICES.table.c
    undelivered = (NoticeState.WAITING.value, NoticeState.FAILED.value)
    named = sa.and_(
        column.case_id.is_(None),
        column.state.in_(undelivered),
        column.body.contains(case_id, autoescape=True),
    )
    query = sa.select(column.key).where(sa.or_(column.case_id == case_id, named))
    keys = tx.connection.scalars(query.order_by(column.key)).all()
    tx.preload((NOTICES, key) for key in keys)
    return [notice for key in keys if (notice := tx.get(NOTICES, key)) is not None]


def in_state(connection: sa.Connection, state: NoticeState | None, most: int) -> list[Notice]:
    """The newest messages, of one state or of all."""
    column = NOTICES.table.c
    query = sa.select(column.body)
    if state is not None:
        query = query.where(column.state == state.value)
    bodies = connection.scalars(query.order_by(column.planned_at.desc(), column.key).limit(most))
    return [NOTICES.parse(body) for body in bodies]


def backlog(connection: sa.Connection, now: datetime) -> dict[str, tuple[int, int]]:
    """By colour: how many messages wait whose time has come, and when the oldest was planned."""
    column = NOTICES.table.c
    query = (
        sa.select(column.colour, sa.func.count(), sa.func.min(column.planned_at))
        .where(column.state == NoticeState.WAITING.value, column.planned_at <= micros(now))
        .group_by(column.colour)
    )
    return {colour: (count, oldest) for colour, count, oldest in connection.execute(query)}
