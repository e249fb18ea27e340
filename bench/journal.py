"""How far the ledger has come, read where it keeps its journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from bench.loop import Journal
from services.embedded.house import House
from services.ledger import queries
from services.ledger.journal import Chain
from tests.support.servers.server import libpq


def journal_of(house: House) -> Journal:
    """Of a house in this process."""

    def entries() -> int:
        with house.hosts["ledger"].read() as connection:
            return queries.chain(connection).seq

    return entries


@contextmanager
def journal_in(database: str) -> Iterator[Journal]:
    """Of services that keep their books in PostgreSQL, by its URL."""
    with psycopg.connect(libpq(database), autocommit=True) as connection:

        def entries() -> int:
            row = connection.execute("select body from ledger.chain").fetchone()
            assert row is not None, "the migration made the row"
            return Chain.from_json(row[0]).seq

        yield entries
