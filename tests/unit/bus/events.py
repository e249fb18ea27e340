"""CloudEvents as strangers send them, and what comes of reading one."""

import json
from datetime import UTC, datetime

from shared.bus.codec import BadEvent, Envelope, decode
from shared.bus.protocol import Message
from shared.domain.ids import case_id, new_id

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
SUBMISSION = {
    "source": "95598",
    "external_id": "2026-0001",
    "channel": "hotline",
    "subject": "路灯不亮",
    "attributes": {"customer": "hospital"},
}
CASE = case_id("95598", "2026-0001")
TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


def event(**changes: object) -> dict[str, object]:
    """A structured CloudEvent with a submission; an attribute set to None is left out."""
    attributes = {
        "specversion": "1.0",
        "id": "7",
        "type": "concentric.submit-case.v1",
        "source": "urn:95598",
        "data": SUBMISSION,
    }
    return {name: value for name, value in {**attributes, **changes}.items() if value is not None}


def message(body: object, content_type: str, key: str = "submit-case", **headers: str) -> Message:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(new_id(), key, raw, content_type, headers)


def structured(**changes: object) -> Message:
    return message(event(**changes), "application/cloudevents+json; charset=UTF-8")


def batch(*events: object) -> Message:
    return message(list(events), "application/cloudevents-batch+json")


def only(message: Message) -> Envelope:
    (envelope,) = decode(message, now=NOW)
    assert isinstance(envelope, Envelope), envelope
    return envelope


def bad(message: Message) -> BadEvent:
    (found,) = decode(message, now=NOW)
    assert isinstance(found, BadEvent), found
    return found
