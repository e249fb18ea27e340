"""What migrations share. A function here never changes: what it made once, it makes for ever."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.storage.collection import key_type


def create_messaging() -> None:
    """Inbox, outbox and parked messages, as of release 0.1."""
    op.create_table(
        "inbox",
        sa.Column("id", key_type(), primary_key=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("id", key_type(), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.Text()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "parked",
        sa.Column("id", key_type(), primary_key=True),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.Text()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("parked_at", sa.BigInteger(), nullable=False),
    )


def create_policies() -> None:
    """The versions of the policy, as of release 0.2."""
    create_collection(
        "policies",
        sa.Column("number", sa.Integer(), index=True),
        sa.Column("version", sa.Text(), index=True),
        sa.Column("effective_at", sa.BigInteger()),
    )


def create_collection(name: str, *columns: sa.Column[Any] | sa.Index) -> None:
    """A collection's table with these extracted columns and indexes."""
    op.create_table(
        name,
        sa.Column("key", key_type(), primary_key=True),
        *(column for column in columns if isinstance(column, sa.Column)),
        sa.Column("body", sa.Text(), nullable=False),
        *(index for index in columns if isinstance(index, sa.Index)),
        postgresql_with={"fillfactor": "50"},
    )


def create_sparse_index(name: str, table: str, *columns: str) -> None:
    """An index of those rows alone in which the last of the columns is not null."""
    known = sa.column(columns[-1]).is_not(None)
    op.create_index(name, table, list(columns), postgresql_where=known, sqlite_where=known)


def create_aggregates(name: str, *columns: sa.Column[Any] | sa.Index) -> None:
    """A collection of aggregates: version, state and round come before the given columns."""
    create_collection(
        name,
        sa.Column("version", sa.Integer()),
        sa.Column("state", sa.Text()),
        sa.Column("round", sa.Integer()),
        *columns,
    )
