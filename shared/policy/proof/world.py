"""All cases that can be, as a formula: which facts a case can have, and which of them together.

Each fact is one choice among finitely many values: what the catalogue declares, what the tables
name with one value beside them for all others, a number from each interval that the tables tell
apart, and absence where a fact can lack. Relations between facts are those that intake keeps
(`admit.py`, `classify.py`, `facts.py` in `deciding/`): an item has its category, a channel its
side, a station its level, a channel and a level what they require.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.policy.deciding.sections import Section
from shared.policy.deciding.tree import Tree
from shared.policy.engine.compile import Coder
from shared.policy.engine.table import FactType, Predicate, Row
from shared.policy.proof.choice import Choice, Value
from shared.policy.proof.solver import Literal, Model, Solver
from shared.policy.proof.texts import Texts
from shared.policy.schema.document import ChannelPart, Document

SOMETHING = "example"
"""A text that no table names."""

MOST_COUNTED = 1_000_000_000
"""More cases than any house has, which no count reaches; none is below zero."""


def _demands(channel: ChannelPart) -> int:
    return len(channel.requires)


class World:
    """The facts of recorded cases, and of those cases when they are answered."""

    def __init__(self, document: Document, tree: Tree, sections: Sequence[Section]) -> None:
        self.document = document
        self.tree = tree
        self.solver = Solver()
        self._tests = [
            (section.of_handling, test) for section in sections for row in section.rows
            for test in row.tests
        ]  # fmt: skip
        self.case: dict[str, Choice] = {}
        self.handling: dict[str, Choice] = {}
        self.rateable = self.solver.new()
        """The informant can be asked to rate: numbered by the source, or with an address."""
        self._facts_of_cases()
        self._facts_of_handlings()
        self._belongings()
        self._requirements()
        self.texts = Texts(document, self.solver, self.case)

    def row(self, section: Section, row: Row) -> Literal:
        """True where all tests of a row hold."""
        return self.solver.all_of(self.test(section, test) for test in row.tests)

    def test(self, section: Section, test: Predicate) -> Literal:
        """True where a test holds."""
        facts = self.handling if section.of_handling else self.case
        # Routing sees the colour of triage beside the facts of the case.
        choice = facts.get(test.fact) or self.handling[test.fact]
        return self.solver.any_of(choice.where(test.holds))

    def _facts_of_cases(self) -> None:
        document, units = self.document, self.tree.units
        place, source = self._named("place"), self._named("source")
        values: dict[str, Sequence[Value]] = {
            "kind": sorted(
                (kind.value for kind in document.kinds), key=lambda kind: kind != "problem"
            ),
            "channel": [part.id for part in sorted(document.channels, key=_demands)],
            "side": ["outside", "inside"],
            "category": [category.id for category in document.categories],
            "item": [None, *(item.id for part in document.categories for item in part.items)],
            "source": [SOMETHING, *source],
            "station": [None, *units],
            "station-level": [None, *(level.id for level in document.levels)],
            "campaign": [None, *(campaign.id for campaign in document.campaigns)],
            "place": [None, SOMETHING, *place],
            "informant-known": [False, True],
            "repeat": [False, True],
        }
        for fact, possible in values.items():
            self.case[fact] = self._choice(possible)
        for name, attribute in document.attributes.items():
            self.case[name] = self._choice(self._values(name, attribute.type, attribute.values))
        for name in document.mentions:
            self.case[name] = self._choice([False, True])
        for name in document.counts:
            numbers = self._values(name, FactType.INTEGER, None)
            # A case of an earlier version may come without.
            counted = {0, *(
                value for value in numbers if isinstance(value, int) and 0 <= value <= MOST_COUNTED
            )}  # fmt: skip
            self.case[name] = self._choice([None, *sorted(counted)])

    def _facts_of_handlings(self) -> None:
        shared = ("kind", "channel", "side", "station", "station-level")
        self.handling = {fact: self.case[fact] for fact in shared}
        self.handling["unit"] = self._choice(list(self.tree.units))
        self.handling["level"] = self._choice([level.id for level in self.document.levels])
        self.handling["colour"] = self._choice([colour.id for colour in self.document.colours])

    def _values(self, fact: str, kind: FactType, values: Sequence[str] | None) -> Sequence[Value]:
        if kind is FactType.BOOLEAN:
            return [None, False, True]
        if kind is FactType.TEXT:
            return [None, *(values or [SOMETHING, *self._named(fact)])]
        tests = [test for of_handling, test in self._tests if not of_handling and test.fact == fact]
        cuts = Coder.of(fact, kind, tests).cuts or (0,)
        return [None, cuts[0] - 1, *cuts]

    def _named(self, fact: str) -> list[str]:
        named = {
            value
            for of_handling, test in self._tests if not of_handling and test.fact == fact
            for value in (test.any_of or ()) + (test.none_of or ())
            if isinstance(value, str) and value != SOMETHING
        }  # fmt: skip
        return sorted(named)

    def _choice(self, values: Sequence[Value]) -> Choice:
        choice = Choice({value: self.solver.new() for value in values})
        self.solver.exactly_one(list(choice.literals.values()))
        return choice

    def _belongings(self) -> None:
        document, units = self.document, self.tree.units
        self._fixes("channel", "side", ((part.id, part.side) for part in document.channels))
        self._fixes("category", "side", ((part.id, part.side) for part in document.categories))
        owners = ((item.id, part.id) for part in document.categories for item in part.items)
        self._fixes("item", "category", owners)
        levels = [(unit.id, unit.level) for unit in units.values()]
        self._fixes("station", "station-level", [(None, None), *levels])
        for unit, level in levels:
            self._implies(
                self.handling["unit"].literals[unit], self.handling["level"].literals[level]
            )
        self._implies(self.rateable, self.case["informant-known"].literals[True])

    def _fixes(self, fact: str, other: str, pairs: Iterable[tuple[Value, Value]]) -> None:
        for value, fixed in pairs:
            self._implies(self.case[fact].literals[value], self.case[other].literals[fixed])

    def _requirements(self) -> None:
        levels = {level.id: level for level in self.document.levels}
        required = [
            (("channel", channel.id), channel.requires) for channel in self.document.channels
        ]
        required += [
            (("station", unit.id), levels[unit.level].requires) for unit in self.tree.units.values()
        ]
        for (fact, value), fields in required:
            for field in fields:
                self._implies(self.case[fact].literals[value], self._given(field))

    def _given(self, field: str) -> Literal:
        """True where a record has a field; no fact tells of the recorder and the text."""
        if field == "informant.contact":
            return self.rateable
        if field.startswith("informant"):
            return self.case["informant-known"].literals[True]
        choice = self.case.get(field.removeprefix("attributes."))
        return self.solver.true if choice is None else -choice.literals.get(None, -self.solver.true)

    def _implies(self, this: Literal, that: Literal) -> None:
        self.solver.add(-this, that)

    def plainest(self, *assumptions: Literal) -> Model | None:
        """A model of these that reads as plainly as it can: first values, and few words."""
        wanted = [[-word for word in self.texts.words], [-self.rateable]]
        choices = (*self.case.values(), *self.handling.values())
        wanted += [[next(iter(choice.literals.values()))] for choice in choices]
        return self.solver.plainest(assumptions, wanted)
