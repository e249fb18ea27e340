"""An event or a command with what a CloudEvent says about it, and how it is written."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from shared.domain.commands import Command
from shared.domain.errors import Problem
from shared.domain.events import Event
from shared.domain.model import Value

MAJOR = 1
"""The major version of every type; additive changes keep it."""

PACK_BYTES = 128 * 1024
"""How large a pack may grow before another is begun; a pack of one event may be larger."""


class Envelope(Value):
    """One CloudEvent; the names of its extensions are lower case, as the specification asks."""

    id: str
    type: str
    """The middle of the type on the wire: `case.routed` of `concentric.case.routed.v1`."""
    source: str
    subject: str
    """The id of the case, or empty."""
    time: datetime
    data: Event | Command
    caseversion: int | None = None
    """The version of the aggregate that the event describes."""
    correlationid: str | None = None
    """The id of the event or command with which it all began."""
    causationid: str | None = None
    """The id of the event or command of which this is the consequence."""
    policyversion: str | None = None
    traceparent: str | None = None
    """The trace that it belongs to (W3C Trace Context)."""


class BadEvent(Value):
    """One event of a message that cannot be understood, while its neighbours can."""

    raw: bytes
    """The body that the message would have, had it held this event alone."""
    reason: str
    """What is wrong and where; it repeats no value."""
    type: str | None = None
    """As in an envelope, where known."""
    id: str | None = None
    sender: str | None = None
    """The CloudEvents source, or the reply address."""
    source: str | None = None
    """The source of the submission inside, where it is one that names it."""
    external_id: str | None = None
    """What that source calls the case, where it says so."""
    case_id: str | None = None
    """The case that the command inside is about, where it says so."""
    problems: tuple[Problem, ...] = ()
    """What is wrong with the data, field by field."""
    correlationid: str | None = None
    traceparent: str | None = None


class CloudEvent(msgspec.Struct, omit_defaults=True, gc=False):
    """An event as it is written: CloudEvents knows no null, what has no value is left out."""

    specversion: str
    id: str
    type: str
    source: str
    time: datetime
    datacontenttype: str
    data: Any
    subject: str = ""
    caseversion: int | None = None
    correlationid: str | None = None
    causationid: str | None = None
    policyversion: str | None = None
    traceparent: str | None = None


def wire_type(name: str) -> str:
    """The type on the wire of an event or command."""
    return f"concentric.{name}.v{MAJOR}"


def encode(envelopes: Iterable[Envelope]) -> bytes:
    """The body of a message: a CloudEvents JSON batch."""
    return b"[%b]" % b",".join(map(_json.encode, map(_cloud_event, envelopes)))


def encode_packs(envelopes: Iterable[Envelope], limit: int = PACK_BYTES) -> Iterator[bytes]:
    """Bodies of as many messages as it takes to stay at about `limit` bytes each."""
    pack = bytearray(b"[")
    for event in map(_cloud_event, envelopes):
        end = len(pack)
        _json.encode_into(event, pack, end)
        if end > 1 and len(pack) > limit + 1:
            yield bytes(pack[: end - 1]) + b"]"
            del pack[1:end]
        pack += b","
    if len(pack) > 1:
        pack[-1:] = b"]"
        yield bytes(pack)


def _cloud_event(envelope: Envelope) -> CloudEvent:
    return CloudEvent(
        "1.0",
        envelope.id,
        f"concentric.{envelope.type}.v{MAJOR}",
        envelope.source,
        envelope.time,
        "application/json",
        envelope.data,
        envelope.subject,
        envelope.caseversion,
        envelope.correlationid,
        envelope.causationid,
        envelope.policyversion,
        envelope.traceparent,
    )


def _command(data: object) -> msgspec.Raw:
    """Commands are written by pydantic, whose models they are."""
    assert isinstance(data, Command)
    return msgspec.Raw(data.model_dump_json().encode())


_json = msgspec.json.Encoder(enc_hook=_command)
