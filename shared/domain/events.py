"""What happened, in the past tense: the facts that the services exchange.

Every event names its case and carries the aggregate that it describes whole, at the version that
its owner wrote; a reader keeps the newest version and needs no other order.
"""

from __future__ import annotations

from typing import ClassVar

from shared.domain.aggregates import (
    Actor,
    Clocks,
    Decision,
    Extension,
    Handling,
    Judgement,
    Pause,
    Rating,
    Record,
)
from shared.domain.case import Aggregate, Case, Standing, State
from shared.domain.errors import Problem
from shared.domain.model import Instant, Value


class Event(Value):
    """The base of all events; `type` is the middle of `concentric.TYPE.v1` on the wire."""

    type: ClassVar[str]
    aggregate: ClassVar[str | None] = None
    """The field that holds the aggregate which this event describes."""

    case_id: str

    @property
    def version(self) -> int:
        """The version of the aggregate described; 0 for events about none."""
        if self.aggregate is None:
            return 0
        described: Aggregate = getattr(self, self.aggregate)
        return described.version


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


# ── deadline: the clocks ──────────────────────────────────────────────────────────────────────


class ClocksEvent(Event):
    """An event about the clocks."""

    aggregate = "clocks"
    clocks: Clocks


class DeadlineSet(ClocksEvent):
    """The due date of a round was reckoned by the calendar."""

    type = "deadline.set"


class CaseDueSoon(ClocksEvent):
    """A warning before the due date."""

    type = "case.due-soon"
    working_days_left: int
    clock: str = "reply"
    late_by: int | None = None
    """Seconds after its moment, where that is more than a minute: nobody was up, or all busy."""


class CaseOverdue(ClocksEvent):
    """The due date passed without an answer, or the time for accepting the case without that."""

    type = "case.overdue"
    clock: str = "reply"
    """`reply` or `accept`."""
    late_by: int | None = None
    """As in `case.due-soon`."""


class CaseEscalated(ClocksEvent):
    """An overdue case went a step up the chain."""

    type = "case.escalated"
    to_unit: str
    step: int
    """From 0; beyond the end of the chain its last unit is told again."""
    clock: str = "reply"
    late_by: int | None = None
    """As in `case.due-soon`."""


class CasePaused(ClocksEvent):
    """The clocks of a case stand still."""

    type = "case.paused"
    pause: Pause


class CaseResumed(ClocksEvent):
    """The clocks go on: somebody said so, the pause came to its end, or the answer was given."""

    type = "case.resumed"
    pause: Pause
    paused_days: int
    """Working days that all pauses of this round have left out."""


class ExtensionRequested(ClocksEvent):
    """The unit asks for more time; the due date stays until that is granted."""

    type = "extension.requested"
    extension: Extension


class ExtensionRefused(ClocksEvent):
    """There is no more time: the due date stays."""

    type = "extension.refused"
    extension: Extension


class DeadlineExtended(ClocksEvent):
    """More time was granted; the clocks keep the original due date as well."""

    type = "deadline.extended"
    extension: Extension
    moved_from: Instant
    moved_to: Instant


class DeadlineMoved(ClocksEvent):
    """The due date of a running round was reckoned anew."""

    type = "deadline.moved"
    moved_from: Instant | None
    moved_to: Instant | None
    """None where no answer is owed any more."""
    why: str
    """`calendar` or `re-triage`."""


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
