"""From a message to envelopes: CloudEvents in a batch, structured or binary, and plain JSON.

A message that cannot be read at all raises `Unreadable`. An event inside one that cannot be
understood comes out as a `BadEvent`, and its neighbours as the envelopes that they are.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from pydantic_core import from_json

from shared.bus.envelope import BadEvent, Envelope, encode, encode_packs, wire_type
from shared.bus.protocol import CLOUDEVENTS_BATCH, Message
from shared.bus.reading import read, read_pack
from shared.domain.commands import COMMANDS
from shared.domain.errors import Unreadable

__all__ = [
    "BadEvent",
    "Envelope",
    "decode",
    "encode",
    "encode_packs",
    "message_id",
    "wire_type",
]

MAX_BYTES = 16 * 1024 * 1024
"""What RabbitMQ 4 carries in one message."""

CLOUDEVENT = "application/cloudevents+json"
JSON = "application/json"

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PREFIXES = ("ce-", "cloudevents:", "cloudevents_")
"""Of the headers of binary mode: the binding for AMQP 1.0 names the last two."""


def decode(message: Message, *, now: datetime | None = None) -> Sequence[Envelope | BadEvent]:
    """The events or commands of a message, in order, good and bad.

    `now` is the time of events that name none, as CloudEvents allows; the moment of reading if
    left out. Raises `Unreadable` for what concerns the message as a whole.
    """
    media = _media_type(message)
    if media == CLOUDEVENTS_BATCH and (told := read_pack(message)):
        return told
    now = now or datetime.now(UTC)
    if media == CLOUDEVENTS_BATCH:
        raws = _json(message)
        if not isinstance(raws, list):
            raise _unreadable(message, "a batch is a JSON array of CloudEvents")
        if not raws:
            raise _unreadable(message, "the batch is empty")
        return [read(raw, message, now, (n, len(raws))) for n, raw in enumerate(raws, 1)]
    if media == CLOUDEVENT:
        return [read(_json(message), message, now)]
    if media != JSON:
        raise _unreadable(message, f"content type {media!r}: send {CLOUDEVENT} or {JSON}")
    data = _json(message)
    if attributes := _binary_attributes(message):
        return [read({**attributes, "data": data}, message, now)]
    if isinstance(data, dict) and "specversion" in data and "type" in data:
        return [read(data, message, now)]
    return [read(_bare_command(data, message), message, now)]


def message_id(given: str | None, key: str, body: bytes) -> str:
    """The id by which inboxes know a message that may come from outside.

    A UUID stands for itself. Anything else, such as `17`, might be another sender's as well, so
    that the id is a digest of it together with what was sent; likewise where there is none.
    """
    if given is not None and _UUID.fullmatch(given):
        return given
    known = blake2b(digest_size=16)
    for part in ((given or "").encode(errors="replace"), key.encode(errors="replace"), body):
        known.update(len(part).to_bytes(8, "big"))
        known.update(part)
    return known.hexdigest()


def _media_type(message: Message) -> str:
    if len(message.body) > MAX_BYTES:
        raise _unreadable(message, f"{len(message.body):,} bytes: the limit is {MAX_BYTES:,}")
    media, strange = _declared(message.content_type, message.headers.get("content-encoding", ""))
    if strange:
        raise _unreadable(message, strange)
    return media


@lru_cache(maxsize=64)
def _declared(content_type: str, encoding: str) -> tuple[str, str]:
    """The media type, or why what is declared in such a way cannot be read."""
    encoding = encoding.strip().lower()
    if encoding not in {"", "identity", "utf-8", "utf8"}:
        return "", f"content encoding {encoding!r}: send it uncompressed"
    media, _, parameters = content_type.partition(";")
    charset = re.search(r"charset\s*=\s*\"?([^\";\s]+)", parameters, re.IGNORECASE)
    if charset and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        return "", f"charset {charset[1]!r}: send UTF-8"
    return media.strip().lower() or JSON, ""


def _json(message: Message) -> Any:
    try:
        return from_json(message.body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise _unreadable(message, f"not JSON in UTF-8: {error}") from error


def _unreadable(message: Message, reason: str) -> Unreadable:
    sender = _binary_attributes(message).get("source") or message.reply_to
    return Unreadable(reason, sender=sender)


def _binary_attributes(message: Message) -> dict[str, str]:
    attributes = {}
    for name, value in message.headers.items():
        folded = name.lower()
        for prefix in _PREFIXES:
            if folded.startswith(prefix):
                attributes[folded.removeprefix(prefix)] = value
    return attributes


def _bare_command(data: object, message: Message) -> dict[str, object]:
    """The CloudEvent of a command that is sent as nothing but its data."""
    if message.key not in COMMANDS:
        known = ", ".join(sorted(COMMANDS))
        raise _unreadable(
            message, f"no CloudEvent, and its routing key is none of the commands {known}"
        )
    user = message.headers.get("user-id")
    return {
        "specversion": "1.0",
        "id": message.id,
        "type": wire_type(message.key),
        "source": f"amqp:{user}" if user else message.reply_to or "amqp:",
        "data": data,
    }
