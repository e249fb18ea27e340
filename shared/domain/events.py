"""What happened, in the past tense: the facts that the services exchange.

Every event names its case and carries the aggregate that it describes whole, at the version that
its owner wrote; a reader keeps the newest version and needs no other order.
"""

from __future__ import annotations

from shared.domain.aggregates import (
    Actor,
    Decision,
    Handling,
    Judgement,
    Rating,
    Record,
)
from shared.domain.case import Case, Standing, State
from shared.domain.clock_events import (
    CaseDueSoon,
    CaseEscalated,
    CaseOverdue,
    CasePaused,
    CaseResumed,
    ClocksEvent,
    DeadlineExtended,
    DeadlineMoved,
    DeadlineSet,
    ExtensionRefused,
    ExtensionRequested,
)
from shared.domain.errors import Problem
from shared.domain.event import Event
from shared.domain.keeping_events import CaseErased
from shared.domain.message_events import MessageDiscarded, MessageReplayed
from shared.domain.model import Instant
from shared.domain.notices import Way
from shared.domain.policy import PolicyVersion
from shared.domain.review_events import ReviewOpened, ReviewOverdue, ReviewSigned

# The events about time, reviews, erasure and parked messages have files of their own; all are
# found here.
__all__ = [
    "CaseDueSoon",
    "CaseErased",
    "CaseEscalated",
    "CaseOverdue",
    "CasePaused",
    "CaseResumed",
    "ClocksEvent",
    "DeadlineExtended",
    "DeadlineMoved",
    "DeadlineSet",
    "Event",
    "ExtensionRefused",
    "ExtensionRequested",
    "MessageDiscarded",
    "MessageReplayed",
    "ReviewOpened",
    "ReviewOverdue",
    "ReviewSigned",
]


# ── intake: the record ────────────────────────────────────────────────────────────────────────


class CaseRecorded(Event):
    """A case is in the books: from now on it is open until closed or withdrawn."""

    type = "case.recorded"
    aggregate = "record"
    record: Record

    @property
    def case(self) -> Case:
        """The case, which a recorded event always carries."""
        if self.record.case is None:
            raise ValueError(f"case.recorded of {self.case_id} carries no case")
        return self.record.case


class CaseWithdrawn(Event):
    """Whoever raised or recorded the case took it back: nothing more is owed."""

    type = "case.withdrawn"
    aggregate = "record"
    record: Record
    reason: str
    by: str | None = None
    at: Instant

    @property
    def standing(self) -> Standing:
        """Withdrawn, which outranks every other standing."""
        return Standing(state=State.WITHDRAWN, round=self.record.standing.round)


class CaseRecalled(Event):
    """What was recorded of a case, told once more for whoever asked to decide it anew."""

    type = "case.recalled"
    record: Record

    @property
    def case(self) -> Case | None:
        """The case as it was recorded."""
        return self.record.case


class CaseRefused(Event):
    """A submission was not taken in, for these reasons; nothing was recorded."""

    type = "case.refused"
    source: str
    external_id: str | None = None
    problems: tuple[Problem, ...]


# ── router: the handling ──────────────────────────────────────────────────────────────────────


class HandlingEvent(Event):
    """An event about the handling."""

    aggregate = "handling"
    handling: Handling


class CaseRouted(HandlingEvent):
    """The policy triaged the case and gave it to a unit; also at the start of a further round."""

    type = "case.routed"
    decision: Decision


class CaseAccepted(HandlingEvent):
    """The unit took the case on."""

    type = "case.accepted"
    by: Actor
    at: Instant


class CaseReturned(HandlingEvent):
    """The unit gave the case back to the unit that it came from, with a reason."""

    type = "case.returned"
    by: Actor
    reason: str
    at: Instant


class CaseTransferred(HandlingEvent):
    """The case moved to the unit that can solve it; clock and accountability go on."""

    type = "case.transferred"
    by: Actor
    reason: str
    from_unit: str
    at: Instant


class CaseReplied(HandlingEvent):
    """The unit answered; the reply clock stops."""

    type = "case.replied"
    reply: str
    by: Actor
    at: Instant


class RetriageRequested(Event):
    """Somebody asked, for this reason, that the policy in force decide an open case anew."""

    type = "retriage.requested"
    by: str
    reason: str
    at: Instant


class PolicyApplied(Event):
    """A version of the policy was applied to the house; it is in force from `effective_at` on."""

    type = "policy.applied"
    case_id: str = ""
    policy: PolicyVersion


# ── evaluation: the judgement ─────────────────────────────────────────────────────────────────


class JudgementEvent(Event):
    """An event about the judgement."""

    aggregate = "judgement"
    judgement: Judgement


class EvaluationRequested(JudgementEvent):
    """Someone is asked to rate the answer by a personal link, which is a secret of theirs."""

    type = "evaluation.requested"
    link: str


class EvaluationReceived(JudgementEvent):
    """The answer was rated."""

    type = "evaluation.received"
    rating: Rating


class EvaluationLapsed(JudgementEvent):
    """Nobody rated the answer in time."""

    type = "evaluation.lapsed"


class CaseClosed(JudgementEvent):
    """The loop is closed."""

    type = "case.closed"
    reason: str
    """`satisfied`, `lapsed`, `not-rated`, `no-answer-owed` or `rounds-exhausted`."""
    at: Instant

    @property
    def standing(self) -> Standing:
        """Closed in the judgement's round."""
        return Standing(state=State.CLOSED, round=self.judgement.standing.round)


class CaseReopened(JudgementEvent):
    """The answer did not satisfy: the case goes round again."""

    type = "case.reopened"
    reason: str
    at: Instant

    @property
    def standing(self) -> Standing:
        """Open in the new round."""
        return Standing(state=State.OPEN, round=self.judgement.standing.round)


# ── notify: who was told outside the ledger ───────────────────────────────────────────────────


class NotificationEvent(Event):
    """An event about one message to one address, which is not named."""

    notification_id: str
    about: str
    """The type of the event that was told, such as `case.routed`."""
    way: Way
    role: str
    """As what the addressee was told, such as `unit`."""
    unit: str
    """The unit that was told; empty for a person."""
    tries: int
    at: Instant


class NotificationDelivered(NotificationEvent):
    """The message was taken by the mail server or the webhook's receiver."""

    type = "notification.delivered"


class NotificationFailed(NotificationEvent):
    """The message could not be delivered, and is not tried again by itself."""

    type = "notification.failed"
    reason: str
    """In words, without the address."""


# ── the machine itself ────────────────────────────────────────────────────────────────────────


class CommandRefused(Event):
    """A command that came over the queue could not be carried out; the reasons for its sender."""

    type = "command.refused"
    command: str
    problems: tuple[Problem, ...]


def _concrete(base: type[Event]) -> list[type[Event]]:
    leaves = [leaf for sub in base.__subclasses__() for leaf in _concrete(sub)]
    return leaves or [base]


EVENTS: dict[str, type[Event]] = {event.type: event for event in _concrete(Event)}
"""Every event by its type."""
