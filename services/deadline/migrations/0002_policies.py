"""The versions of the policy."""

from shared.storage.operations import create_policies

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    create_policies()
