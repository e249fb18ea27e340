"""Indexes hold only the clocks that have something to say, or wait for an answer."""

from alembic import op

from shared.storage.operations import create_sparse_index

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Forget when was due what waits no more, and make the indexes anew."""
    op.drop_index("ix_clocks_awaited", "clocks")
    op.drop_index("ix_clocks_next_at", "clocks")
    op.execute(
        "update clocks set due_at = null"
        " where due_at is not null and (state <> 'open' or stopped_at is not null)"
    )
    create_sparse_index("ix_clocks_awaited", "clocks", "unit", "due_at")
    create_sparse_index("ix_clocks_next_at", "clocks", "next_at")
