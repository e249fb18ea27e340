"""The judgement of each case, and the personal links by which it is given."""

import sqlalchemy as sa

from shared.storage.operations import create_aggregates, create_collection, create_messaging

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of the first release."""
    create_messaging()
    create_aggregates("judgements", sa.Column("lapses_at", sa.BigInteger(), index=True))
    create_collection("links")
