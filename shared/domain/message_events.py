"""What somebody did about a message that lay aside, in the words of the service where it lay."""

from __future__ import annotations

from enum import StrEnum

from shared.domain.event import Event
from shared.domain.model import Instant


class Outcome(StrEnum):
    """What became of a message that went its way once more."""

    HANDLED = "handled"
    """It had its effect."""
    REFUSED = "refused"
    """It asked for what cannot be done; its sender was told so."""
    PARKED = "parked"
    """It failed again, at least in part, and lies aside again."""


class ParkedMessageEvent(Event):
    """An event about one message that lay aside; nothing of what it says is repeated."""

    service: str
    """Where it lay."""
    message_id: str
    message_type: str
    """The type of the event or command in it; empty where it is none that this release knows."""
    by: str
    """Who decided so."""
    reason: str
    """Why, in words that name no person whom a case is about."""
    at: Instant


class MessageReplayed(ParkedMessageEvent):
    """A message that lay aside went its ordinary way once more."""

    type = "message.replayed"
    outcome: Outcome
    attempts: int
    """How often it has been tried, in all."""


class MessageDiscarded(ParkedMessageEvent):
    """A message that lay aside was given up: what it says is in no books of that service."""

    type = "message.discarded"
