"""A decision is written once, beside those that a case had before.

Of a case that was decided anew, earlier releases kept the newest decision alone, and not with
which version of the handling it came: such a row has version 0, which is before all others.
"""

import sqlalchemy as sa
from alembic import op

from shared.storage.collection import key_type

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table anew, and bring the decisions over out of their bodies."""
    op.rename_table("decisions", "decided")
    op.create_table(
        "decisions",
        sa.Column("case_id", key_type(), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    postgres = op.get_bind().dialect.name == "postgresql"
    decision = "body::json -> 'decision'" if postgres else "json_extract(body, '$.decision')"
    op.execute(
        "insert into decisions (case_id, version, body)"
        f" select key, 0, cast({decision} as text) from decided"
    )
    op.drop_table("decided")
