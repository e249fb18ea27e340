"""For which case a personal link was given out, so that it can be found when that is erased."""

import json

import sqlalchemy as sa
from alembic import op

from shared.storage.collection import key_type

revision = "0003"
down_revision = "0002"

BLOCK = 1000


def upgrade() -> None:
    """Add the column and fill it from the bodies."""
    op.add_column("links", sa.Column("case_id", key_type()))
    _fill()
    op.create_index("ix_links_case_id", "links", ["case_id"])


def _fill() -> None:
    links = sa.table(
        "links",
        sa.column("key", sa.Text()),
        sa.column("case_id", sa.Text()),
        sa.column("body", sa.Text()),
    )
    connection, after = op.get_bind(), ""
    query = sa.select(links.c.key, links.c.body).order_by(links.c.key).limit(BLOCK)
    change = sa.update(links).where(links.c.key == sa.bindparam("link"))
    while rows := connection.execute(query.where(links.c.key > after)).all():
        values = [{"link": key, "case_id": json.loads(body)["case_id"]} for key, body in rows]
        connection.execute(change, values)
        after = rows[-1][0]
