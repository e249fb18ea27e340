"""A case's entries stand together in the journal's index, by the number of the first of them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Note the first entry of each case, in the journal and in the dossiers; change the index."""
    op.add_column("journal", sa.Column("first_seq", sa.BigInteger()))
    op.execute(
        "create temporary table firsts as select case_id, min(seq) as seq from journal"
        " where aggregate is not null group by case_id"
    )
    op.execute("create unique index firsts_by_case on firsts (case_id)")
    op.drop_index("journal_once", "journal")
    op.execute(
        "update journal set first_seq ="
        " (select firsts.seq from firsts where firsts.case_id = journal.case_id)"
        " where aggregate is not null"
    )
    # a body is a JSON object of several fields: one more is put behind the last
    op.execute(
        "update dossiers set body = substr(body, 1, length(body) - 1) || ',\"first_seq\":'"
        " || (select firsts.seq from firsts where firsts.case_id = dossiers.key) || '}'"
        " where key in (select case_id from firsts)"
    )
    op.execute("drop table firsts")
    op.create_index("journal_once", "journal", ["first_seq", "aggregate", "version"], unique=True)
    apart = sa.column("aggregate").is_(None)
    op.create_index(
        "journal_apart", "journal", ["case_id"], postgresql_where=apart, sqlite_where=apart
    )
