"""A case: what somebody raised, as it was recorded, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, StringConstraints

from shared.domain.ids import fingerprint
from shared.domain.model import GivenInstant, Input, Instant, Value

Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
"""An identifier or a short title: one line, no control characters."""

Text = Annotated[str, StringConstraints(max_length=100_000, pattern=r"^[^\x00]*$")]
"""Free text of up to 100,000 characters, without NUL, which PostgreSQL cannot store."""

Scalar = str | int | bool


class Kind(StrEnum):
    """What a case is; the policy says which kinds are owed an answer."""

    INFORMATION = "information"
    SUGGESTION = "suggestion"
    PROBLEM = "problem"
    COMPLAINT = "complaint"
    PRAISE = "praise"


class GivenInformant(Input):
    """Whoever raises the case, as a channel names them."""

    ref: Name | None = None
    """How the source system calls the person."""
    name: Name | None = None
    contact: Name | None = None
    """Mail address or telephone number to which the rating link can be sent."""


class GivenAnswer(Input):
    """An answer that had been given already, as a channel hands it in."""

    text: Annotated[Text, Field(min_length=1)]
    at: GivenInstant
    by: Name | None = None


class Submission(Input):
    """A case as a channel hands it in; the policy says which names exist and what is required."""

    source: Name
    """The system or register that the case comes from."""
    external_id: Name
    """What that system calls the case: the same pair is the same case, for ever."""
    channel: Name
    kind: Kind = Kind.PROBLEM
    category: Name | None = None
    """Left out, it is found from the text by the policy's keywords."""
    item: Name | None = None
    subject: Annotated[Name, Field(max_length=500)]
    text: Text = ""
    recorded_at: GivenInstant | None = None
    """Left out, it is the moment of receipt."""
    recorder: Name | None = None
    """The member of staff who recorded the case and stays accountable for it."""
    station: Name | None = None
    """The unit at which the case was recorded."""
    informant: GivenInformant = GivenInformant()
    place: Name | None = None
    campaign: Name | None = None
    attributes: Annotated[dict[Name, Scalar], Field(max_length=50)] = Field(default_factory=dict)
    """Further facts for the policy's rows, such as `customer: hospital`."""
    answer: GivenAnswer | None = None

    @cached_property
    def matter(self) -> str:
        """The fingerprint of its words, by which repeats are known."""
        return fingerprint(self.subject, self.text)


class Informant(Value):
    """Whoever raised the case: personal data, never in logs, metrics, headers or queue names."""

    ref: str | None = None
    name: str | None = None
    contact: str | None = None


class Answer(Value):
    """An answer that had been given before the case came into this system."""

    text: str
    at: Instant
    by: str | None = None


class Case(Value):
    """A recorded case: the submission, completed by intake."""

    id: str
    source: str
    external_id: str
    channel: str
    kind: Kind
    category: str
    item: str | None = None
    subject: str
    text: str
    recorded_at: Instant
    received_at: Instant
    """When this system took the case in: no alarm is raised for what fell due before."""
    recorder: str | None = None
    station: str | None = None
    informant: Informant = Informant()
    place: str | None = None
    campaign: str | None = None
    attributes: dict[str, Scalar] = {}
    answer: Answer | None = None
    repeat_of: str | None = None
    """The earliest case of which this one is a repeat."""
    counts: dict[str, int] = {}
    """What the policy wanted to have counted when the case was recorded, by the facts' names."""

    @property
    def matter(self) -> str:
        """The fingerprint of its words, as the submission's."""
        return fingerprint(self.subject, self.text)

    @classmethod
    def recorded(
        cls,
        case_id: str,
        given: Submission,
        classified: tuple[str, str | None],
        now: datetime,
        repeat_of: str | None,
        counts: Mapping[str, int],
    ) -> Self:
        """The case that a submission becomes, taken in now; `classified` is category and item."""
        who, answer = given.informant, given.answer
        return cls(
            id=case_id,
            source=given.source,
            external_id=given.external_id,
            channel=given.channel,
            kind=given.kind,
            category=classified[0],
            item=classified[1],
            subject=given.subject,
            text=given.text,
            recorded_at=given.recorded_at or now,
            received_at=now,
            recorder=given.recorder,
            station=given.station,
            informant=Informant(ref=who.ref, name=who.name, contact=who.contact),
            place=given.place,
            campaign=given.campaign,
            attributes=given.attributes,
            answer=Answer(text=answer.text, at=answer.at, by=answer.by) if answer else None,
            repeat_of=repeat_of,
            counts=dict(counts),
        )


class State(StrEnum):
    """Where a case stands in the books of every service."""

    OPEN = "open"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Standing(Value):
    """A case's place in the books, joined from facts that may arrive in any order.

    Standings form a semilattice, so that every service ends with the same books whatever the
    order of delivery: a later round outranks an earlier one, within a round closed outranks open,
    and withdrawn outranks everything.
    """

    state: State = State.OPEN
    round: int = 1

    def join(self, other: Standing) -> Standing:
        """The higher of two standings: this very object, unless the other one is higher."""
        if other.round == self.round and other.state is self.state:
            return self
        return other if other._rank() > self._rank() else self

    def _rank(self) -> tuple[bool, int, bool]:
        return (self.state is State.WITHDRAWN, self.round, self.state is State.CLOSED)


class Aggregate(Value):
    """The part of a case that one service owns; `version` counts the events written about it."""

    case_id: str
    version: int = 0
    standing: Standing = Standing()
    erased_at: Instant | None = None
    """When what is personal was erased: from then on nothing is taken in that brings it back."""

    def standing_at(self, standing: Standing) -> Self:
        """The same with a joined standing; the version stays, the fact is another service's."""
        joined = self.standing.join(standing)
        if joined is self.standing:
            return self
        return self.but(standing=joined)

    def next(self, **changes: object) -> Self:
        """The successor that an event of ours describes."""
        changes["version"] = self.version + 1
        return self.but(**changes)
