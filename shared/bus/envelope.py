"""An event or a command with what a CloudEvent says about it, and how it is written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic_core import to_json

from shared.domain.commands import Command
from shared.domain.errors import Problem
from shared.domain.events import Event

MAJOR = 1
"""The major version of every type; additive changes keep it."""

PACK_BYTES = 128 * 1024
"""How large a pack may grow before another is begun; a pack of one event may be larger."""


@dataclass(frozen=True, slots=True)
class Envelope:
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


@dataclass(frozen=True, slots=True)
class BadEvent:
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


def wire_type(name: str) -> str:
    """The type on the wire of an event or command."""
    return f"concentric.{name}.v{MAJOR}"


def encode(envelopes: Iterable[Envelope]) -> bytes:
    """The body of a message: a CloudEvents JSON batch."""
    return b"[%b]" % b",".join(map(_json, envelopes))


def encode_packs(envelopes: Iterable[Envelope], limit: int = PACK_BYTES) -> Iterator[bytes]:
    """Bodies of as many messages as it takes to stay at about `limit` bytes each."""
    pack: list[bytes] = []
    size = 0
    for event in map(_json, envelopes):
        if pack and size + len(event) > limit:
            yield b"[%b]" % b",".join(pack)
            pack, size = [], 0
        pack.append(event)
        size += len(event) + 1
    if pack:
        yield b"[%b]" % b",".join(pack)


def _json(envelope: Envelope) -> bytes:
    attributes: dict[str, object] = {
        "specversion": "1.0",
        "id": envelope.id,
        "type": wire_type(envelope.type),
        "source": envelope.source,
        "time": envelope.time,
        "datacontenttype": "application/json",
    }
    # CloudEvents has no null: an attribute without a value is left out.
    if envelope.subject:
        attributes["subject"] = envelope.subject
    if envelope.caseversion is not None:
        attributes["caseversion"] = envelope.caseversion
    if envelope.correlationid is not None:
        attributes["correlationid"] = envelope.correlationid
    if envelope.causationid is not None:
        attributes["causationid"] = envelope.causationid
    if envelope.policyversion is not None:
        attributes["policyversion"] = envelope.policyversion
    if envelope.traceparent is not None:
        attributes["traceparent"] = envelope.traceparent
    attributes["data"] = envelope.data
    return to_json(attributes)
