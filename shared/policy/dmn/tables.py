"""Decision tables between the policy file and DMN, read from the file's plain data.

Plain data, not the checked document: so that what the file says comes back as it was said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from shared.policy.dmn.conditions import Test, to_tests
from shared.policy.engine.table import FactType
from shared.policy.schema.vocabulary import BUILT_IN_FACTS, HANDLING_FACTS

HITS = {
    "first": "FIRST",
    "unique": "UNIQUE",
    "any": "ANY",
    "priority": "PRIORITY",
    "rule-order": "RULE ORDER",
    "collect": "COLLECT",
}
"""Our words for the hit policies, and those of DMN 1.5 (8.2.8)."""


@dataclass(frozen=True, slots=True)
class Output:
    """A part of what a row decides."""

    name: str
    type: str = "string"
    """A type of FEEL."""
    many: bool = False


OUTPUTS: dict[str, tuple[Output, ...]] = {
    "triage": (Output("colour"), Output("unit")),
    "routing": (Output("unit"),),
    "evaluators": (Output("ask", many=True),),
    "escalation": (Output("days", "number"), Output("to", many=True)),
}
"""The tables that a policy can have, in the order in which they decide."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: its tests by fact, and what it decides."""

    name: str
    when: Mapping[str, tuple[Test, ...]]
    then: Mapping[str, Any]

    def same_as(self, other: Rule) -> bool:
        """Whether both say the same, in whatever order."""
        return self._signature() == other._signature()

    def asks(self, fact: str) -> list[str]:
        """What it asks of a fact, as text to compare: true and 1 are equal, but not the same."""
        return sorted(map(str, self.when.get(fact, ())))

    def _signature(self) -> tuple[str, ...]:
        tests = sorted(f"{fact} {test}" for fact in self.when for test in self.asks(fact))
        return (
            self.name,
            *tests,
            *sorted(f"{name}={value!r}" for name, value in self.then.items()),
        )


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """A table of the policy."""

    name: str
    rules: tuple[Rule, ...]
    hit: str = "first"
    otherwise: Mapping[str, Any] | None = None
    """What is decided where no row matches."""
    types: Mapping[str, FactType] = field(default_factory=dict)
    """The facts that it may use, in the order of their declaration; empty where read from DMN."""
    ranked: tuple[str, ...] = ()
    """The values of its first output, the most important first."""

    def same_as(self, other: DecisionTable) -> bool:
        """Whether both decide the same."""
        return (
            (self.name, self.hit, self.otherwise) == (other.name, other.hit, other.otherwise)
            and len(self.rules) == len(other.rules)
            and all(map(Rule.same_as, self.rules, other.rules))
        )


def tables_of(data: Mapping[str, Any]) -> list[DecisionTable]:
    """The tables of a policy file's data, which must have been checked before."""
    return [table for name in OUTPUTS if (table := _table(name, data)) is not None]


def rows_in(section: Any) -> list[dict[str, Any]]:
    """The rows of a section that is a list of them, or a mapping with `rows`."""
    rows = section.get("rows", ()) if isinstance(section, Mapping) else section or ()
    return list(rows)


def _table(name: str, data: Mapping[str, Any]) -> DecisionTable | None:
    section = data.get(name)
    rows = rows_in(section)
    if not rows:
        return None
    whole = section if isinstance(section, Mapping) else {}
    groups = Groups(data)
    return DecisionTable(
        name,
        tuple(rule_of(row, groups) for row in rows),
        whole.get("hit", "first"),
        said(whole.get("otherwise")) or None,
        _types(name, data),
        tuple(colour["id"] for colour in data["colours"]) if name == "triage" else (),
    )


def rule_of(row: Mapping[str, Any], groups: Groups) -> Rule:
    """A row of the file."""
    when = {
        fact: to_tests(condition, partial(groups.members, fact))
        for fact, condition in row["when"].items()
    }
    return Rule(row["name"], when, said(row["then"]))


def said(outcome: Mapping[str, Any] | None) -> dict[str, Any]:
    """What an outcome decides: what is null is as good as left out."""
    return {name: value for name, value in (outcome or {}).items() if value is not None}


def _types(name: str, data: Mapping[str, Any]) -> dict[str, FactType]:
    if name in {"evaluators", "escalation"}:
        return dict(HANDLING_FACTS)
    attributes = data.get("attributes") or {}
    more = {"colour": FactType.TEXT} if name == "routing" else {}
    return {
        **BUILT_IN_FACTS,
        **{fact: FactType(part.get("type", "text")) for fact, part in attributes.items()},
        **dict.fromkeys(data.get("mentions") or (), FactType.BOOLEAN),
        **dict.fromkeys(data.get("counts") or (), FactType.INTEGER),
        **more,
    }


class Groups:
    """What lies within a unit or a category, from a policy file's data."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._units: dict[str, tuple[str, ...]] = {}
        for unit in data.get("units") or ():
            self._gather(unit)
        self._items = {
            part["id"]: tuple(item["id"] for item in part.get("items") or ())
            for part in data.get("categories") or ()
        }

    def _gather(self, unit: Mapping[str, Any]) -> tuple[str, ...]:
        below = tuple(one for child in unit.get("children") or () for one in self._gather(child))
        self._units[unit["id"]] = (unit["id"], *below)
        return self._units[unit["id"]]

    def members(self, fact: str, names: str | Sequence[str]) -> tuple[str, ...]:
        """The values of a fact that lie within these groups."""
        known = self._items if fact == "item" else self._units
        return tuple(dict.fromkeys(self._all(known, [names] if isinstance(names, str) else names)))

    @staticmethod
    def _all(known: Mapping[str, tuple[str, ...]], names: Sequence[str]) -> Iterator[str]:
        for name in names:
            yield from known.get(name, ())
