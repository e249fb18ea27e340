"""The index of what has ended holds only what has."""

from alembic import op

from shared.storage.operations import create_sparse_index

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the index anew."""
    op.drop_index("ix_records_ended", "records")
    create_sparse_index("ix_records_ended", "records", "kind", "ended_at")
