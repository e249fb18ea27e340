"""What a service stores: collections of entities, and append-only logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa

from shared.domain.case import Aggregate
from shared.domain.model import Value

_encode = msgspec.json.Encoder().encode

M = TypeVar("M", bound=Value)
A = TypeVar("A", bound=Aggregate)

Scalar = str | int | bool | bytes | None
"""What a column can hold; moments are microseconds (`shared.domain.model.micros`)."""


def key_type() -> sa.types.TypeEngine[str]:
    """The type of keys and ids: text compared byte by byte.

    The "C" collation is several times faster than a language's, sorts as Python does, and its
    indexes survive an upgrade of the operating system's collations. SQLite compares so anyway.
    """
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


ROOM = {"fillfactor": "50"}
"""Half of each page stays free, so that a row's next version has room beside it and its indexes
need not change: an update costs half as much (docs/decisions/hot-statements.md)."""


@dataclass(frozen=True)
class Field(Generic[M]):
    """A column extracted from an entity, so that queries can select by it; it may be null."""

    name: str
    type: sa.types.TypeEngine[Any]
    get: str | Callable[[M], Scalar]
    """The attribute's path, such as `standing.round`, or what reckons it, which takes longer."""
    index: bool = False


class Collection(Generic[M]):
    """Entities of one frozen model, a row each: key, extracted columns, body (JSON text)."""

    def __init__(
        self,
        metadata: sa.MetaData,
        name: str,
        model: type[M],
        key: str,
        fields: Sequence[Field[M]] = (),
    ) -> None:
        """`key` is the name of the attribute that tells one entity from another."""
        self.model = model
        self.parse: Callable[[str | bytes], M] = msgspec.json.Decoder(model).decode
        """The entity of a stored body; raises `msgspec.ValidationError` if it does not fit."""
        self.key: Callable[[M], str] = attrgetter(key)
        stored = [(field, field.get) for field in fields if isinstance(field.get, str)]
        reckoned = [(field, field.get) for field in fields if not isinstance(field.get, str)]
        self._stored = attrgetter(key, *(path for _, path in stored)) if stored else self._lone_key
        self._reckoned = [get for _, get in reckoned]
        self.table = sa.Table(
            name,
            metadata,
            sa.Column("key", key_type(), primary_key=True),
            *(
                sa.Column(field.name, field.type, index=field.index)
                for field, _ in (*stored, *reckoned)
            ),
            sa.Column("body", sa.Text(), nullable=False),
            postgresql_with=ROOM,
        )

    def row(self, entity: M) -> tuple[Scalar, ...]:
        """An entity as values in the order of the table's columns."""
        reckoned = [get(entity) for get in self._reckoned]
        return (*self._stored(entity), *reckoned, _encode(entity))

    def _lone_key(self, entity: M) -> tuple[str]:
        return (self.key(entity),)


def aggregates(
    metadata: sa.MetaData, name: str, model: type[A], *fields: Field[A]
) -> Collection[A]:
    """A collection of the aggregates of one kind, by case, with version, state and round."""
    standing = (
        Field[A]("version", sa.Integer(), "version"),
        Field[A]("state", sa.Text(), "standing.state._value_"),
        Field[A]("round", sa.Integer(), "standing.round"),
    )
    return Collection(metadata, name, model, key="case_id", fields=(*standing, *fields))


def sparse_index(name: str, *columns: sa.Column[Any]) -> sa.Index:
    """An index of those rows alone in which the last of the columns is not null.

    For what few rows have, such as a moment that is still to come: others cost it nothing.
    """
    known = columns[-1].is_not(None)
    return sa.Index(name, *columns, postgresql_where=known, sqlite_where=known)


class Log:
    """An append-only table, such as the ledger's journal."""

    def __init__(self, metadata: sa.MetaData, name: str, *columns: sa.Column[Any]) -> None:
        self.table = sa.Table(name, metadata, *columns)
