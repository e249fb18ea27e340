"""A service's books, read for the audit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from shared.runtime.audit import Line
from shared.storage.collection import Collection

BLOCK = 2000
"""Lines in memory at a time, and in one piece of an HTTP answer."""


def lines(connection: sa.Connection, books: Collection[Any]) -> Iterator[Line]:
    """Every case by its id, a block in memory at a time, however many there are."""
    column = books.table.c
    query = sa.select(column.key, column.version, column.state, column.round).order_by(column.key)
    rows = connection.execution_options(yield_per=BLOCK).execute(query)
    for row in rows:
        yield tuple(row)
