"""Between events and what is stored of them: envelopes, packs, refusals, parked messages."""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from shared.bus.codec import BadEvent, Envelope, encode, encode_packs
from shared.bus.protocol import CLOUDEVENTS_BATCH, Delivery
from shared.bus.topology import DELIVERIES
from shared.domain.commands import COMMANDS, Command, SubmitCase
from shared.domain.errors import Problem
from shared.domain.events import CaseRefused, CommandRefused, Event
from shared.domain.ids import case_id, new_id
from shared.runtime.handling import Context
from shared.runtime.work import Request
from shared.storage.messaging import OutboxRow, Parked


def envelope_of(event: Event, source: str, context: Context, cause: Envelope | None) -> Envelope:
    """The envelope in which a service sends an event that follows from `cause`."""
    own = new_id()
    return Envelope(
        id=own,
        type=event.type,
        source=source,
        subject=event.case_id,
        time=context.now,
        data=event,
        caseversion=event.version or None,
        correlationid=(cause.correlationid or cause.id) if cause else own,
        causationid=cause.id if cause else None,
        policyversion=context.policy.version,
        traceparent=cause.traceparent if cause else None,
    )


def envelope_of_command(command: Command, request: Request, context: Context) -> Envelope:
    """The envelope of a command that came over HTTP."""
    return Envelope(
        id=new_id(),
        type=command.type,
        source="/concentric/http",
        subject=command.about,
        time=context.now,
        data=command,
        traceparent=request.traceparent,
    )


def pack(envelopes: Iterable[Envelope]) -> Iterator[OutboxRow]:
    """A few large messages, by routing key, their bytes fixed here for good."""
    by_type: dict[str, list[Envelope]] = defaultdict(list)
    for envelope in envelopes:
        by_type[envelope.type].append(envelope)
    for key, alike in by_type.items():
        for body in encode_packs(alike):
            yield OutboxRow(id=new_id(), key=key, body=body, content_type=CLOUDEVENTS_BATCH)


def refusal_of(command: Command, problems: Sequence[Problem]) -> Event:
    """The event that tells the sender of a queued command why it was refused."""
    if isinstance(command, SubmitCase):
        return CaseRefused(
            case_id=command.about,
            source=command.source,
            external_id=command.external_id,
            problems=tuple(problems),
        )
    return CommandRefused(case_id=command.about, command=command.type, problems=tuple(problems))


def refusal_of_unread(bad: BadEvent) -> Event | None:
    """The same for a command that could not even be read, where its sender can be known."""
    problems = bad.problems or (Problem(field="", code="unreadable", message=bad.reason),)
    if bad.type == SubmitCase.type and bad.source is not None:
        known = case_id(bad.source, bad.external_id) if bad.external_id else ""
        return CaseRefused(
            case_id=known, source=bad.source, external_id=bad.external_id, problems=problems
        )
    if bad.type in COMMANDS and bad.sender is not None:
        return CommandRefused(case_id=bad.case_id or "", command=bad.type, problems=problems)
    return None


def parked_event(
    delivery: Delivery, envelope: Envelope, error: Exception, now: datetime, tries: int
) -> Parked:
    """One event of a message, put aside because its handler failed."""
    message = delivery.message
    return Parked(
        id=new_id(),
        message_id=message.id,
        key=message.key,
        type=envelope.type,
        case_id=envelope.subject,
        reason=f"{type(error).__name__}: {error}",
        trace="".join(traceback.format_exception(error)),
        attempts=tries,
        content_type=CLOUDEVENTS_BATCH,
        headers={},
        body=encode([envelope]),
        parked_at=now,
    )


def parked_unread(delivery: Delivery, bad: BadEvent, now: datetime) -> Parked:
    """One event of a message, put aside because it cannot be read."""
    message = delivery.message
    return Parked(
        id=new_id(),
        message_id=message.id,
        key=message.key,
        type=bad.type or message.key,
        case_id=bad.case_id,
        reason=bad.reason,
        trace="",
        attempts=1,
        content_type=message.content_type,
        headers=dict(message.headers),
        reply_to=message.reply_to,
        body=bad.raw,
        parked_at=now,
    )


def parked_given_up(delivery: Delivery, now: datetime) -> Parked:
    """A whole message, put aside unread because the broker has given it up.

    Reading it may be what ends the service, so that nobody reads it until somebody decides to.
    """
    message = delivery.message
    return Parked(
        id=new_id(),
        message_id=message.id,
        key=message.key,
        type=message.key,
        case_id=None,
        reason=f"RabbitMQ gave it up after {DELIVERIES} deliveries that nobody acknowledged: the"
        " service ended over it, or lost its connection each time; see the service's log",
        trace="",
        attempts=DELIVERIES,
        content_type=message.content_type,
        headers=dict(message.headers),
        reply_to=message.reply_to,
        body=message.body,
        parked_at=now,
    )


def parked_message(delivery: Delivery, error: Exception, now: datetime, tries: int) -> Parked:
    """A whole message, put aside because it cannot be read or its effects cannot be written."""
    message = delivery.message
    return Parked(
        id=new_id(),
        message_id=message.id,
        key=message.key,
        type=message.key,
        case_id=None,
        reason=f"{type(error).__name__}: {error}",
        trace="".join(traceback.format_exception(error)),
        attempts=tries,
        content_type=message.content_type,
        headers=dict(message.headers),
        reply_to=message.reply_to,
        body=message.body,
        parked_at=now,
    )
