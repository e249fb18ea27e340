"""Between AMQP's words and ours: messages, errors, and how long to wait between attempts."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

from shared.bus.codec import message_id
from shared.bus.line import Arrival
from shared.bus.protocol import Message

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 15.0
"""Seconds between attempts to connect; each is twice the one before."""

_AWAY = "see that it runs there and that AMQP_URL is right"
_REMEDIES = {
    "ConnectionRefusedError": _AWAY,
    "gaierror": _AWAY,
    "TimeoutError": _AWAY,
    "AMQPConnectorStackTimeout": "somebody listens there and says nothing: " + _AWAY,
    "IncompatibleProtocolError": "it hangs up at once: " + _AWAY,
    "AMQPHeartbeatTimeout": "it was silent for too long: it hangs, or the network to it is cut",
    "ProbableAuthenticationError": "correct them in AMQP_URL",
    "ProbableAccessDeniedError": "correct the end of AMQP_URL, or create the host and permit it",
    "PRECONDITION_FAILED - inequivalent arg": (
        "somebody declared it otherwise: `concentric queues renew SERVICE` puts it right"
    ),
    "user_id property set": (
        "an integrator's message can be moved as it is by a user that has the tag `impersonator`"
    ),
    "ACCESS_REFUSED": "give the user of AMQP_URL configure, write and read permission",
    "blocked": "make room on its machine; what is committed waits in the outboxes meanwhile",
}
"""What can be done about a trouble, by the name of the error or by what stands in its text."""
_CODES = (
    "PRECONDITION_FAILED - inequivalent arg",
    "user_id property set",
    "ACCESS_REFUSED",
)

_RESERVED = frozenset({"content-encoding", "user-id"})
"""Headers of ours that stand for properties of AMQP: a header of that name does not count, nor do
those that begin with `x-`, which are the broker's notes."""


def properties_of(message: Message) -> dict[str, Any]:
    """The AMQP properties under which a message is sent."""
    headers = {name: text for name, text in message.headers.items() if name not in _RESERVED}
    return {
        "content_type": message.content_type,
        "content_encoding": message.headers.get("content-encoding"),
        "delivery_mode": 2,  # persistent
        "headers": headers or None,
        "message_id": message.id,
        "reply_to": message.reply_to,
    }


def arrival_of(method: Any, properties: Any, body: bytes) -> Arrival:
    """What the broker delivered; the sender may be anybody, so that anything may be missing."""
    given: Mapping[str, Any] = properties.headers or {}
    named = ((_text(name), value) for name, value in given.items() if _is_scalar(value))
    headers = {
        name: _text(value)
        for name, value in named
        if name not in _RESERVED and not name.startswith("x-")
    }
    if properties.content_encoding:
        headers["content-encoding"] = _text(properties.content_encoding)
    if properties.user_id:
        # The broker has checked that it is the user who is logged in.
        headers["user-id"] = _text(properties.user_id)
    key = _text(method.routing_key)
    message = Message(
        id=message_id(_text(properties.message_id or ""), key, body),
        key=key,
        body=body,
        content_type=_text(properties.content_type or ""),
        headers=headers,
        reply_to=_text(properties.reply_to) if properties.reply_to else None,
    )
    again = method.redelivered or bool(given.get("x-delivery-count"))
    return Arrival(method.delivery_tag, message, again, _died_in(given))


def _died_in(headers: Mapping[str, Any]) -> str | None:
    """The queue of the newest death that the broker has noted; the notes are its own."""
    deaths = headers.get("x-death")
    newest = deaths[0] if isinstance(deaths, list) and deaths else None
    queue = newest.get("queue") if isinstance(newest, dict) else None
    return None if queue is None else _text(queue)


def words(error: BaseException) -> str:
    """What a person needs to know of an error of pika's, whose own texts nest several others."""
    while inner := _inner(error):
        error = inner
    name = type(error).__name__
    if name == "ProbableAuthenticationError":
        return f"it refuses the user's name or password; {remedy(name)}"
    if name == "ProbableAccessDeniedError":
        return (
            f"it refuses the user access to the virtual host, or has no such host; {remedy(name)}"
        )
    told = f"{name}: {error}" if str(error) else name
    advice = remedy(name) or remedy(next((code for code in _CODES if code in told), ""))
    return f"{told}; {advice}" if advice else told


def remedy(trouble: str) -> str:
    """What to do about a trouble: the name of an error, or of what the broker did. Else ''."""
    return _REMEDIES.get(trouble, "")


def pauses() -> Iterator[float]:
    """Seconds to wait before each next attempt, spread so that services do not come all at once."""
    pause = FIRST_PAUSE
    while True:
        yield random.uniform(pause / 2, pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def _inner(error: BaseException) -> BaseException | None:
    """The error inside: pika's workflow of connecting wraps it in lists and attributes."""
    inner = getattr(error, "exceptions", None) or [getattr(error, "exception", None)]
    if inner[-1] is None and len(error.args) == 1 and isinstance(error.args[0], BaseException):
        return error.args[0]
    return inner[-1] if isinstance(inner[-1], BaseException) else None


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | bytes | int | float)


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
