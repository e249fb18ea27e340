"""Facts and ratings are known by the number of their case's first entry, as the journal's index."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

MOVED = "source, external_id, kind, subject, station, recorder, campaign, words"


def upgrade() -> None:
    """Give the number, which the dossiers' bodies hold, to dossiers, facts and ratings."""
    postgres = op.get_bind().dialect.name == "postgresql"
    number = (
        "(body::json ->> 'first_seq')::bigint" if postgres else "json_extract(body, '$.first_seq')"
    )
    op.add_column("dossiers", sa.Column("first_seq", sa.BigInteger()))
    op.execute(f"update dossiers set first_seq = {number}")
    op.create_index("ix_dossiers_first_seq", "dossiers", ["first_seq"])
    _facts()
    _ratings()


def _facts() -> None:
    """The table anew, in the order of its new key."""
    op.execute(
        f"create temporary table moved as select first_seq, {MOVED}"
        " from facts join dossiers on key = case_id"
    )
    op.drop_table("facts")
    op.create_table(
        "facts",
        sa.Column("first_seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text()),
        sa.Column("external_id", sa.Text()),
        sa.Column("kind", sa.Text()),
        sa.Column("subject", sa.Text()),
        sa.Column("station", sa.Text()),
        sa.Column("recorder", sa.Text()),
        sa.Column("campaign", sa.Text()),
        sa.Column("words", sa.Text(), nullable=False),
    )
    op.execute(
        f"insert into facts (first_seq, {MOVED})"
        f" select first_seq, {MOVED} from moved order by first_seq"
    )
    op.execute("drop table moved")


def _ratings() -> None:
    """Of the key, its end stays: the colon and the round."""
    op.add_column("ratings", sa.Column("first_seq", sa.BigInteger()))
    # a body is a JSON object of several fields: one more is put behind the last
    op.execute(
        "update ratings set first_seq = dossiers.first_seq,"
        " key = dossiers.first_seq || substr(ratings.key, length(case_id) + 1),"
        " body = substr(ratings.body, 1, length(ratings.body) - 1)"
        " || ',\"first_seq\":' || dossiers.first_seq || '}'"
        " from dossiers where dossiers.key = case_id"
    )
    with op.batch_alter_table("ratings") as ratings:
        ratings.drop_column("case_id")
