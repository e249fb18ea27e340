"""When what is personal in a case was erased."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; no case of an earlier release was erased."""
    op.add_column("dossiers", sa.Column("erased_at", sa.BigInteger()))
