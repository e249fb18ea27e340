"""What notify knows of a case, and the messages that it sends: values alone."""

from __future__ import annotations

from enum import StrEnum

from shared.domain.aggregates import Handling
from shared.domain.case import Aggregate, State
from shared.domain.model import Instant, Value
from shared.domain.notices import Way

DIGEST = "digest"
"""What stands for the event in a unit's list of the morning."""


class Watch(Aggregate):
    """A case as far as people are told of it: who has to answer, and by when."""

    handling: Handling | None = None
    supervisors: tuple[str, ...] = ()
    """Units to which the current round has been escalated."""
    due_at: Instant | None = None
    clocks_version: int = 0

    @property
    def waits(self) -> bool:
        """Whether an answer is owed and not given."""
        handling = self.handling
        return (
            handling is not None
            and handling.answer_owed
            and handling.replied_at is None
            and self.standing.state is State.OPEN
            and handling.standing == self.standing
        )


class Told(Value):
    """What a message says of a case; nothing of it names a person unless the policy shows it."""

    case_id: str
    event: str
    colour: str
    unit: str
    round: int
    answer_owed: bool = True
    due_at: Instant | None = None
    days_left: int | None = None
    step: int | None = None
    to_unit: str | None = None
    """To which unit the case was escalated."""
    clock: str = "reply"
    """Which time has run out: that of the answer, or `accept`."""
    subject: str | None = None


class Listed(Value):
    """A case in a unit's list."""

    case_id: str
    colour: str
    due_at: Instant
    subject: str | None = None


class DayList(Value):
    """What lies before a unit on a working day."""

    day: str
    today: tuple[Listed, ...] = ()
    week: tuple[Listed, ...] = ()
    overdue: tuple[Listed, ...] = ()
    more: int = 0
    """Cases that are not named."""

    def without_subjects(self, case_id: str = "") -> DayList:
        """The same without the subject of a case, or of any."""

        def left(cases: tuple[Listed, ...]) -> tuple[Listed, ...]:
            hidden = {"subject": None}
            return tuple(
                each.but(**hidden) if case_id in ("", each.case_id) else each for each in cases
            )

        changes = {name: left(getattr(self, name)) for name in ("today", "week", "overdue")}
        return self.but(**changes)


class NoticeState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"
    """It was no longer true when its time came."""


class Notice(Value):
    """A message to one address."""

    id: str
    """Fixed for ever: the Message-ID or `webhook-id` by which a receiver knows a second copy."""
    case_id: str
    """Empty for a list."""
    event: str
    way: Way
    to: str
    role: str
    unit: str
    row: str
    colour: str = ""
    urgency: int = 1
    """0 goes before 1."""
    told: Told | None = None
    day_list: DayList | None = None
    happened_at: Instant
    planned_at: Instant
    """When it was to go out first, after the quiet hours."""
    next_at: Instant | None
    """When it is tried, or when the lease of whoever tries it ends; None once it is over."""
    tries: int = 0
    lease: str = ""
    """Who tries it now."""
    state: NoticeState = NoticeState.WAITING
    reason: str = ""
    """Why the last try failed, without anything personal."""
    done_at: Instant | None = None


class Outcome(Value):
    """How a try ended."""

    reason: str = ""
    """Empty where it was delivered."""
    final: bool = False
    """Whether trying again is of no use."""
    wait: int = 0
    """Seconds that the receiver asks us to wait at least."""
