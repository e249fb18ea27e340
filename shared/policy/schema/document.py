"""The policy file's shape: what may stand where, of which type.

Whether names exist is the business of `names.py` and `checks/`.
"""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from shared.domain.case import Kind
from shared.policy.schema.clocks import (
    AcceptancePart,
    CalendarPart,
    ColourPart,
    ExtensionsPart,
    PausePart,
)
from shared.policy.schema.keeping import AssessmentPart, RetentionPart
from shared.policy.schema.names import CategoryRef, LevelRef, StepRef, UnitRef
from shared.policy.schema.notify import ContactsPart, MessagesPart, NotificationTable
from shared.policy.schema.parts import Named, Part, Title
from shared.policy.schema.review import ReviewPart
from shared.policy.schema.rules import (
    AttributePart,
    CountPart,
    EscalationPart,
    EvaluatorTable,
    MentionPart,
    RoutingTable,
    TriageTable,
)
from shared.policy.schema.vocabulary import Days, Id, Keyword, Side


class KindPart(Part):
    """A kind of case."""

    title: Title
    answer_owed: bool


class LevelPart(Named):
    """A level of the house, with what a record made there needs and the steps that it takes."""

    requires: tuple[str, ...] = ()
    steps: tuple[StepRef, ...] = ()


class UnitPart(Named):
    """A unit of the house, with those below it."""

    level: LevelRef
    tied_to: tuple[UnitRef, ...] = ()
    """Units that this one judges, because its work hangs on theirs."""
    paired_with: tuple[UnitRef, ...] = ()
    """Units with which this one goes in pairs; said on one side, it holds on both."""
    escalates_to: tuple[UnitRef, ...] | None = None
    """The chain of an overdue case; left out, the units above, one by one."""
    children: tuple[UnitPart, ...] = ()


class ChannelPart(Named):
    """A way on which cases come in."""

    side: Side
    requires: tuple[str, ...] = ()


class ItemPart(Named):
    """A matter within a category."""

    keywords: tuple[Keyword, ...] = ()
    unit: UnitRef | None = None


class CategoryPart(Named):
    """A group of matters."""

    side: Side
    unit: UnitRef | None = None
    """Who deals with it, where a row says `unit: category-unit`."""
    keywords: tuple[Keyword, ...] = ()
    items: tuple[ItemPart, ...] = ()


class ScorePart(Named):
    """A step of the rating scale."""

    value: Annotated[int, Field(strict=True)]
    satisfied: bool


class RatingPart(Part):
    """How answers are rated."""

    link_days: Days
    """Working days for which a personal link lives."""
    scale: Annotated[tuple[ScorePart, ...], Field(min_length=2)]
    """Best first."""


class ReopeningPart(Part):
    """How often a case may go round."""

    rounds: Annotated[int, Field(strict=True, ge=1, le=100)]


class RepeatsPart(Part):
    """Within how many calendar days the same matter counts as a repeat."""

    days: Annotated[int, Field(strict=True, ge=1, le=3660)]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # each of them, by name and platform
        raise PydanticCustomError(
            "unknown-timezone", "is no time zone: write one such as `Asia/Shanghai`"
        ) from error
    return name


class Document(Part):
    """The whole file."""

    policy: Id
    title: Title
    timezone: Annotated[str, AfterValidator(_zone)]
    calendar: CalendarPart
    kinds: Annotated[dict[Kind, KindPart], Field(min_length=1)]
    steps: dict[Id, Title] = Field(default_factory=dict)
    levels: Annotated[tuple[LevelPart, ...], Field(min_length=1)]
    units: Annotated[tuple[UnitPart, ...], Field(min_length=1)]
    default_unit: UnitRef
    """Stands in for the station of a case without one, and for a category without a unit."""
    channels: Annotated[tuple[ChannelPart, ...], Field(min_length=1)]
    categories: Annotated[tuple[CategoryPart, ...], Field(min_length=1)]
    default_category: Annotated[dict[Side, CategoryRef], Field(min_length=1)]
    """Where no keyword hits, by the side of the channel."""
    attributes: Annotated[dict[Id, AttributePart], Field(max_length=60)] = Field(
        default_factory=dict
    )
    mentions: Annotated[dict[Id, MentionPart], Field(max_length=60)] = Field(default_factory=dict)
    counts: Annotated[dict[Id, CountPart], Field(max_length=20)] = Field(default_factory=dict)
    colours: Annotated[tuple[ColourPart, ...], Field(min_length=1)]
    """Most urgent first."""
    triage: TriageTable
    routing: RoutingTable | None = None
    """Decides the unit of cases whose row of triage names none."""
    evaluators: EvaluatorTable
    rating: RatingPart
    reopening: ReopeningPart
    repeats: RepeatsPart
    acceptance: AcceptancePart = AcceptancePart()
    pauses: Annotated[dict[Id, PausePart], Field(max_length=100)] = Field(default_factory=dict)
    extensions: ExtensionsPart | None = None
    """Left out, nobody gets more time."""
    escalation: EscalationPart
    campaigns: tuple[Named, ...] = ()
    review: ReviewPart | None = None
    """Left out, nobody is reviewed."""
    contacts: ContactsPart = ContactsPart()
    messages: MessagesPart = MessagesPart()
    notifications: NotificationTable = NotificationTable()
    assessment: AssessmentPart | None = None
    """Left out, no year is scored."""
    retention: RetentionPart | None = None
    """Left out, nothing is ever erased."""
