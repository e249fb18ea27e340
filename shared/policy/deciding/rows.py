"""From the file's rows to decision tables, and the types and values that facts may have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.domain.case import Scalar
from shared.policy.engine.table import FactType, Predicate, Row, Table
from shared.policy.schema.document import CategoryPart, Document, UnitPart
from shared.policy.schema.names import Names
from shared.policy.schema.rules import (
    AttributePart,
    Condition,
    MentionPart,
    Operators,
    Outcome,
    RowPart,
)
from shared.policy.schema.vocabulary import (
    BUILT_IN_FACTS,
    HANDLING_FACTS,
    HAPPENING_FACTS,
    HAPPENINGS,
    ROUTING_FACTS,
)


@dataclass(frozen=True, slots=True)
class Groups:
    """What lies within what: units and those below them, categories and their items."""

    units: Mapping[str, tuple[str, ...]]
    """By unit: itself, and all below it."""
    items: Mapping[str, tuple[str, ...]]
    """By category."""

    @classmethod
    def of(cls, units: Iterable[UnitPart], categories: Iterable[CategoryPart]) -> Groups:
        """The groups of a tree and a catalogue."""
        within: dict[str, tuple[str, ...]] = {}
        for unit in units:
            _gather(unit, within)
        return cls(within, {part.id: tuple(item.id for item in part.items) for part in categories})

    def about(self, fact: str) -> Mapping[str, tuple[str, ...]] | None:
        """The groups that `within` can name for a fact; None where its values have none."""
        return {"station": self.units, "unit": self.units, "item": self.items}.get(fact)

    def members(self, fact: str, names: str | Sequence[str]) -> tuple[str, ...]:
        """The values of a fact that lie within these groups; unknown ones hold nothing."""
        known = self.about(fact) or {}
        given = (names,) if isinstance(names, str) else names
        return tuple(dict.fromkeys(one for name in given for one in known.get(name, ())))


def _gather(unit: UnitPart, within: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    below = tuple(one for child in unit.children for one in _gather(child, within))
    within[unit.id] = (unit.id, *below)
    return within[unit.id]


def triage_types(
    attributes: Mapping[str, AttributePart],
    mentions: Mapping[str, MentionPart],
    counts: Iterable[str] = (),
) -> dict[str, FactType]:
    """The facts that rows of triage can use, with their types."""
    return {
        **BUILT_IN_FACTS,
        **{name: attribute.type for name, attribute in attributes.items()},
        **dict.fromkeys(mentions, FactType.BOOLEAN),
        **dict.fromkeys(counts, FactType.INTEGER),
    }


def triage_table(document: Document) -> Table:
    """The triage table of a checked document."""
    part = document.triage
    colours = {colour.id: rank for rank, colour in enumerate(document.colours)}
    return Table.of(
        "triage",
        triage_types(document.attributes, document.mentions, document.counts),
        rows(part.rows, _groups(document), colours),
        part.hit,
        otherwise=part.otherwise is not None,
    )


def routing_table(document: Document) -> Table | None:
    """The routing table of a checked document, where it has one."""
    part = document.routing
    if part is None:
        return None
    types = triage_types(document.attributes, document.mentions, document.counts) | ROUTING_FACTS
    made = rows(part.rows, _groups(document))
    return Table.of("routing", types, made, part.hit, otherwise=part.otherwise is not None)


def evaluator_table(document: Document) -> Table:
    """The evaluator mapping of a checked document."""
    part = document.evaluators
    made = rows(part.rows, _groups(document))
    return Table.of(
        "evaluators", HANDLING_FACTS, made, part.hit, otherwise=part.otherwise is not None
    )


def escalation_table(document: Document) -> Table | None:
    """The escalation table of a checked document, where it has rows."""
    part = document.escalation
    if not part.rows:
        return None
    # What no row takes climbs as the section and the tree say.
    made = rows(part.rows, _groups(document))
    return Table.of("escalation", HANDLING_FACTS, made, part.hit, otherwise=True)


def notification_table(document: Document) -> Table | None:
    """The table of who is told what, where it has rows."""
    part = document.notifications
    if not part.rows:
        return None
    # What no row takes nobody is told of.
    made = rows(part.rows, _groups(document))
    return Table.of("notifications", HAPPENING_FACTS, made, part.hit, otherwise=True)


def tables(document: Document) -> list[Table]:
    """All tables of a checked document."""
    made = (
        triage_table(document),
        routing_table(document),
        evaluator_table(document),
        escalation_table(document),
        notification_table(document),
    )
    return [table for table in made if table is not None]


def _groups(document: Document) -> Groups:
    return Groups.of(document.units, document.categories)


def rows(
    parts: Sequence[RowPart], groups: Groups, ranks: Mapping[str, int] | None = None
) -> tuple[Row, ...]:
    """The rows with their conditions as tests; `ranks` says how important a colour is."""
    return tuple(
        Row(
            part.name,
            tuple(to_predicate(fact, asked, groups) for fact, asked in part.when.items()),
            repr(part.then),
            _rank(part, ranks or {}),
        )
        for part in parts
    )


def _rank(part: RowPart, ranks: Mapping[str, int]) -> int:
    return ranks.get(part.then.colour, 0) if isinstance(part.then, Outcome) else 0


def to_predicate(fact: str, condition: Condition, groups: Groups) -> Predicate:
    """A condition of the file as a test."""
    if not isinstance(condition, Operators):
        return Predicate(fact, any_of=_values(condition))
    low, high = condition.between or (None, None)
    within = condition.within
    return Predicate(
        fact,
        any_of=None if within is None else groups.members(fact, within),
        none_of=None if condition.not_ is None else _values(condition.not_),
        at_least=max(_given(condition.at_least, low), default=None),
        at_most=min(_given(condition.at_most, high), default=None),
        present=condition.present,
    )


def _given(*numbers: int | None) -> list[int]:
    return [number for number in numbers if number is not None]


def _values(given: Scalar | tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    return given if isinstance(given, tuple) else (given,)


def allowed_values(
    fact: str, names: Names, attributes: Mapping[str, AttributePart]
) -> frozenset[str] | None:
    """The only values that a fact can have, or None where any text may come."""
    attribute = attributes.get(fact)
    if attribute is not None:
        return None if attribute.values is None else frozenset(attribute.values)
    by_fact = {
        "kind": names.kind,
        "channel": names.channel,
        "side": frozenset(("inside", "outside")),
        "category": names.category,
        "item": names.item,
        "station": names.unit,
        "unit": names.unit,
        "station-level": names.level,
        "level": names.level,
        "campaign": names.campaign,
        "colour": names.colour,
        "event": frozenset(HAPPENINGS),
        "clock": frozenset(("reply", "accept")),
    }
    return by_fact.get(fact)
