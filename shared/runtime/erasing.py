"""What every service does once a case was erased: nothing personal stays, and none comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from operator import is_
from typing import Any, TypeVar

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


def erased_at(tx: Tx, books: Collection[Any], case_id: str) -> datetime | None:
    """When a case was erased, by a service's books; None where it was not."""
    known: Aggregate | None = tx.get(books, case_id) if case_id else None
    return known.erased_at if known is not None else None


def as_heard(envelope: Envelope, at: datetime | None) -> Envelope:
    """An event as a handler may hear it: what is late about an erased case brings nothing back."""
    if at is None or not isinstance(envelope.data, Event):
        return envelope
    return envelope.but(data=erased(envelope.data, at))


def refuse_erased(command: Event | Command, at: datetime | None) -> None:
    """Raise `Conflict` for a command about a case that was erased.

    A submission is none: whoever submits a case again is answered with the one that exists.
    """
    if isinstance(command, CaseCommand) and at is not None:
        raise erased_refusal("case_id", at)


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
        left = left_aside(parked, lambda case_id: event.at if case_id == event.case_id else None)
        if left is None:
            tx.take_parked(parked.id)
        elif left is not parked:
            tx.repark(left)


def left_aside(parked: Parked, erased_at: Callable[[str], datetime | None]) -> Parked | None:
    """What may lie aside of a message, by when its cases were erased; None where nothing may."""
    read = _read(parked)
    if read is None:
        return parked if parked.case_id is None or erased_at(parked.case_id) is None else None
    left = []
    for one in read:
        at = erased_at(one.data.about)
        if at is None:
            left.append(one)
        elif isinstance(one.data, Event):
            left.append(one.but(data=erased(one.data, at)))
    if len(left) == len(read) and all(map(is_, left, read)):
        return parked
    # what follows the error's name, and the trace, may repeat a value
    reason = parked.reason.partition(":")[0]
    return replace(parked, body=encode(left), reason=reason, trace="") if left else None


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
