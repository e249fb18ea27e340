"""When a case ended, by which it is known for how long it has been kept.

Earlier releases did not note it: what had ended by then counts from the upgrade on.
"""

import json
from datetime import datetime, timedelta
from datetime import timezone as zone

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BLOCK = 1000

EPOCH = datetime(1970, 1, 1, tzinfo=zone.utc)  # noqa: UP017 - never changes with the code


def upgrade() -> None:
    """Add the columns and fill them, in the bodies as well."""
    op.add_column("records", sa.Column("kind", sa.Text()))
    op.add_column("records", sa.Column("ended_at", sa.BigInteger()))
    _fill()
    op.create_index("ix_records_ended", "records", ["kind", "ended_at"])


def _fill() -> None:
    now = datetime.now(tz=EPOCH.tzinfo)
    records = sa.table(
        "records",
        sa.column("key", sa.Text()),
        sa.column("state", sa.Text()),
        sa.column("kind", sa.Text()),
        sa.column("ended_at", sa.BigInteger()),
        sa.column("body", sa.Text()),
    )
    connection, after = op.get_bind(), ""
    query = sa.select(records.c.key, records.c.state, records.c.body).order_by(records.c.key)
    change = sa.update(records).where(records.c.key == sa.bindparam("case"))
    while rows := connection.execute(query.where(records.c.key > after).limit(BLOCK)).all():
        values = [_values(key, state, json.loads(body), now) for key, state, body in rows]
        connection.execute(change, values)
        after = rows[-1][0]


def _values(
    key: str, state: str, body: dict[str, object], now: datetime
) -> dict[str, str | int | None]:
    over = state != "open"
    case = body.get("case")
    if over:
        body["ended_at"] = now.isoformat()
    return {
        "case": key,
        "kind": case["kind"] if isinstance(case, dict) else None,
        "ended_at": (now - EPOCH) // timedelta(microseconds=1) if over else None,
        "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
    }
