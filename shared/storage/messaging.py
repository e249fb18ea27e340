"""The tables by which messages have their effect once and are never lost: inbox, outbox, parked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from shared.domain.model import EPOCH, micros
from shared.storage.collection import Scalar, key_type


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message that is to be published, with the bytes that were fixed at commit."""

    id: str
    """Sorts by time (`shared.domain.ids.new_id`): the outbox is read in the order of ids."""
    key: str
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that could not be handled, kept with its reason until somebody decides."""

    id: str
    """The parking's own id, which sorts by time: one message can be parked by several services."""
    message_id: str
    key: str
    type: str
    """Type of the event or command that failed, as far as it could be read."""
    case_id: str | None
    reason: str
    """Why, for whoever has to mend it; holds no personal data."""
    trace: str
    """The traceback, or empty."""
    attempts: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes
    parked_at: datetime
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What waits, for metrics."""

    outbox: int
    parked: int
    outbox_age: float
    """Age of the oldest row of the outbox in seconds; 0 where it is empty."""
    outbox_bytes: int
    """Size of the outbox's bodies."""


@dataclass(frozen=True)
class Messaging:
    """The three tables."""

    inbox: sa.Table
    outbox: sa.Table
    parked: sa.Table


def _content(*, then: sa.Column[Any]) -> list[sa.Column[Any]]:
    return [
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.Text()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        then,
    ]


def messaging(metadata: sa.MetaData) -> Messaging:
    """The three tables in a service's metadata; they are added where they are missing."""
    if "inbox" not in metadata.tables:
        sa.Table(
            "inbox",
            metadata,
            sa.Column("id", key_type(), primary_key=True),
            sa.Column("received_at", sa.BigInteger(), nullable=False),
        )
        sa.Table(
            "outbox",
            metadata,
            sa.Column("id", key_type(), primary_key=True),
            sa.Column("key", sa.Text(), nullable=False),
            *_content(then=sa.Column("created_at", sa.BigInteger(), nullable=False)),
        )
        sa.Table(
            "parked",
            metadata,
            sa.Column("id", key_type(), primary_key=True),
            sa.Column("message_id", sa.Text(), nullable=False),
            sa.Column("key", sa.Text(), nullable=False),
            sa.Column("type", sa.Text(), nullable=False),
            sa.Column("case_id", sa.Text()),
            sa.Column("reason", sa.Text(), nullable=False),
            sa.Column("trace", sa.Text(), nullable=False),
            sa.Column("attempts", sa.Integer(), nullable=False),
            *_content(then=sa.Column("parked_at", sa.BigInteger(), nullable=False)),
        )
    tables = metadata.tables
    return Messaging(tables["inbox"], tables["outbox"], tables["parked"])


def outbox_values(row: OutboxRow, created_at: int) -> tuple[Scalar, ...]:
    """A row in the order of the table's columns; `created_at` in microseconds."""
    headers = json.dumps(dict(row.headers))
    return (row.id, row.key, row.content_type, headers, row.reply_to, row.body, created_at)


def outbox_row(values: sa.Row[Any]) -> OutboxRow:
    """A row as it was sent."""
    return OutboxRow(
        id=values.id,
        key=values.key,
        body=bytes(values.body),
        content_type=values.content_type,
        headers=json.loads(values.headers),
        reply_to=values.reply_to,
    )


def parked_values(parked: Parked) -> tuple[Scalar, ...]:
    """A parked message in the order of the table's columns."""
    return (
        parked.id,
        parked.message_id,
        parked.key,
        parked.type,
        parked.case_id,
        parked.reason,
        parked.trace,
        parked.attempts,
        parked.content_type,
        json.dumps(dict(parked.headers)),
        parked.reply_to,
        parked.body,
        micros(parked.parked_at),
    )


def parked_message(values: sa.Row[Any]) -> Parked:
    """A message as it was parked."""
    stored = dict(values._mapping)  # noqa: SLF001 - public, in spite of its name
    stored["headers"] = json.loads(stored["headers"])
    stored["body"] = bytes(stored["body"])
    stored["parked_at"] = EPOCH + timedelta(microseconds=stored["parked_at"])
    return Parked(**stored)
