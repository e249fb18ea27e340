"""The four aggregates of a case, one owner each; events carry them whole.

Record (intake) · Handling (router) · Clocks (deadline) · Judgement (evaluation)
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from shared.domain.case import Aggregate, Case, Kind, Scalar
from shared.domain.model import Instant, Value


class Actor(Value):
    """Who acts: a unit of the house, and the member of its staff where known."""

    unit: str
    person: str | None = None


class Limits(Value):
    """Time allowed: working days from the day after the start, or hours of work from it on."""

    accept: int | None = None
    reply: int | None = None
    accept_hours: int | None = None
    """Instead of the days."""
    reply_hours: int | None = None
    rating: int | None = None
    """Working days for which the link to rate the answer lives; None: as for all cases."""


class Decision(Value):
    """What the policy decided about a case, and why."""

    colour: str
    unit: str
    level: str
    answer_owed: bool
    limits: Limits
    table: str
    row: str
    """Name of the row that decided; `otherwise` where none matched."""
    routing_row: str | None = None
    """Name of the row that chose the unit, where the row of triage left it to the routing table."""
    facts: dict[str, Scalar | None] = {}
    """The facts that the row was matched against; an absent attribute is null."""
    policy_version: str


class Record(Aggregate):
    """Intake's part: the case as recorded."""

    case: Case | None = None
    """None only in a shell that another service's event reached before the record."""
    withdrawn_reason: str | None = None
    ended_at: Instant | None = None
    """When the case was closed or withdrawn; None while it is open."""


class HandlingState(StrEnum):
    """Where the handling of the current round stands."""

    PENDING = "pending"
    """Not routed yet."""
    ROUTED = "routed"
    ACCEPTED = "accepted"
    REPLIED = "replied"
    NOTED = "noted"
    """No answer is owed: the unit has been told."""


class Handling(Aggregate):
    """The router's part: who has to answer what by which clock, and the answer's facts."""

    state: HandlingState = HandlingState.PENDING
    kind: Kind = Kind.PROBLEM
    channel: str = ""
    colour: str = ""
    unit: str = ""
    """The unit that has to answer."""
    level: str = ""
    assignee: str | None = None
    came_from: str | None = None
    """The unit that transferred the case here, to which it can be returned."""
    answer_owed: bool = True
    limits: Limits = Limits()
    supervisors: tuple[str, ...] = ()
    """Units to which the case was escalated: they may act on it as well."""
    recorder: str | None = None
    station: str | None = None
    informant_ref: str | None = None
    informant_reachable: bool = False
    subject: str = ""
    received_at: Instant | None = None
    started_at: Instant | None = None
    """Start of the current round's clocks: the recording, or the reopening."""
    given_at: Instant | None = None
    """When the case came to the unit, where that was after the start: by a transfer or a return."""
    accepted_at: Instant | None = None
    replied_at: Instant | None = None
    replied_by: Actor | None = None
    reply_preceded: bool = False
    """The answer had been given before the case came in: nobody is asked to rate it."""
    policy_version: str = ""

    def is_work_of(self, evaluator: str) -> bool:
        """Whether an `informant:…`, a `person:…` or a `unit:…` had a hand in it.

        Nobody rates the own work, neither as colleague nor as the one who raised the matter.
        """
        role, _, name = evaluator.partition(":")
        by = self.replied_by
        if role == "unit":
            return name == self.unit or (by is not None and name == by.unit)
        return name == self.assignee or (by is not None and name == by.person)


class Escalation(Value):
    """How an overdue case climbs."""

    first: int
    """Working days from the breach to the first step."""
    days: int
    """Working days between two steps."""
    repeat: bool = False
    """Whether the last step is taken again and again until the case is answered."""
    units: tuple[str, ...] = ()
    """To which it goes, step by step; never the unit that has the case."""


