"""A service worked by hand: real handlers, real storage, a clock that stands still until it is set.

Each call is one transaction, as the worker would make it; what was emitted lies in the outbox.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from shared.bus.codec import Envelope, decode, encode
from shared.bus.protocol import Delivery, Message
from shared.domain.commands import Command
from shared.domain.events import Event
from shared.domain.ids import new_id
from shared.domain.policy import Policy
from shared.runtime.batch import Batch, Result
from shared.runtime.handling import Context, Timer
from shared.runtime.service import Service
from shared.runtime.work import Request, Tick, Work
from shared.storage.storage import Storage
from tests.support.machine import in_envelope, storage_of

E = TypeVar("E", bound=Event)


@dataclass
class Desk:
    """One service, or one replica of it."""

    service: Service
    storage: Storage
    policy: Policy
    now: datetime
    certain: bool = True
    """Whether the moment is believed."""

    def hear(self, *events: Event, message_id: str | None = None) -> Result:
        """One message with these events, of whatever types."""
        envelopes = [in_envelope(event) for event in events]
        message = Message(message_id or new_id(), events[0].type, encode(envelopes))
        return self._transact([Delivery(message, 1)])

    def do(self, command: Command) -> Sequence[Event]:
        """Carry out a command, or raise its refusal."""
        [(_, [outcome])] = self._transact([Request([command])]).answers
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def tick(self) -> int:
        """Each timer once; how many events that led to."""
        return sum(map(self.fire, self.service.timers))

    def fire(self, timer: Timer) -> int:
        """One timer once; how many events that led to."""
        return self._transact([Tick(timer)]).fired

    def tick_until_quiet(self) -> int:
        """As the worker does: again at once, while there is something to fire."""
        fired = 0
        while more := self.tick():
            fired += more
        return fired

    def sent(self, kind: type[E]) -> list[E]:
        """The events of one type, or of all, that the service has emitted, in order."""
        events = []
        for row in self.storage.outbox(limit=10_000):
            for envelope in decode(Message(row.id, row.key, row.body, row.content_type)):
                assert isinstance(envelope, Envelope), envelope
                if isinstance(envelope.data, kind):
                    events.append(envelope.data)
        return events

    def context(self) -> Context:
        """The moment, the policy, and where links lead."""
        return Context(
            now=self.now,
            policy=self.policy,
            link=lambda token: f"https://ledger.example/rate/{token}",
            certain=self.certain,
        )

    def _transact(self, work: Sequence[Work]) -> Result:
        with self.storage.transaction(self.now) as tx:
            return Batch(self.service, tx, self.context()).run(work)


@contextmanager
def desk(
    service: Service, policy: Policy, now: datetime, folder: Path, url: str | None = None
) -> Iterator[Desk]:
    """A desk on SQLite in the folder, or on the PostgreSQL of the URL; opened again, a replica."""
    storage = storage_of(service, folder, url)
    storage.migrate()
    try:
        yield Desk(service, storage, policy, now)
    finally:
        storage.close()
