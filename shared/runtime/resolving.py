"""A parked message whose turn it is once more, or which is given up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.bus.codec import Envelope, decode
from shared.bus.protocol import Delivery, Message
from shared.domain.commands import COMMANDS
from shared.domain.errors import Unreadable
from shared.domain.events import EVENTS, MessageDiscarded, MessageReplayed
from shared.domain.message_events import Outcome
from shared.runtime.work import Resolution
from shared.storage.messaging import Parked

_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass
class Resolving:
    """What a transaction does with one parked message, which it has taken out of the table."""

    order: Resolution
    parked: Parked
    service: str
    now: datetime
    left: list[Parked] = field(default_factory=list)
    """What has to lie aside again."""

    @property
    def delivery(self) -> Delivery:
        """The message as it came the first time; the bus knows nothing of this delivery."""
        message = Message(
            id=self.parked.message_id,
            key=self.parked.key,
            body=self.parked.body,
            content_type=self.parked.content_type,
            headers=self.parked.headers,
            reply_to=self.parked.reply_to,
        )
        return Delivery(message, tag=0)

    def again(self, failed: Parked) -> Parked:
        """What lies aside in the old one's place: of a pack, one for each event that failed.

        It is listed where the old one was, since when the old one was, with all tries counted.
        """
        kept = replace(
            failed,
            id=failed.id if self.left else self.parked.id,
            case_id=failed.case_id or self.parked.case_id,
            attempts=self.parked.attempts + failed.attempts,
            parked_at=self.parked.parked_at,
        )
        self.left.append(kept)
        return kept

    def outcome(self, *, refused: bool) -> Outcome:
        """What became of it; `refused` where a command in it was."""
        if self.left:
            return Outcome.PARKED
        return Outcome.REFUSED if refused else Outcome.HANDLED

    def replayed(self, outcome: Outcome) -> MessageReplayed:
        """The fact that it went its way once more."""
        attempts = self.left[0].attempts if self.left else self.parked.attempts + 1
        return MessageReplayed(
            case_id=_case(self.parked.case_id),
            service=self.service,
            message_id=self.parked.message_id,
            message_type=_known(self.parked.type),
            by=self.order.by,
            reason=self.order.reason,
            at=self.now,
            outcome=outcome,
            attempts=attempts,
        )

    def discarded(self) -> Iterator[MessageDiscarded]:
        """The fact that it was given up, for each case that it tells of as far as it can be read.

        So the audit knows which facts a service's books lack, and by whose decision.
        """
        about = dict.fromkeys(self._about()) or {(self.parked.case_id, self.parked.type): None}
        for case_id, kind in about:
            yield MessageDiscarded(
                case_id=_case(case_id),
                service=self.service,
                message_id=self.parked.message_id,
                message_type=_known(kind),
                by=self.order.by,
                reason=self.order.reason,
                at=self.now,
            )

    def _about(self) -> Sequence[tuple[str | None, str]]:
        if self.parked.case_id is not None:
            return ()
        try:
            found = decode(self.delivery.message)
        except Unreadable:
            return ()
        return [(each.subject, each.type) for each in found if isinstance(each, Envelope)]


def _case(case_id: str | None) -> str:
    """A case's id; what a broken message gives for one may be anything, and stays where it is."""
    return case_id if case_id is not None and _ID.fullmatch(case_id) else ""


def _known(kind: str) -> str:
    return kind if kind in EVENTS or kind in COMMANDS else ""
