"""A candidate policy that decides beside the one in force, and where it decided otherwise."""

import sqlalchemy as sa

from shared.storage.operations import create_collection

from alembic import op  # isort: skip

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    create_collection("shadow")
    op.create_table(
        "shadow_differences",
        sa.Column("shadow", sa.Text(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
