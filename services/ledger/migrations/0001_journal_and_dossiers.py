"""The journal and its chain, the dossiers, the ratings, and the texts that are searched."""

import sqlalchemy as sa

from shared.storage.collection import key_type
from shared.storage.operations import create_aggregates, create_collection, create_messaging

from alembic import op  # isort: skip

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of the first release."""
    create_messaging()
    create_collection("chain")
    # there from the beginning, so that the first two replicas have something to wait for
    chain = sa.table("chain", sa.column("key"), sa.column("body"))
    genesis = f'{{"name":"journal","seq":0,"hash":"{"0" * 64}"}}'
    op.bulk_insert(chain, [{"key": "journal", "body": genesis}])
    op.create_table(
        "journal",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("event_id", key_type(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("case_id", key_type(), nullable=False),
        sa.Column("aggregate", sa.Text()),
        sa.Column("version", sa.Integer()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("correlation", sa.Text()),
        sa.Column("policy_version", sa.Text()),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
    )
    op.create_index("journal_once", "journal", ["case_id", "aggregate", "version"], unique=True)
    create_aggregates(
        "dossiers",
        sa.Column("record_version", sa.Integer()),
        sa.Column("handling_version", sa.Integer()),
        sa.Column("clocks_version", sa.Integer()),
        sa.Column("judgement_version", sa.Integer()),
        sa.Column("source", sa.Text()),
        sa.Column("external_id", sa.Text()),
        sa.Column("recorded_at", sa.BigInteger(), index=True),
        sa.Column("channel", sa.Text()),
        sa.Column("kind", sa.Text()),
        sa.Column("category", sa.Text()),
        sa.Column("item", sa.Text()),
        sa.Column("station", sa.Text()),
        sa.Column("recorder", sa.Text()),
        sa.Column("campaign", sa.Text()),
        sa.Column("repeat_of", sa.Text()),
        sa.Column("colour", sa.Text()),
        sa.Column("unit", sa.Text()),
        sa.Column("level", sa.Text()),
        sa.Column("answer_owed", sa.Boolean()),
        sa.Column("policy_version", sa.Text()),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("replied_at", sa.BigInteger()),
        sa.Column("breached", sa.Boolean()),
    )
    create_collection(
        "ratings",
        sa.Column("case_id", key_type()),
        sa.Column("level", sa.Text()),
        sa.Column("unit", sa.Text()),
        sa.Column("asked_at", sa.BigInteger()),
        sa.Column("rated_at", sa.BigInteger()),
        sa.Column("value", sa.Integer()),
        sa.Column("satisfied", sa.Boolean()),
        sa.Column("lapsed", sa.Boolean()),
    )
    op.create_table(
        "texts",
        sa.Column("case_id", key_type(), primary_key=True),
        sa.Column("words", sa.Text(), nullable=False),
    )
