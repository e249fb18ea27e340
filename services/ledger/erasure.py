"""What is left of an entry of the journal once its case was erased. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from shared.domain.erasure import erased
from shared.domain.events import EVENTS
from shared.domain.model import Value

ERASED_ENTRIES = "entries.erased"
"""The type of the entry that seals what is left of others: no event, and nobody is sent it."""

NOTHING = "{}"


class ErasedEntries(Value):
    """Which entries of a case were erased, and what is left of them."""

    case_id: str
    left: Mapping[int, str]
    """By the number of the entry: the SHA-256 of the body that is left, in hex digits."""


def left_of(type_: str, body: str, at: datetime) -> str:
    """The body without what is personal; the same where nothing is.

    Of what cannot be understood, such as an event of a newer release, nothing is left.
    """
    known = EVENTS.get(type_)
    if known is None:
        return body if type_ == ERASED_ENTRIES else NOTHING
    try:
        event = known.from_json(body)
    except msgspec.MsgspecError:
        return NOTHING
    left = erased(event, at)
    return body if left is event else left.to_json()
