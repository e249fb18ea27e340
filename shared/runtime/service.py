"""The descriptor of a service: all that tells one service from another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter

from shared.bus.protocol import Subscription
from shared.domain.commands import Command
from shared.domain.events import Event
from shared.runtime.background import Means
from shared.runtime.gateway import Gateway
from shared.runtime.handling import Context, Handler, Need, Sample, Timer
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
    api: Callable[[Gateway], APIRouter]
    timers: Sequence[Timer] = ()
    needs: Callable[[Event | Command], Iterable[Need]] | None = None
    """Rows to fetch beforehand; left out, the aggregate of the event's case."""
    hears_everything: bool = False
    """Whether events of types that this version does not know are delivered too."""
    gauges: Callable[[sa.Connection, Context], Iterable[Sample]] | None = None
    """Figures of the service's own tables, shown with the metrics."""

    background: Callable[[Means], None] | None = None
    """What the service does outside its transactions, in a thread of its own until it is stopped,
    such as talking to servers that keep it waiting."""

    def subscription(self) -> Subscription:
        """What the service listens to."""
        events = ("#",) if self.hears_everything else tuple(e.type for e in self.handlers)
        return Subscription(self.name, events, tuple(c.type for c in self.commands))

    def rows_for(self, cause: Event | Command) -> Iterable[Need]:
        """The rows that the handler of `cause` will read."""
        if self.needs is not None:
            return self.needs(cause)
        subject = cause.case_id if isinstance(cause, Event) else cause.about
        return ((self.books, subject),)
