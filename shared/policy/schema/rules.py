"""The shape of the policy file's rules: facts that it declares, conditions, rows and tables."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    StrictBool,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from shared.policy.engine.table import FactType, Hit
from shared.policy.schema.names import ColourRef, TargetRef, UnitRef
from shared.policy.schema.parts import Part, Title
from shared.policy.schema.vocabulary import Counted, Days, Keyword, Line, Plain, Role, Threshold


class AttributePart(Part):
    """A further fact that a submission may carry in `attributes`."""

    title: Title
    type: FactType = FactType.TEXT
    values: tuple[Line, ...] | None = None
    """The only values allowed; texts only."""


class MentionPart(Part):
    """A fact that is true where enough of these words or phrases stand in the subject or text."""

    title: Title
    within: Literal["anywhere", "subject"] = "anywhere"
    keywords: Annotated[tuple[Keyword, ...], Field(min_length=1)]
    at_least: Annotated[int, Field(strict=True, ge=1, le=20)] = 1
    """How many different ones are needed."""


class CountPart(Part):
    """A fact that is a number: how many cases there are that have something in common with this."""

    title: Title
    of: Counted
    days: Annotated[int, Field(strict=True, ge=1, le=366)] | None = None
    """Calendar days before the recording of the case."""

    @model_validator(mode="after")
    def _has_days(self) -> CountPart:
        if (self.of == "open-cases-of-unit") == (self.days is None):
            return self
        raise PydanticCustomError(
            "days",
            "say within how many `days`"
            if self.days is None
            else "what is open now is counted, whenever it was recorded: leave `days` out",
        )


UnitOrCategory = Annotated[str, Field(strict=True, max_length=64)]


class Operators(Part):
    """What is asked of a fact beyond equality; all that is given must hold."""

    at_least: Threshold | None = None
    at_most: Threshold | None = None
    between: tuple[Threshold, Threshold] | None = None
    """The least and the greatest number, both included."""
    within: UnitOrCategory | tuple[UnitOrCategory, ...] | None = None
    """A unit, with all units below it; a category, with all its items."""
    not_: Annotated[Plain | tuple[Plain, ...] | None, Field(alias="not")] = None
    present: StrictBool | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Operators:
        if not self.model_dump(exclude_none=True):
            raise PydanticCustomError(
                "empty", "ask for `at_least`, `at_most`, `between`, `within`, `not` or `present`"
            )
        if self.between is not None and self.between[0] > self.between[1]:
            raise PydanticCustomError("order", "write the smaller number of `between` first")
        return self


def _form(value: Any) -> str:
    if isinstance(value, dict | Operators):
        return "operators"
    return "list" if isinstance(value, list | tuple) else "value"


Condition = Annotated[
    Annotated[Plain, Tag("value")]
    | Annotated[tuple[Plain, ...], Tag("list"), Field(min_length=1, max_length=500)]
    | Annotated[Operators, Tag("operators")],
    Discriminator(_form),
]
"""`hospital`, `[hospital, school]` or `{at_least: 2}`."""


class RowPart(Part):
    """What every row has: a name that explanations give, its conditions, and what it decides."""

    name: Line
    when: dict[str, Condition]
    then: Part


class Outcome(Part):
    """What triage decides."""

    colour: ColourRef
    unit: TargetRef | None = None
    """Left out, the `routing` table decides it."""


class TriageRow(RowPart):
    """A row of the triage table."""

    then: Outcome


class Route(Part):
    """What routing decides."""

    unit: TargetRef


class RoutingRow(RowPart):
    """A row of the routing table."""

    then: Route


class Asked(Part):
    """Who may rate, the first that can be reached."""

    ask: Annotated[tuple[Role, ...], Field(min_length=1)]


class EvaluatorRow(RowPart):
    """A row of the evaluator mapping."""

    then: Asked


class Climb(Part):
    """How an overdue case climbs; what is left out stays as it is for all cases."""

    days: Days | None = None
    to: Annotated[tuple[UnitRef, ...], Field(max_length=20)] | None = None
    """The units that hear of it, step by step."""

    @model_validator(mode="after")
    def _says_something(self) -> Climb:
        if self.days is None and self.to is None:
            raise PydanticCustomError("empty", "say `days`, `to`, or both")
        return self


class EscalationRow(RowPart):
    """A row of the escalation table."""

    then: Climb


def _only(outcome: str, hits: tuple[Hit, ...]) -> AfterValidator:
    def check(hit: Hit) -> Hit:
        if hit not in hits:
            words = ", ".join(f"`{word}`" for word in hits)
            raise PydanticCustomError(
                "hit",
                "`{hit}` has no meaning here, where {outcome}: choose one of {words}",
                {"hit": hit.value, "outcome": outcome, "words": words},
            )
        return hit

    return AfterValidator(check)


def _words(hits: tuple[Hit, ...]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": [hit.value for hit in hits]})


ROUTING_HITS = (Hit.FIRST, Hit.UNIQUE, Hit.ANY)
TRIAGE_HITS = (*ROUTING_HITS, Hit.PRIORITY)
LIST_HITS = (*ROUTING_HITS, Hit.RULE_ORDER, Hit.COLLECT)

TriageHit = Annotated[Hit, _only("a case gets one colour", TRIAGE_HITS), _words(TRIAGE_HITS)]
RoutingHit = Annotated[
    Hit,
    _only("a case goes to one unit and none is before another", ROUTING_HITS),
    _words(ROUTING_HITS),
]
ListHit = Annotated[
    Hit, _only("a list is wanted and no list is before another", LIST_HITS), _words(LIST_HITS)
]


AllHit = Annotated[Hit, _only("all rows that match count", (Hit.COLLECT,)), _words((Hit.COLLECT,))]


class TablePart(Part):
    """A decision table: a hit policy with its rows, or the rows alone, of which the first decides.

    `otherwise` is the outcome of what no row matches: DMN's default output entry.
    """

    @model_validator(mode="before")
    @classmethod
    def _from_rows(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return {"rows": value}
        if isinstance(value, dict | cls):
            return value
        raise PydanticCustomError("table", "write a list of rows, or `{hit: …, rows: […]}`")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The whole table, or its rows alone."""
        whole = handler.resolve_ref_schema(handler(core_schema))
        return {"anyOf": [whole["properties"]["rows"], whole]}


class TriageTable(TablePart):
    """Colour, and unit, of each case."""

    hit: TriageHit = Hit.FIRST
    rows: Annotated[tuple[TriageRow, ...], Field(min_length=1, max_length=2000)]
    otherwise: Outcome | None = None


class RoutingTable(TablePart):
    """Unit of each case whose row of triage names none."""

    hit: RoutingHit = Hit.FIRST
    rows: Annotated[tuple[RoutingRow, ...], Field(min_length=1, max_length=2000)]
    otherwise: Route | None = None


class EvaluatorTable(TablePart):
    """Who rates an answer."""

    hit: ListHit = Hit.FIRST
    rows: Annotated[tuple[EvaluatorRow, ...], Field(min_length=1, max_length=500)]
    otherwise: Asked | None = None


class EscalationPart(Part):
    """How an overdue case climbs: `days`, and rows for cases that climb otherwise."""

    days: Days
    """Working days between two steps."""
    first: Days | None = None
    """Working days from the breach to the first step; left out, as between two."""
    repeat: StrictBool = False
    """Whether the last step is taken again and again until the case is answered."""
    hit: ListHit = Hit.FIRST
    rows: Annotated[tuple[EscalationRow, ...], Field(max_length=500)] = ()
