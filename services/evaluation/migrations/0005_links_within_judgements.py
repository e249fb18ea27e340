"""A judgement holds the digests of its links, which name their case: no table of their own.

Links given out before name none, and entitle to nothing any more.
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Drop the table."""
    op.drop_table("links")
