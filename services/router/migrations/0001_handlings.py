"""Where the handling of each case stands."""

import sqlalchemy as sa
from alembic import op

from shared.storage.operations import create_aggregates, create_messaging

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of the first release."""
    create_messaging()
    create_aggregates("handlings", sa.Column("unit", sa.Text()))
    is_open = sa.text("state = 'open'")
    op.create_index(
        "ix_handlings_open", "handlings", ["unit"], postgresql_where=is_open, sqlite_where=is_open
    )
