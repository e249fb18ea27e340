"""The versions of the policy, and which number is the last."""

import sqlalchemy as sa

from shared.storage.operations import create_collection, create_policies

from alembic import op  # isort: skip

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    create_policies()
    create_collection("policy_head")
    # there from the beginning, so that the first two replicas have something to wait for
    head = sa.table("policy_head", sa.column("key"), sa.column("body"))
    op.bulk_insert(head, [{"key": "policy", "body": '{"name":"policy","number":0,"file":""}'}])