class Mark(Value):
    """A moment at which a clock speaks: once, whoever is up."""

    at: Instant
    kind: str
    """`due-soon`, `overdue`, `escalate` or `resume`."""
    step: int = 0
    """Which warning or which step up the chain, from 0."""
    to_unit: str | None = None
    """To which unit the case is escalated."""
    clock: str = "reply"
    """`reply` or `accept`."""


class Pause(Value):
    """Time in which the clocks of a case stood still, or stand still."""

    reason: str
    """One of the policy's."""
    by: Actor
    at: Instant
    until: Instant
    """When it ends by itself: as announced, and never later than the policy allows."""
    ended_at: Instant | None = None
    """None while it lasts."""
    ended_by: Actor | None = None
    """None also where it ended by itself, or with the answer."""

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From its beginning to its end, or to the one that is awaited."""
        return self.at, self.ended_at or self.until


class ExtensionState(StrEnum):
    """Where a request for more time stands."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


class Extension(Value):
    """More time, as it was asked for and decided."""

    days: int
    """Working days."""
    reason: str
    by: Actor
    at: Instant
    state: ExtensionState = ExtensionState.ASKED
    decided_by: Actor | None = None
    decided_at: Instant | None = None
    note: str = ""


class Clocks(Aggregate):
    """Deadline's part: the clocks of the current round."""

    started_at: Instant | None = None
    due_at: Instant | None = None
    """The end of the last working day allowed; None where no answer is owed."""
    working_days: int | None = None
    provisional: bool = False
    """Reckoned beyond the last year for which public holidays are published."""
    stopped_at: Instant | None = None
    """When the answer was given."""
    colour: str = ""
    unit: str = ""
    marks: tuple[Mark, ...] = ()
    """What is still to be said, in order of time."""
    said: tuple[Mark, ...] = ()
    """What has been said in this round."""
    handling_version: int = 0
    """The newest version of the handling that was seen."""
    limits: Limits = Limits()
    """Empty where no answer is owed."""
    escalation: Escalation | None = None
    """As the policy decided for the handling; None where no answer is owed."""
    original_due_at: Instant | None = None
    """The due date as it would be without pauses and extensions."""
    accept_due_at: Instant | None = None
    """Until when the unit has to accept the case; None where the policy sets no limit."""
    received_at: Instant | None = None
    """When the case came in: what had passed by then raises no alarm."""
    given_at: Instant | None = None
    """As in the handling."""
    accepted_at: Instant | None = None
    handled_round: int | None = None
    """The round of that handling; the clocks stand still while another one knows of a later."""
    pauses: tuple[Pause, ...] = ()
    """In this round, in order of time; the last one may still last."""
    extensions: tuple[Extension, ...] = ()
    """In this round, in order of time; the last one may still wait for its decision."""

    @property
    def pause(self) -> Pause | None:
        """The pause that lasts; none does once the answer is given."""
        if self.stopped_at is not None:
            return None
        return next((pause for pause in self.pauses if pause.ended_at is None), None)


class JudgementState(StrEnum):
    """Where the judgement of the current round stands."""

    NONE = "none"
    ASKED = "asked"
    RATED = "rated"
    LAPSED = "lapsed"
    NOT_ASKED = "not-asked"


class Rating(Value):
    """One judgement of one answer."""

    score: str
    """Id on the policy's rating scale."""
    value: int
    satisfied: bool
    comment: str = ""
    by: str
    at: Instant


class Judgement(Aggregate):
    """Evaluation's part: who may rate the answer of the current round, and how it was rated."""

    state: JudgementState = JudgementState.NONE
    evaluator: str | None = None
    """`informant:…`, `person:…` or `unit:…`: the one who is entitled."""
    asked_at: Instant | None = None
    lapses_at: Instant | None = None
    links: tuple[str, ...] = ()
    """Of each personal link that was given out, in their order, the digest of its token
    (`shared.domain.ids.digest`): whoever reads them cannot rate."""
    rating: Rating | None = None
    level: str = ""
    unit: str = ""
    subject: str = ""
    reply: str = ""
    handling_version: int = 0
    """The newest version of the handling that was seen."""
