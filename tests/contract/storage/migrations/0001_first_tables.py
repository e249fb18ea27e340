"""The workshop's first tables."""

import sqlalchemy as sa
from alembic import op

from shared.storage.collection import key_type
from shared.storage.operations import create_collection, create_messaging

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them."""
    create_messaging()
    create_collection(
        "tools",
        sa.Column("place", sa.Text(), index=True),
        sa.Column("uses", sa.Integer()),
        sa.Column("bought_at", sa.BigInteger()),
        sa.Column("sharp", sa.Boolean()),
        sa.Index("ix_tools_worn", "place", "uses"),
    )
    op.create_table(
        "diary",
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("seal", sa.LargeBinary()),
    )
    op.create_table(
        "loans",
        sa.Column("tool", key_type(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("borrower", sa.Text()),
    )
