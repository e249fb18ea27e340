"""A case as the ledger knows it: what was recorded, and what its four owners made of it.

Texts and histories stay in the journal. A dossier is written again with nearly every event, and
holds what moves and what is counted; what is only searched and shown is written once, as `Facts`.
"""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from shared.domain.aggregates import HandlingState
from shared.domain.case import Aggregate
from shared.domain.model import Instant, Value


class Facts(NamedTuple):
    """What is searched and shown of a recorded case; the fields are the table's columns."""

    first_seq: int
    """The case's, as its dossier says."""
    source: str | None
    external_id: str | None
    kind: str | None
    subject: str | None
    station: str | None
    recorder: str | None
    campaign: str | None
    words: str
    """What a search looks through, in lower case."""


class Round(Value):
    """One time round the loop: its promise, its answer, its judgement.

    The three versions are the newest seen in this round, so that any order of events gives the
    same round.
    """

    number: int
    handling_version: int = 0
    replied_at: Instant | None = None
    clocks_version: int = 0
    due_at: Instant | None = None
    paused: bool = False
    """Whether the clocks stood still for a while."""
    extended: bool = False
    """Whether more time was granted."""
    judgement_version: int = 0
    level: str = ""
    """The level that is judged."""
    unit: str = ""
    """The unit that is judged."""
    asked_at: Instant | None = None
    rated_at: Instant | None = None
    value: int | None = None
    satisfied: bool | None = None
    lapsed: bool = False

    @property
    def late(self) -> bool:
        """Whether the answer came after the due date."""
        return bool(self.replied_at and self.due_at and self.replied_at > self.due_at)


class Dossier(Aggregate):
    """One case; `version` is the sum of its four owners' newest versions."""

    first_seq: int = 0
    """The number of the journal's first entry about one of its aggregates."""

    record_version: int = 0
    handling_version: int = 0
    clocks_version: int = 0
    judgement_version: int = 0

    recorded_at: Instant | None = None
    """None until it is known what was recorded."""
    channel: str | None = None
    category: str | None = None
    item: str | None = None
    repeat_of: str | None = None

    progress: HandlingState = HandlingState.PENDING
    colour: str = ""
    unit: str = ""
    level: str = ""
    answer_owed: bool | None = None
    """None until the case has been routed."""
    policy_version: str = ""
    rounds: tuple[Round, ...] = ()
    """By number."""

    def round(self, number: int) -> Round:
        """A round, empty where nothing is known of it."""
        for each in reversed(self.rounds):
            if each.number == number:
                return each
        return Round(number=number)

    @property
    def current(self) -> Round:
        """The round in which the case is, or in which it ended."""
        return self.round(self.standing.round)

    @property
    def breached(self) -> bool:
        """Whether an answer of any round came too late."""
        return any(map(_late, self.rounds))

    @property
    def paused(self) -> bool:
        """Whether the clocks of any round stood still for a while."""
        return any(map(_paused, self.rounds))

    @property
    def extended(self) -> bool:
        """Whether more time was granted in any round."""
        return any(map(_extended, self.rounds))


_late, _paused, _extended = map(attrgetter, ("late", "paused", "extended"))


class RatingRow(Value):
    """What is counted of one round's judgement."""

    first_seq: int
    """The case's, as its dossier says."""
    round: int
    level: str
    unit: str
    asked_at: Instant | None
    rated_at: Instant | None
    satisfied: bool | None

    @property
    def key(self) -> str:
        """Case and round."""
        return f"{self.first_seq}:{self.round}"
