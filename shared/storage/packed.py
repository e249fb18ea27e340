"""Columns of many rows as PostgreSQL's binary arrays, and single numbers as it sends them.

The format is that of `array_send` and of each element type's `..._send` function in PostgreSQL's
src/backend/utils/adt: dimensions, whether there are nulls, the elements' type, for each dimension
its length and first index; then each element behind its length in bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from struct import Struct
from typing import Any

import sqlalchemy as sa

from shared.storage.collection import Scalar

_HEAD = Struct(">iiIii").pack
_LENGTH = Struct(">i").pack
_NULL = _LENGTH(-1)
_TRUE, _FALSE = b"\x00\x00\x00\x01\x01", b"\x00\x00\x00\x01\x00"


@dataclass(frozen=True, slots=True)
class Element:
    """A type of which there can be an array."""

    name: str
    oid: int
    """Its number in PostgreSQL's catalogue (pg_type.dat), which is the same everywhere."""
    pack: Callable[[Any], bytes]
    """A value that is not null, behind its length; `struct.error` where a number is too large."""
    pack_all: Callable[[Sequence[Any]], Iterable[bytes]] | None = None
    """The same of many, in pieces, where that is faster."""

    def array(self, values: Sequence[Scalar]) -> bytes:
        """All values, in their order."""
        pack = self.pack
        pieces: Iterable[bytes]
        if has_nulls := None in values:
            pieces = (_NULL if value is None else pack(value) for value in values)
        else:
            pieces = self.pack_all(values) if self.pack_all else map(pack, values)
        return b"".join([_HEAD(1, has_nulls, self.oid, len(values), 1), *pieces])


def _text(value: str | bytes) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return _LENGTH(len(content)) + content


def _texts(values: Sequence[str | bytes]) -> Iterable[bytes]:
    """Without a copy of each, which may be large."""
    contents = [value.encode() if isinstance(value, str) else value for value in values]
    return chain.from_iterable(zip(map(_LENGTH, map(len, contents)), contents, strict=True))


number: Callable[[int], bytes] = Struct(">q").pack
"""A parameter that is a bigint."""

TEXT = Element("text", 25, _text, _texts)

# BigInteger comes first, because to SQLAlchemy it is an Integer, too
_ELEMENTS: tuple[tuple[type[sa.types.TypeEngine[Any]], Element], ...] = (
    (sa.BigInteger, Element("bigint", 20, partial(Struct(">iq").pack, 8))),
    (sa.Integer, Element("integer", 23, partial(Struct(">ii").pack, 4))),
    (sa.Boolean, Element("boolean", 16, lambda value: _TRUE if value else _FALSE)),
    (sa.LargeBinary, Element("bytea", 17, _text, _texts)),
    (sa.String, TEXT),
)


def element_of(column: sa.Column[Any]) -> Element:
    """What an array of a column's values consists of; raises `TypeError` where there is none."""
    for type_, element in _ELEMENTS:
        if isinstance(column.type, type_):
            return element
    raise TypeError(f"{column} is {column.type!r}: use text, integers, booleans or bytes")
