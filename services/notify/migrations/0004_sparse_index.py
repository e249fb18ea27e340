"""The index of what is due holds only cases that wait for their answer."""

from alembic import op

from shared.storage.operations import create_sparse_index

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the index anew."""
    op.drop_index("ix_watches_due_at", "watches")
    create_sparse_index("ix_watches_due_at", "watches", "due_at")
