"""Tools are repaired."""

import sqlalchemy as sa

from shared.storage.operations import create_aggregates

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make room for repairs."""
    create_aggregates("repairs", sa.Column("unit", sa.Text()))
