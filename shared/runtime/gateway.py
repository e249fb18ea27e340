"""What a service's HTTP API may do: hand commands to the worker, and read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager
from time import monotonic
from typing import Protocol, TypeVar

import sqlalchemy as sa

from shared.domain.commands import Command
from shared.domain.errors import NotFound, Unavailable
from shared.domain.events import Event
from shared.domain.model import Value
from shared.domain.policy import Policy
from shared.runtime.handling import Context
from shared.runtime.versions import Versions
from shared.runtime.work import Outcome, Request
from shared.storage.collection import Collection

M = TypeVar("M", bound=Value)

AT_ONCE = 100
"""Commands of one caller in one transaction: a thousand at once would hold 100 MB in memory."""

PATIENCE = 10.0
"""Seconds that the commands of one request wait for their commits before the answer is 503."""


class Machine(Protocol):
    """The running service behind a gateway."""

    versions: Versions

    def admit(self) -> None:
        """Let work pass; raises `Overloaded` where nothing more is taken on."""

    def put(self, work: Request) -> None:
        """Hand work to the worker."""

    def prepare(self, command: Command) -> None:
        """Do beforehand what takes long about a command."""

    def context(self) -> Context:
        """The present moment and policy."""

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading."""


class Gateway:
    """The door between HTTP and the worker: there is no second way to change state."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def execute_all(self, commands: Sequence[Command]) -> list[Outcome]:
        """Carry out commands; each outcome is its events, or its refusal or failure.

        Raises `Unavailable` where the database is away or too slow, and `Overloaded` where the
        service takes on nothing more. Of several commands some may have taken effect, or still
        take it: sending all of them again is safe, each has one effect.
        """
        self._machine.admit()
        for command in commands:
            self._machine.prepare(command)
        until = monotonic() + PATIENCE
        outcomes: list[Outcome] = []
        for first in range(0, len(commands), AT_ONCE):
            outcomes += self._answered(Request(commands[first : first + AT_ONCE]), until)
        return outcomes

    def _answered(self, request: Request, until: float) -> list[Outcome]:
        """The outcomes of a request once it is committed, if that is before `until`."""
        self._machine.put(request)
        try:
            return request.answer.result(timeout=max(0.0, until - monotonic()))
        except Late as late:
            effect = "it took no effect" if request.answer.cancel() else "it may still take effect"
            raise Unavailable(
                f"no commit within {PATIENCE:.0f} s, and {effect}; send the same command again"
            ) from late

    def execute(self, command: Command) -> list[Event]:
        """Carry out one command; raises its refusal."""
        outcome = self.execute_all([command])[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading the service's own tables."""
        with self._machine.read() as connection:
            yield connection

    def fetch(self, collection: Collection[M], key: str) -> M:
        """One entity; raises `NotFound`."""
        table = collection.table
        query = sa.select(table.c.body).where(table.c.key == key)
        with self.read() as connection:
            # PostgreSQL cannot even be asked for a text with NUL.
            body = None if "\x00" in key else connection.execute(query).scalar()
        if body is None:
            raise NotFound.of("case_id", "unknown-case", f"nothing is known of {key!r}")
        return collection.parse(body)

    @property
    def versions(self) -> Versions:
        """The versions of the policy that the service knows, for what was decided by old ones."""
        return self._machine.versions

    @property
    def context(self) -> Context:
        """The present moment and the policy in force."""
        return self._machine.context()

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._machine.context().policy
