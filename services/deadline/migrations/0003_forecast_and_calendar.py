"""What a forecast asks of the clocks, and how far a new calendar has been followed."""

import json
from datetime import datetime, timedelta
from datetime import timezone as zone

import sqlalchemy as sa
from alembic import op

from shared.storage.operations import create_collection

revision = "0003"
down_revision = "0002"

BLOCK = 1000

EPOCH = datetime(1970, 1, 1, tzinfo=zone.utc)  # noqa: UP017 - never changes with the code


def upgrade() -> None:
    """Add the columns, fill them from the bodies, and make the new table."""
    for column in (
        sa.Column("unit", sa.Text()),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("stopped_at", sa.BigInteger()),
    ):
        op.add_column("clocks", column)
    _fill()
    stopped = sa.text("stopped_at IS NOT NULL")
    op.create_index(
        "ix_clocks_stopped_at",
        "clocks",
        ["stopped_at"],
        postgresql_where=stopped,
        sqlite_where=stopped,
    )
    awaited = sa.text("state = 'open' AND stopped_at IS NULL AND due_at IS NOT NULL")
    op.create_index(
        "ix_clocks_awaited",
        "clocks",
        ["unit", "due_at"],
        postgresql_where=awaited,
        sqlite_where=awaited,
    )
    create_collection("sweeps")


def _fill() -> None:
    clocks = sa.table(
        "clocks",
        sa.column("key", sa.Text()),
        sa.column("unit", sa.Text()),
        sa.column("due_at", sa.BigInteger()),
        sa.column("stopped_at", sa.BigInteger()),
        sa.column("body", sa.Text()),
    )
    connection, after = op.get_bind(), ""
    query = sa.select(clocks.c.key, clocks.c.body).order_by(clocks.c.key).limit(BLOCK)
    while rows := connection.execute(query.where(clocks.c.key > after)).all():
        change = sa.update(clocks).where(clocks.c.key == sa.bindparam("case"))
        connection.execute(change, [_values(key, json.loads(body)) for key, body in rows])
        after = rows[-1][0]


def _values(key: str, body: dict[str, str | None]) -> dict[str, str | int | None]:
    return {
        "case": key,
        "unit": body.get("unit"),
        "due_at": _micros(body.get("due_at")),
        "stopped_at": _micros(body.get("stopped_at")),
    }


def _micros(text: str | None) -> int | None:
    if text is None:
        return None
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)
