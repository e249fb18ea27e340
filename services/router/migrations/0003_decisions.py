"""What the policy decided about each case, and by which facts."""

from shared.storage.operations import create_collection

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    create_collection("decisions")
