"""What happened to the clocks, in the words of the deadline service."""

from __future__ import annotations

from shared.domain.aggregates import Clocks, Extension, Pause
from shared.domain.event import Event
from shared.domain.model import Instant


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
