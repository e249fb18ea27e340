"""From the file's rows to decision tables, and the types and values that facts may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.domain.case import Scalar
from shared.policy.names import Names
from shared.policy.schema import (
    AttributePart,
    Condition,
    Document,
    MentionPart,
    Operators,
    RowPart,
)
from shared.policy.table import FactType, Predicate, Row, Table
from shared.policy.vocabulary import BUILT_IN_FACTS, HANDLING_FACTS, HAPPENINGS


def triage_types(
    attributes: Mapping[str, AttributePart], mentions: Mapping[str, MentionPart]
) -> dict[str, FactType]:
    """The facts that rows of triage can use, with their types."""
    return {
        **BUILT_IN_FACTS,
        **{name: attribute.type for name, attribute in attributes.items()},
        **dict.fromkeys(mentions, FactType.BOOLEAN),
    }


def triage_table(document: Document) -> Table:
    """The triage table of a checked document."""
    types = triage_types(document.attributes, document.mentions)
    return Table.of("triage", types, rows(document.triage))


def evaluator_table(document: Document) -> Table:
    """The evaluator mapping of a checked document."""
    return Table.of("evaluators", HANDLING_FACTS, rows(document.evaluators))


def rows(parts: Sequence[RowPart]) -> tuple[Row, ...]:
    """The rows with their conditions as tests."""
    return tuple(
        Row(part.name, tuple(to_predicate(fact, asked) for fact, asked in part.when.items()))
        for part in parts
    )


def to_predicate(fact: str, condition: Condition) -> Predicate:
    """A condition of the file as a test."""
    if not isinstance(condition, Operators):
        return Predicate(fact, any_of=_values(condition))
    return Predicate(
        fact,
        none_of=None if condition.not_ is None else _values(condition.not_),
        at_least=condition.at_least,
        at_most=condition.at_most,
        present=condition.present,
    )


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
    }
    return by_fact.get(fact)
