"""What every service does once a case was erased: nothing personal stays, and none comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from shared.bus.codec import Envelope, decode, encode
from shared.bus.protocol import Message
from shared.domain.case import Aggregate, Standing
from shared.domain.commands import CaseCommand, Command
from shared.domain.erasure import erased
from shared.domain.errors import Conflict, Refusal, Unreadable
from shared.domain.events import CaseErased, Event
from shared.runtime.handling import Context, Handler
from shared.storage.collection import Collection
from shared.storage.messaging import Parked
from shared.storage.tx import Tx

A = TypeVar("A", bound=Aggregate)


def case_of(cause: Event | Command) -> str:
    """The id of the case that an event or a command is about, or empty."""
    return cause.case_id if isinstance(cause, Event) else cause.about


def erase(
    books: Collection[A],
    shell: Callable[[str], A],
    settle: Callable[[A, Standing], A] = Aggregate.standing_at,
) -> Handler:
    """A handler that leaves of a case's row in our books what is not personal, and marks it.

    `settle` is how the service enters where a case stands.
    """

    def enter(event: CaseErased, tx: Tx, ctx: Context) -> Sequence[Event]:
        known = tx.get(books, event.case_id) or shell(event.case_id)
        tx.put(books, erased(settle(known, event.record.standing), event.at))
        return ()

    return enter


def as_heard(envelope: Envelope, known: Aggregate | None) -> Envelope:
    """An event as a handler may hear it: what is late about an erased case brings nothing back."""
    if known is None or known.erased_at is None or not isinstance(envelope.data, Event):
        return envelope
    return replace(envelope, data=erased(envelope.data, known.erased_at))


def refuse_erased(command: Command, known: Aggregate | None) -> None:
    """Raise `Conflict` for a command about a case that was erased.

    A submission is none: whoever submits a case again is answered with the one that exists.
    """
    if isinstance(command, CaseCommand) and known is not None and known.erased_at is not None:
        raise erased_refusal("case_id", known.erased_at)


def erased_refusal(field: str, at: datetime) -> Refusal:
    """Why nothing more can be done about a case that was erased."""
    return Conflict.of(
        field,
        "case-erased",
        f"the case ended, and what was personal in it was erased on {at.date()}: nothing more can"
        " be done about it. Submit the matter as a new case, with a new external_id.",
    )


def erase_parked(event: CaseErased, tx: Tx) -> None:
    """Erase what lies aside about the case: events are kept for another try, without what is gone.

    Commands about it, which would be refused, and what cannot be read are removed.
    """
    for parked in tx.parked_about(event.case_id):
        read = _read(parked)
        if read is None:
            if parked.case_id == event.case_id:
                tx.unpark([parked.id])
            continue
        about = [one for one in read if case_of(one.data) == event.case_id]
        if not about:
            continue  # a message about others
        left = [
            replace(one, data=erased(one.data, event.at)) if one in about else one
            for one in read
            if one not in about or isinstance(one.data, Event)
        ]
        if not left:
            tx.unpark([parked.id])
            continue
        # what follows the error's name, and the trace, may repeat a value
        reason = parked.reason.partition(":")[0]
        tx.repark(replace(parked, body=encode(left), reason=reason, trace=""))


def _read(parked: Parked) -> Sequence[Envelope] | None:
    """What a message that lies aside says; None where any of it cannot be read."""
    message = Message(
        id=parked.message_id,
        key=parked.key,
        body=parked.body,
        content_type=parked.content_type,
        headers=parked.headers,
        reply_to=parked.reply_to,
    )
    try:
        read = decode(message)
    except Unreadable:
        return None
    good = [one for one in read if isinstance(one, Envelope)]
    return good if len(good) == len(read) else None
