"""Whether the clocks of a case stood still, and whether more time was granted."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns; in rows of an earlier release both are unknown, and count as no."""
    op.add_column("dossiers", sa.Column("paused", sa.Boolean()))
    op.add_column("dossiers", sa.Column("extended", sa.Boolean()))
