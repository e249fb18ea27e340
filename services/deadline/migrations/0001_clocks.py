"""The clocks of each case, and when they speak next."""

import sqlalchemy as sa

from shared.storage.operations import create_aggregates, create_messaging

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of the first release."""
    create_messaging()
    create_aggregates("clocks", sa.Column("next_at", sa.BigInteger(), index=True))
