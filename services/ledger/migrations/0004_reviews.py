"""The monthly reviews of the units."""

import sqlalchemy as sa

from shared.storage.operations import create_collection

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    create_collection(
        "reviews",
        sa.Column("unit", sa.Text()),
        sa.Column("month", sa.Text(), index=True),
        sa.Column("state", sa.Text()),
        sa.Column("due_at", sa.BigInteger()),
    )
