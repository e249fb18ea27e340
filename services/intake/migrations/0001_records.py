"""What was recorded of each case, and what is known of its words."""

from shared.storage.operations import create_aggregates, create_collection, create_messaging

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of the first release."""
    create_messaging()
    create_aggregates("records")
    create_collection("fingerprints")
