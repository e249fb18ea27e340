"""What really happened in a history: committed effects, published messages, and the trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.bus.envelope import BadEvent, Envelope
from shared.bus.protocol import Message
from shared.domain.case import Standing
from shared.domain.commands import RateReply
from shared.domain.events import Event
from tests.simulation.chance import Chance

VERSIONS = (
    "version", "handling_version", "record_version", "clocks_version", "judgement_version",
    "number", "seq",
)  # fmt: skip
"""Fields of whatever is stored that count upwards."""


class Broken(BaseException):
    """Something does not hold that must always hold. No handler of errors may catch it."""


@dataclass
class Effect:
    """A handler's run, of which the transaction decides whether it counts."""

    envelope: Envelope
    outcome: str
    events: Sequence[Event] = ()


@dataclass
class Records:
    """The observer's notes, from outside: no service reads them."""

    chance: Chance
    trace: list[str] = field(default_factory=list)
    effects: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each service has committed what follows from each event or command."""
    heard: dict[str, Envelope] = field(default_factory=dict)
    """Every event and command that reached at least one queue, by its id."""
    messages: set[str] = field(default_factory=set)
    """Ids of the messages that did."""
    committed: set[str] = field(default_factory=set)
    """Ids of the messages that lay in an outbox after a commit."""
    foreign: set[str] = field(default_factory=set)
    """Ids of the messages that people and strangers sent."""
    poison: set[str] = field(default_factory=set)
    """Ids of those that can only be parked."""
    unwritable: set[str] = field(default_factory=set)
    """Ids of commands whose effects no database would take."""
    ratings: list[tuple[str, Event]] = field(default_factory=list)
    """The token of each rating that was committed, and its event."""
    delivered: Counter[str] = field(default_factory=Counter)
    """How often each notice was taken by its receiver."""
    _newest: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def tell(self, who: str, what: str) -> None:
        """One more line of the trace."""
        self.trace.append(f"{self.chance.now:%m-%d %H:%M:%S.%f} {who:<13} {what}")

    def hear(self, message: Message, content: Sequence[Envelope | BadEvent]) -> None:
        """A message has reached a queue."""
        self.messages.add(message.id)
        for envelope in content:
            if isinstance(envelope, Envelope):
                self.heard[envelope.id] = envelope

    def keep(self, service: str, effects: Iterable[Effect], rows: Iterable[str]) -> None:
        """A transaction was committed."""
        self.committed.update(rows)
        for effect in effects:
            self.effects[service, effect.envelope.id] += 1
            if isinstance(effect.envelope.data, RateReply) and effect.events:
                self.ratings.append((effect.envelope.data.token, effect.events[0]))

    def compare(self, service: str, table: str, key: str, entity: object) -> None:
        """Raise where something that is about to be stored is older than what is stored."""
        known = self._newest.get((service, table, key))
        for name in VERSIONS:
            before, after = getattr(known, name, None), getattr(entity, name, None)
            if isinstance(before, int) and isinstance(after, int) and after < before:
                raise Broken(f"{service} goes back from {name} {before} to {after} of {key}")
        stood, stands = getattr(known, "standing", None), getattr(entity, "standing", None)
        if (
            isinstance(stood, Standing)
            and isinstance(stands, Standing)
            and stood.join(stands) != stands
        ):
            raise Broken(f"{service} goes back from {stood} to {stands} of {key}")
        held = getattr(getattr(known, "handling", None), "version", 0)
        if held > getattr(getattr(entity, "handling", None), "version", held):
            raise Broken(f"{service} goes back to an older handling of {key}")

    def remember(self, service: str, table: str, key: str, entity: object) -> None:
        """It was stored."""
        self._newest[service, table, key] = entity
