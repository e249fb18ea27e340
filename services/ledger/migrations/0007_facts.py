"""What is only searched and shown stands apart from what moves, and is written once per case.

In stored bodies of dossiers the same facts are ignored, and go with the next event about the case.
"""

import json
from base64 import b64encode

import sqlalchemy as sa
from alembic import op

from shared.storage.collection import key_type

revision = "0007"
down_revision = "0006"

MOVED = ("source", "external_id", "kind", "station", "recorder", "campaign")
OWNERS = ("record_version", "handling_version", "clocks_version", "judgement_version")


def upgrade() -> None:
    """Make the table of facts from the dossiers and the texts, and take out what is not asked."""
    op.create_table(
        "facts",
        sa.Column("case_id", key_type(), primary_key=True),
        sa.Column("source", sa.Text()),
        sa.Column("external_id", sa.Text()),
        sa.Column("kind", sa.Text()),
        sa.Column("subject", sa.Text()),
        sa.Column("station", sa.Text()),
        sa.Column("recorder", sa.Text()),
        sa.Column("campaign", sa.Text()),
        sa.Column("words", sa.Text(), nullable=False),
    )
    names = ", ".join(MOVED)
    postgres = op.get_bind().dialect.name == "postgresql"
    subject = "body::json ->> 'subject'" if postgres else "json_extract(body, '$.subject')"
    op.execute(
        f"insert into facts (case_id, {names}, subject, words)"
        f" select key, {names}, {subject}, words from dossiers join texts on case_id = key"
    )
    op.drop_table("texts")
    with op.batch_alter_table("dossiers") as dossiers:
        for name in (*MOVED, *OWNERS):
            dossiers.drop_column(name)
    with op.batch_alter_table("ratings") as ratings:
        ratings.drop_column("value")
        ratings.drop_column("lapsed")
    _note_the_end_as_bytes()


def _note_the_end_as_bytes() -> None:
    """The hash at the chain's end: hex digits until now, from now on as bytes are in JSON."""
    chain = sa.table("chain", sa.column("key"), sa.column("body"))
    end = json.loads(op.get_bind().execute(sa.select(chain.c.body)).scalar_one())
    end["hash"] = b64encode(bytes.fromhex(end["hash"])).decode()
    op.execute(sa.update(chain).values(body=json.dumps(end, separators=(",", ":"))))
