"""Where the handling of each case stands."""

import sqlalchemy as sa

from shared.storage.operations import create_aggregates, create_messaging

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of the first release."""
    create_messaging()
    create_aggregates("handlings", sa.Column("unit", sa.Text(), index=True))
