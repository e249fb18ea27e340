"""The descriptor of a service: all that tells one service from another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from shared.bus.protocol import Subscription
from shared.domain.commands import Command
from shared.domain.events import Event
from shared.domain.policy import Policy
from shared.runtime.background import Means
from shared.runtime.gateway import Gateway
from shared.runtime.handling import Context, Handler, Need, Sample, Survey, Timer
from shared.runtime.routes import Routes
from shared.runtime.versions import POLICIES
from shared.storage.collection import Collection


@dataclass(frozen=True)
class Service:
    """One service of the house."""

    name: str
    metadata: sa.MetaData
    migrations: str
    """Package of the schema's migrations."""
    books: Collection[Any]
    """The aggregates that the service owns, one per case: what the audit compares."""
    handlers: Mapping[type[Event], Handler]
    commands: Mapping[type[Command], Handler]
    api: Callable[[Gateway], Routes]
    timers: Sequence[Timer] = ()
    needs: Callable[[Event | Command], Iterable[Need]] | None = None
    """Rows to fetch beforehand; left out, the aggregate of the event's case."""
    policy_needs: Callable[[Event | Command, Policy], Iterable[Need]] | None = None
    """Further rows, of which the policy decides whether they are needed."""
    survey: Survey | None = None
    """Figures that the handlers of one batch share."""
    can_wait: frozenset[str] = frozenset()
    """Types of events that may wait a moment for others, to share a transaction with them: nobody
    waits for what the service does about these."""
    hears_everything: bool = False
    """Whether events of types that this version does not know are delivered too."""
    gauges: Callable[[sa.Connection, Context], Iterable[Sample]] | None = None
    """Figures of the service's own tables, shown with the metrics."""
    prepare: Mapping[type[Command], Callable[[Any, Context], None]] = field(default_factory=dict)
    """What takes long about a command and needs no transaction: over HTTP the asker's thread does
    it beforehand, so that the worker need not wait for it. It refuses nothing; the handler does."""
    watch: Callable[[Gateway, Path], Callable[[], None]] | None = None
    """Makes what looks after the policy's file every two seconds; it may raise `PolicyError`."""

    background: Callable[[Means], None] | None = None
    """What the service does outside its transactions, in a thread of its own until it is stopped,
    such as talking to servers that keep it waiting."""

    def __post_init__(self) -> None:
        """Every service keeps the policy's versions among its own tables."""
        if POLICIES.table.name not in self.metadata.tables:
            POLICIES.table.to_metadata(self.metadata)

    def subscription(self) -> Subscription:
        """What the service listens to."""
        events = ("#",) if self.hears_everything else tuple(e.type for e in self.handlers)
        return Subscription(self.name, events, tuple(c.type for c in self.commands))

    def rows_for(self, cause: Event | Command, policy: Policy) -> Iterable[Need]:
        """The rows that the handler of `cause` will read."""
        needs = self.needs(cause) if self.needs is not None else ((self.books, cause.about),)
        if self.policy_needs is not None:
            return (*needs, *self.policy_needs(cause, policy))
        return needs
