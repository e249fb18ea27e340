"""A decision table with its outcomes: from facts to what the file says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.domain.aggregates import Escalation, Handling
from shared.policy.deciding.facts import HandlingFacts
from shared.policy.deciding.rows import (
    escalation_table,
    evaluator_table,
    routing_table,
    triage_table,
)
from shared.policy.deciding.tree import Tree
from shared.policy.engine.durable import DurableEngine, OnFallback
from shared.policy.engine.table import Facts, Hit, Table
from shared.policy.schema.document import Document
from shared.policy.schema.rules import Asked, Climb, Outcome, Route
from shared.policy.schema.vocabulary import ROLES

Out = TypeVar("Out")

OTHERWISE = "otherwise"
"""What stands in the place of a row's name where no row matched."""


@dataclass(frozen=True, slots=True)
class Decided(Generic[Out]):
    """An outcome and the name of its row."""

    row: str
    outcome: Out


class Rules(Generic[Out]):
    """A table in the engine, with the outcomes of its rows."""

    def __init__(
        self,
        table: Table,
        outcomes: Sequence[Out],
        otherwise: Out | None = None,
        on_fallback: OnFallback | None = None,
    ) -> None:
        self.table = table
        self.engine = DurableEngine(table, on_fallback)
        self._named = [
            Decided(row.name, outcome) for row, outcome in zip(table.rows, outcomes, strict=True)
        ]
        self._otherwise = [] if otherwise is None else [Decided(OTHERWISE, otherwise)]

    def all(self, facts: Facts) -> Sequence[Decided[Out]]:
        """What was decided: one outcome, or as many as the hit policy takes, or none."""
        rows = self.engine.decide(facts).rows
        return [self._named[row] for row in rows] if rows else self._otherwise

    def one(self, facts: Facts) -> Decided[Out]:
        """What was decided by a table of which no case is left over, as the checks have proved."""
        return (self.all(facts) or self._named[-1:])[0]


def roles(hit: Hit, asked: Sequence[Sequence[str]]) -> list[str]:
    """The roles of all rows that decide, each once.

    `collect` makes a set of them, whose order is that of the product's list of roles; else they
    stand in the order of the rows.
    """
    given = list(dict.fromkeys(role for one in asked for role in one))
    return sorted(given, key=ROLES.index) if hit is Hit.COLLECT else given


def case_rules(
    document: Document, on_fallback: OnFallback | None
) -> tuple[Rules[Outcome], Rules[Route] | None, Rules[Asked]]:
    """Triage, routing where there is one, and the evaluator mapping."""
    part, routing, evaluators = document.triage, document.routing, document.evaluators
    routes = routing_table(document)
    return (
        Rules(triage_table(document), [row.then for row in part.rows], part.otherwise, on_fallback),
        None
        if routes is None or routing is None
        else Rules(routes, [row.then for row in routing.rows], routing.otherwise, on_fallback),
        Rules(
            evaluator_table(document),
            [row.then for row in evaluators.rows],
            evaluators.otherwise,
            on_fallback,
        ),
    )


class Escalations:
    """How overdue cases climb."""

    def __init__(
        self,
        document: Document,
        tree: Tree,
        facts: HandlingFacts,
        on_fallback: OnFallback | None = None,
    ) -> None:
        part = document.escalation
        self._part = part
        self._chains = tree.chains
        self._height = _heights(tree)
        self._facts = facts
        table = escalation_table(document)
        self.rules: Rules[Climb] | None = None
        if table is not None:
            self.rules = Rules(table, [row.then for row in part.rows], None, on_fallback)

    def of(self, handling: Handling) -> Escalation:
        """The pace and the chain of a handling's case.

        Where several rows decide, the quickest pace and all their units hold.
        """
        chain = self._chains.get(handling.unit, ())
        if self.rules is None:
            return self._climb(chain, self._part.days)
        climbs = [named.outcome for named in self.rules.all(self._facts.of(handling))]
        named = [climb.to for climb in climbs if climb.to is not None]
        units = list(dict.fromkeys(unit for to in named for unit in to)) if named else list(chain)
        if named and self.rules.table.hit is Hit.COLLECT:
            units.sort(key=lambda unit: self._height[unit])
        paces = (climb.days for climb in climbs if climb.days is not None)
        others = tuple(unit for unit in units if unit != handling.unit)
        return self._climb(others, min(paces, default=self._part.days))

    def _climb(self, units: tuple[str, ...], days: int) -> Escalation:
        first = self._part.first or days
        return Escalation(first=first, days=days, repeat=self._part.repeat, units=units)


def _heights(tree: Tree) -> Mapping[str, tuple[int, int]]:
    """How high each unit stands: those that lie deepest first, then in the order of the file."""
    depths: dict[str, int] = {}
    for name, unit in tree.units.items():
        depths[name] = depths[unit.parent] + 1 if unit.parent else 0
    return {name: (-depth, place) for place, (name, depth) in enumerate(depths.items())}
