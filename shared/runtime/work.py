"""What a service is given to do: messages, commands over HTTP, timers, and its own errands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal

from shared.bus.protocol import Delivery
from shared.domain.commands import Command
from shared.domain.events import CaseErased, Event
from shared.runtime.handling import Context, Timer
from shared.storage.tx import Tx

Outcome = list[Event] | Exception
"""What became of a command: its events, or why it was refused or failed."""


@dataclass(frozen=True, slots=True)
class Request:
    """Commands that somebody waits for; each is answered for itself."""

    commands: Sequence[Command]
    traceparent: str | None = None
    answer: Future[list[Outcome]] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Tick:
    """A timer that fell due."""

    timer: Timer
    done: threading.Event = field(default_factory=threading.Event)
    """Set when it has been carried out: until then it is not handed in again."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What a background thread of the service wants written; it waits for the commit."""

    run: Callable[[Tx, Context], Sequence[Event]]
    """Runs again if the transaction has to, so it must have no other effect."""
    done: Future[None] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What somebody decided about one parked message; they wait for what becomes of it."""

    parked: str
    """The parking's id."""
    act: Literal["replay", "discard"]
    by: str
    reason: str
    failure: Exception | None = None
    """Why it could not be replayed, its effects could not be written: it lies aside again."""
    answer: Future[str | None] = field(default_factory=Future)
    """`discarded` or a word of `Outcome`; None where it lies aside no longer."""


Work = Delivery | Request | Tick | Errand | Resolution


def is_wanted(work: Work) -> bool:
    """Whether it is still to be carried out; asked once, when it is taken up.

    From then on nobody can call it off; whoever gives up waiting before knows that it has no
    effect.
    """
    if isinstance(work, Request | Resolution):
        return work.answer.set_running_or_notify_cancel()
    return True


EVENT_BYTES = 1024
"""About the size of an event, by which a message that has not been read yet is weighed."""


def weight(work: Work) -> int:
    """How much of a batch a piece of work fills: its events or commands, as far as is known."""
    if isinstance(work, Request):
        return len(work.commands)
    if isinstance(work, Delivery):
        unread = 1 + len(work.message.body) // EVENT_BYTES
        return unread if work.content is None else len(work.content)
    return 1


def goes_alone(work: Work) -> bool:
    """Whether a piece of work is carried out in a transaction of its own.

    A timer and an errand take a batch's worth by themselves. A parked message failed before. A
    redelivered message may be what crashed a service: the broker counts a delivery for every
    message that a crash left unacknowledged, and a crash loop would condemn its innocent
    neighbours. Whoever erases looks for rows that were committed: what a neighbour would still
    hold back would be missed.
    """
    if isinstance(work, Delivery):
        return work.redelivered or work.message.key == CaseErased.type
    return isinstance(work, Tick | Errand | Resolution)
