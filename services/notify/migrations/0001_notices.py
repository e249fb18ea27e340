"""Where cases stand, who is told of them, and the days whose lists were made."""

import sqlalchemy as sa

from shared.storage.operations import create_aggregates, create_collection, create_messaging

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of the first release."""
    waits = sa.text("next_at IS NOT NULL")
    create_messaging()
    create_aggregates("watches", sa.Column("due_at", sa.BigInteger(), index=True))
    create_collection(
        "notices",
        sa.Column("case_id", sa.Text(), index=True),
        sa.Column("state", sa.Text(), index=True),
        sa.Column("way", sa.Text()),
        sa.Column("urgency", sa.Integer()),
        sa.Column("colour", sa.Text()),
        sa.Column("planned_at", sa.BigInteger()),
        sa.Column("next_at", sa.BigInteger()),
        sa.Index(
            "ix_notices_due",
            "way",
            "urgency",
            "next_at",
            postgresql_where=waits,
            sqlite_where=waits,
        ),
    )
    create_collection("digests")
