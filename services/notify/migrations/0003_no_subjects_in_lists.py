"""Lists that were delivered keep no subjects of cases: nobody reads them again."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BLOCK = 500


def upgrade() -> None:
    """Take the subjects out of the bodies."""
    notices = sa.table(
        "notices",
        sa.column("key", sa.Text()),
        sa.column("case_id", sa.Text()),
        sa.column("state", sa.Text()),
        sa.column("body", sa.Text()),
    )
    connection, after = op.get_bind(), ""
    query = (
        sa.select(notices.c.key, notices.c.body)
        .where(notices.c.case_id.is_(None), notices.c.state.in_(("delivered", "dropped")))
        .order_by(notices.c.key)
        .limit(BLOCK)
    )
    change = sa.update(notices).where(notices.c.key == sa.bindparam("notice"))
    while rows := connection.execute(query.where(notices.c.key > after)).all():
        connection.execute(
            change, [{"notice": key, "body": _without_subjects(body)} for key, body in rows]
        )
        after = rows[-1][0]


def _without_subjects(text: str) -> str:
    body = json.loads(text)
    listed = body.get("day_list") or {}
    for heading in ("today", "week", "overdue"):
        for case in listed.get(heading, ()):
            case["subject"] = None
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
