"""The ledger's own tables."""

from __future__ import annotations

import sqlalchemy as sa

from services.ledger.dossier import Dossier, RatingRow
from services.ledger.journal import Chain
from services.ledger.shadow import Shadow
from shared.domain.model import micros
from shared.domain.reviews import Review
from shared.storage.collection import Collection, Field, Log, aggregates, key_type

METADATA = sa.MetaData()

CHAIN = Collection(METADATA, "chain", Chain, key="name")
"""One row, made by the migration: where the journal ends.

Every transaction that appends has this row in its needs, and what a transaction reads is locked
until its end. So replicas append one after the other. Its table's name comes first in the
alphabet, in whose order rows are read: who waits, waits here, before reading anything else.
"""

JOURNAL = Log(
    METADATA,
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
    sa.Column("first_seq", sa.BigInteger()),
)
"""Every event that was heard, in the order of hearing, chained (services/ledger/journal.py).

`first_seq` is no part of an entry. It names the case by the number of its first entry, as its
dossier does: in an index, cases that came at the same time then stand near each other, as their
entries come near each other in time, while by their ids they would be scattered all over it
(docs/decisions/journal-index.md). It is null where an event is about no aggregate.
"""

_entry = JOURNAL.table.c
_APART = _entry.aggregate.is_(None)

sa.Index("journal_once", _entry.first_seq, _entry.aggregate, _entry.version, unique=True)
# Each version of each aggregate stands in the journal once, whatever is delivered how often.

sa.Index("journal_apart", _entry.case_id, postgresql_where=_APART, sqlite_where=_APART)
# The few events that are about no aggregate, such as a refusal.

DOSSIERS = aggregates(
    METADATA,
    "dossiers",
    Dossier,
    Field("first_seq", sa.BigInteger(), "first_seq", index=True),
    Field("recorded_at", sa.BigInteger(), lambda d: micros(d.recorded_at), index=True),
    Field("channel", sa.Text(), "channel"),
    Field("category", sa.Text(), "category"),
    Field("item", sa.Text(), "item"),
    Field("repeat_of", sa.Text(), "repeat_of"),
    Field("colour", sa.Text(), "colour"),
    Field("unit", sa.Text(), "unit"),
    Field("level", sa.Text(), "level"),
    Field("answer_owed", sa.Boolean(), "answer_owed"),
    Field("policy_version", sa.Text(), "policy_version"),
    Field("due_at", sa.BigInteger(), lambda d: micros(d.current.due_at)),
    Field("replied_at", sa.BigInteger(), lambda d: micros(d.current.replied_at)),
    Field("breached", sa.Boolean(), "breached"),
    Field("paused", sa.Boolean(), "paused"),
    Field("extended", sa.Boolean(), "extended"),
    Field("erased_at", sa.BigInteger(), lambda d: micros(d.erased_at)),
)
"""One row per case: what moves, and what every figure counts by. It is written with nearly every
event, so that each column costs something each time. Only `first_seq` and `recorded_at` are indexed
besides the key, which never change: a row that changes with every event then costs no index
anything. By `first_seq` the cases are found whose facts hold the words of a search."""


def about(case_id: str, first_seq: int) -> sa.ColumnElement[bool]:
    """All entries about a case, whose dossier says `first_seq`."""
    return sa.or_(_entry.first_seq == first_seq, sa.and_(_APART, _entry.case_id == case_id))


RATINGS = Collection(
    METADATA,
    "ratings",
    RatingRow,
    key="key",
    fields=(
        Field("first_seq", sa.BigInteger(), "first_seq"),
        Field("level", sa.Text(), "level"),
        Field("unit", sa.Text(), "unit"),
        Field("asked_at", sa.BigInteger(), lambda row: micros(row.asked_at)),
        Field("rated_at", sa.BigInteger(), lambda row: micros(row.rated_at)),
        Field("satisfied", sa.Boolean(), "satisfied"),
    ),
)
"""One row per round whose answer somebody was asked to rate; the key is `first_seq:round`."""

FACTS = Log(
    METADATA,
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
"""What is searched and shown of a case (`dossier.Facts`): written once, apart from what changes.

A case is known by the number of its first entry here as well: a new row stands behind the last one
in the index, while by the case's id each would go to another page of it."""

SHADOW = Collection(METADATA, "shadow", Shadow, key="name")
"""At most one row: the candidate that decides beside the policy in force."""

REVIEWS = Collection(
    METADATA,
    "reviews",
    Review,
    key="key",
    fields=(
        Field("unit", sa.Text(), "unit"),
        Field("month", sa.Text(), "month", index=True),
        Field("state", sa.Text(), "state._value_"),
        Field("due_at", sa.BigInteger(), lambda review: micros(review.due_at)),
    ),
)
"""One row per unit and month that was reviewed, by `UNIT/2026-11`."""

DIFFERENCES = Log(
    METADATA,
    "shadow_differences",
    sa.Column("shadow", sa.Text(), primary_key=True),
    sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text(), nullable=False),
)
"""Where a candidate decided otherwise: its id, the decision's number in the journal, and how."""
