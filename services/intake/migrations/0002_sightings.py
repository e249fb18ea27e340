"""When cases came that the policy counts."""

from shared.storage.operations import create_collection

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    create_collection("sightings")
