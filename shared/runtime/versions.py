"""The versions of the policy in a service's own table, and old ones made ready to explain by.

The router numbers them and tells of them by `policy.applied`; every service keeps what it hears in
the transaction that hears it, so that it knows them at its next start without anybody's help.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from shared.domain.events import Event, PolicyApplied
from shared.domain.model import micros
from shared.domain.policy import PolicyVersion
from shared.runtime.handling import Context
from shared.storage.collection import Collection, Field
from shared.storage.tx import Tx

if TYPE_CHECKING:
    from shared.policy import CompiledPolicy

READY = 2
"""Old versions that are kept compiled, each a few MB."""


POLICIES = Collection(
    sa.MetaData(),
    "policies",
    PolicyVersion,
    key="key",
    fields=(
        Field("number", sa.Integer(), "number", index=True),
        Field("version", sa.Text(), "version", index=True),
        Field("effective_at", sa.BigInteger(), lambda stored: micros(stored.effective_at)),
    ),
)
"""One row for each number; every service has a table like this (`Service`)."""

_stored = POLICIES.table.c


def keep_policy(event: PolicyApplied, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Keep a version that the router told of; the host takes it over when it is in force."""
    tx.put(POLICIES, event.policy)
    return ()


def newer(connection: sa.Connection, number: int) -> list[PolicyVersion]:
    """The versions after a number, in their order."""
    query = sa.select(_stored.body).where(_stored.number > number).order_by(_stored.number)
    return [POLICIES.parse(body) for body in connection.scalars(query)]


def every(connection: sa.Connection) -> Iterator[PolicyVersion]:
    """All versions, the newest first, one in memory at a time."""
    query = sa.select(_stored.body).order_by(_stored.number.desc())
    # closed at once where whoever asks stops before the end
    with connection.execution_options(yield_per=10).scalars(query) as bodies:
        for body in bodies:
            yield POLICIES.parse(body)


def in_force(connection: sa.Connection, now: datetime) -> Iterator[PolicyVersion]:
    """The version in force and those before it, the newest first."""
    if not sa.inspect(connection).has_table(POLICIES.table.name):
        return iter(())  # the books of an older release, which nobody has brought up to date
    return (stored for stored in every(connection) if stored.effective_at <= now)


def find(connection: sa.Connection, name: str) -> PolicyVersion | None:
    """A version by its number or by its name; of several numbers of one name the newest."""
    wanted = _stored.version == name
    if name.isdecimal() and len(name) < 9:
        wanted = _stored.number == int(name)
    query = sa.select(_stored.body).where(wanted).order_by(_stored.number.desc()).limit(1)
    # no name holds a NUL, which PostgreSQL would not even be asked for
    body = None if "\0" in name else connection.scalar(query)
    return None if body is None else POLICIES.parse(body)


class Versions:
    """Compiled policies by the version that a decision names."""

    def __init__(self, read: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._ready: OrderedDict[str, CompiledPolicy] = OrderedDict()

    def get(self, version: str) -> CompiledPolicy | None:
        """The policy of this version; None where it was never applied to this house.

        Raises `PolicyError` where this release can no longer use it.
        """
        from shared.policy import parse_policy  # noqa: PLC0415 - as heavy as the policy itself

        with self._lock:
            known = self._ready.get(version)
            if known is not None:
                self._ready.move_to_end(version)
                return known
            with self._read() as connection:
                stored = find(connection, version)
            if stored is None:
                return None
            compiled = parse_policy(version, stored.content.encode())
            self._ready[version] = compiled
            while len(self._ready) > READY:
                self._ready.popitem(last=False)
            return compiled
