"""The index of what lapses holds only judgements that somebody is asked for."""

from alembic import op

from shared.storage.operations import create_sparse_index

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the index anew."""
    op.drop_index("ix_judgements_lapses_at", "judgements")
    create_sparse_index("ix_judgements_lapses_at", "judgements", "lapses_at")
