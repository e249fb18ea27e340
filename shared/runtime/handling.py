"""What handlers are made of: the context that they are given, and what they declare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.bus.codec import Envelope
from shared.domain.case import Aggregate
from shared.domain.commands import Command
from shared.domain.events import Event
from shared.domain.ids import new_token
from shared.domain.model import Value
from shared.domain.policy import Policy
from shared.storage.collection import Collection
from shared.storage.tx import Tx


class Context(Value):
    """What a handler may know besides its event and its rows."""

    now: datetime
    policy: Policy
    link: Callable[[str], str]
    """From a token to the personal link that carries it."""
    cause: Envelope | None = None
    """The envelope of the event or command that is handled; None for timers."""
    new_token: Callable[[str], str] = new_token
    figures: Mapping[str, int] = {}
    """What the service's survey found for this batch."""
    certain: bool = True
    """False while the clock of the machine has just jumped ahead, and nobody has confirmed it."""
    ways: frozenset[str] = frozenset()
    """How people can be told outside the ledger: `mail`, `webhook`, or neither."""


Handler = Callable[[Any, Tx, Context], Sequence[Event]]
"""From an event or command, its rows and the context to the events that follow.

A handler changes state through `tx` alone and publishes nothing; a command's handler may raise
`Refusal`. It runs again if the transaction has to, so it must have no other effect.
"""

Survey = Callable[[Sequence[Event | Command], Tx, Context], Mapping[str, int]]
"""From all events and commands of a batch to figures of the service's tables, in one query.

They are those of the moment at which the batch begins, and reach the handlers as `ctx.figures`.
"""

Need = tuple[Collection[Any], str]
"""A row that a handler will read: fetched for the whole batch in one query."""


@dataclass(frozen=True)
class Timer:
    """Work that falls due by time: run every `seconds`, and again at once while it finds some."""

    name: str
    seconds: float
    run: Callable[[Tx, Context], Sequence[Event]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure with its labels, for Prometheus."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


def settle(books: Collection[Any], shell: Callable[[str], Aggregate]) -> Handler:
    """A handler that enters another service's fact about where a case stands into our books."""

    def enter(event: Any, tx: Tx, ctx: Context) -> Sequence[Event]:
        known = tx.get(books, event.case_id) or shell(event.case_id)
        tx.put(books, known.standing_at(event.standing))
        return ()

    return enter
