"""PostgreSQL arrays in binary form: a column of a whole batch is one parameter.

Psycopg's own lists are several times slower, because they look at every element for its type, and
that type varies with the values, so that a statement is prepared once for each
(docs/decisions/hot-statements.md).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import psycopg
import sqlalchemy as sa
from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER = struct.Struct(">iiIii").pack
_LENGTH = struct.Struct(">i").pack
_INT4 = struct.Struct(">ii").pack
_INT8 = struct.Struct(">iq").pack
_NULL = _LENGTH(-1)


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _LENGTH(len(encoded)) + encoded


def _bytes(value: bytes) -> bytes:
    return _LENGTH(len(value)) + value


def _integer(value: int) -> bytes:
    return _INT4(4, value)


def _big_integer(value: int) -> bytes:
    return _INT8(8, value)


def _boolean(value: bool) -> bytes:
    return b"\0\0\0\1\1" if value else b"\0\0\0\1\0"


class Array:
    """The values of one column.

    Each type has a subclass with PostgreSQL's object ids of the array and its elements, which
    never change (pg_type.dat), and a function that packs an element with its length before it.
    """

    oid: ClassVar[int]
    element_oid: ClassVar[int]
    pack: ClassVar[Callable[[Any], bytes]]

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values

    def __bytes__(self) -> bytes:
        pack = type(self).pack
        nulls = None in self.values
        packed = (
            [_NULL if value is None else pack(value) for value in self.values]
            if nulls
            else [pack(value) for value in self.values]
        )
        # one dimension, counted from 1
        return _HEADER(1, nulls, self.element_oid, len(packed), 1) + b"".join(packed)


class TextArray(Array):
    """`text[]`."""

    oid, element_oid, pack = 1009, 25, _text


class BytesArray(Array):
    """`bytea[]`."""

    oid, element_oid, pack = 1001, 17, _bytes


class IntegerArray(Array):
    """`integer[]`; raises `struct.error` beyond 32 bits."""

    oid, element_oid, pack = 1007, 23, _integer


class BigIntegerArray(Array):
    """`bigint[]`; raises `struct.error` beyond 64 bits."""

    oid, element_oid, pack = 1016, 20, _big_integer


class BooleanArray(Array):
    """`boolean[]`."""

    oid, element_oid, pack = 1000, 16, _boolean


# BigInteger before Integer, whose kind it is to SQLAlchemy
_BY_TYPE: tuple[tuple[type[sa.types.TypeEngine[Any]], type[Array]], ...] = (
    (sa.BigInteger, BigIntegerArray),
    (sa.Integer, IntegerArray),
    (sa.Boolean, BooleanArray),
    (sa.LargeBinary, BytesArray),
    (sa.String, TextArray),
)


def array_type(column: sa.Column[Any]) -> type[Array]:
    """The array for a column's values; raises TypeError for a type that we do not store."""
    for type_, array in _BY_TYPE:
        if isinstance(column.type, type_):
            return array
    raise TypeError(f"{column} is {column.type!r}: use text, integers, booleans or bytes")


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def __init__(self, cls: type[Array], context: AdaptContext | None = None) -> None:
        super().__init__(cls, context)
        self.oid = cls.oid

    def dump(self, obj: Array) -> bytes:
        return bytes(obj)


def register(driver: psycopg.Connection[Any]) -> None:
    """Teach a connection to send arrays."""
    for _, array in _BY_TYPE:
        driver.adapters.register_dumper(array, _ArrayDumper)
