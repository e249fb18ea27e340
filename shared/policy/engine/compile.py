"""From a decision table to rulesets for durable-rules, in terms that it cannot get wrong.

durable-rules compares texts by 32-bit hashes, wraps long ones, and is wrong about floats, absence
and negation (`docs/decisions/durable-rules-fenced.md`). So nothing of a case reaches it. Each fact
is first reduced to a *code*: the number of the class of values that the table can tell apart.

- 0: the fact is absent;
- texts and booleans: 1, 2, … for the values that the table names, one more for all others;
- integers: 1, 2, … for the intervals between the numbers that the table names.

A test is then a set of codes, whatever its operator, and becomes an equality, an integer
comparison or a short in-list; a set that is none of these becomes a property of its own that
Python fills with 1 or 0.

The engine finds the first row that matches. Where the first one in the file is not what a hit
policy asks for, the rows are put into another order (`priority`), or the engine is asked again for
the first one after the row that it found.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from shared.domain.case import Scalar
from shared.policy.engine.index import RowCodes, RowIndex, bits
from shared.policy.engine.table import Facts, FactType, Hit, Predicate, Row, Table

CHUNK_ROWS = 60
"""Rows in one ruleset; more than 64 that match at once poison its state (error 303)."""

CHUNK_PROPERTIES = 200
"""Properties in one message; the engine ends at 252."""

LIST_CODES = 8
"""Longest in-list that is handed on as such."""

LISTS = 12
"""Tests of one row that may become in-lists; the engine ends at 14."""

Codes = tuple[int, ...]
Definition = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Coder:
    """The classes of values of one fact that a table can tell apart."""

    fact: str
    named: dict[Scalar, int] = field(default_factory=dict)
    """Code of each value named; texts and booleans only."""
    cuts: tuple[int, ...] = ()
    """Where an interval begins; integers only."""

    @classmethod
    def of(cls, fact: str, kind: FactType, tests: Sequence[Predicate]) -> Coder:
        """The coder of a fact for all tests that ask for it."""
        values = {value for test in tests for value in (test.any_of or ()) + (test.none_of or ())}
        if kind is not FactType.INTEGER:
            return cls(fact, {value: code for code, value in enumerate(sorted(values), 1)})
        cuts = {int(value) + step for value in values for step in (0, 1)}
        cuts |= {test.at_least for test in tests if test.at_least is not None}
        cuts |= {test.at_most + 1 for test in tests if test.at_most is not None}
        return cls(fact, cuts=tuple(sorted(cuts)))

    def code(self, value: Scalar | None) -> int:
        """The code of a value, 0 for its absence."""
        if value is None:
            return 0
        if self.cuts:
            return bisect_right(self.cuts, int(value)) + 1
        return self.named.get(value, len(self.named) + 1)

    def codes(self, test: Predicate) -> frozenset[int]:
        """The codes that satisfy a test."""
        return frozenset(bits(self.mask(test)))

    def mask(self, test: Predicate) -> int:
        """The codes that satisfy a test, as bits: a large table has millions of them.

        Each value that the test names is a class of its own, and its bounds are bounds of classes.
        """
        accepted = (1 << (self.top + 1)) - 1
        if test.present is not None:
            accepted &= ~1 if test.present else 1
        if test.any_of is not None:
            accepted &= self._mask_of(test.any_of)
        if test.none_of is not None:
            accepted &= ~self._mask_of(test.none_of)
        if test.at_least is not None:
            accepted &= -1 << self.code(test.at_least) if self.cuts else 0
        if test.at_most is not None:
            accepted &= (1 << (self.code(test.at_most) + 1)) - 2 if self.cuts else 0
        return accepted

    def _mask_of(self, values: Iterable[Scalar]) -> int:
        return reduce(or_, (1 << self.code(value) for value in values), 0)

    @property
    def top(self) -> int:
        """The highest code."""
        return len(self.cuts) + 1 if self.cuts else len(self.named) + 1


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows from place `start` to before `end` as one ruleset, and how to write a message to it."""

    start: int
    end: int
    definition: str
    """JSON; rules are named by the row's place, the catch-all `-`."""
    template: str
    """The message with one `%d` for each fact and derived property."""
    facts: tuple[int, ...]
    """Positions, in the table's codes, of the facts that fill the template."""
    derived: tuple[tuple[int, int], ...]
    """Position and accepted codes, as bits, of each property that Python works out."""
    goes_on: bool
    """Whether the message ends with the place from which rows are looked for."""

    def message(self, codes: Codes, place: int) -> str:
        """The message for the facts with these codes, to find the first row from `place` on."""
        values = [codes[position] for position in self.facts]
        values += [accepted >> codes[position] & 1 for position, accepted in self.derived]
        if self.goes_on:
            values.append(place - self.start)
        return self.template % tuple(values)


@dataclass(frozen=True, slots=True)
class Program:
    """A table, compiled: what turns facts into codes, and the chunks in the order of trial."""

    coders: tuple[Coder, ...]
    order: tuple[int, ...]
    """The rows of the table by their place in the order of trial."""
    index: RowIndex
    """Which places can match."""
    chunks: tuple[Chunk, ...]
    chunk_at: tuple[int, ...]
    """The chunk of each place."""

    def codes(self, facts: Facts) -> Codes:
        """The facts as codes: two cases with equal codes are alike to the table."""
        return tuple(coder.code(facts.get(coder.fact)) for coder in self.coders)


def compile_table(table: Table) -> Program:
    """The program of a table."""
    coders = tuple(_coders(table))
    position = {coder.fact: number for number, coder in enumerate(coders)}
    order = list(range(len(table.rows)))
    if table.hit is Hit.PRIORITY:
        order.sort(key=lambda index: table.rows[index].rank)
    asked = [_asked(table.rows[index], position, coders) for index in order]
    goes_on = table.hit not in {Hit.FIRST, Hit.PRIORITY}
    chunks: list[Chunk] = []
    builder = _Builder(coders, 0, goes_on=goes_on)
    for place, row in enumerate(asked):
        if builder.is_full(row):
            chunks.append(builder.chunk())
            builder = _Builder(coders, place, goes_on=goes_on)
        builder.add(row)
    chunks.append(builder.chunk())
    return Program(
        coders,
        tuple(order),
        RowIndex(asked, [coder.top for coder in coders]),
        tuple(chunks),
        tuple(number for number, one in enumerate(chunks) for _ in range(one.start, one.end)),
    )


def _coders(table: Table) -> Iterator[Coder]:
    for fact, kind in table.types.items():
        tests = [test for row in table.rows for test in row.tests if test.fact == fact]
        yield Coder.of(fact, kind, tests)


def _asked(row: Row, position: dict[str, int], coders: Sequence[Coder]) -> RowCodes:
    asked: RowCodes = {}
    for test in row.tests:
        number = position[test.fact]
        asked[number] = asked.get(number, -1) & coders[number].mask(test)
    return asked


class _Builder:
    """Collects rows into one chunk."""

    def __init__(self, coders: tuple[Coder, ...], start: int, *, goes_on: bool) -> None:
        self._coders = coders
        self._start = start
        self._goes_on = goes_on
        self._rules: dict[str, Definition] = {}
        self._facts: dict[int, str] = {}
        self._derived: dict[tuple[int, int], str] = {}

    def is_full(self, row: RowCodes) -> bool:
        """Whether the row has to begin the next chunk."""
        properties = len(self._facts) + len(self._derived) + 2 * len(row)
        return len(self._rules) >= CHUNK_ROWS - 1 or properties > CHUNK_PROPERTIES

    def add(self, row: RowCodes) -> None:
        """Take the next row in as a rule; a lower `pri` fires first."""
        number = len(self._rules)
        conditions: list[Definition] = [{"on": 1}]
        if self._goes_on:
            conditions.append({"$lte": {"after": number}})
        for count, (position, accepted) in enumerate(row.items()):
            conditions += self._conditions(position, accepted, may_list=count < LISTS)
        self._rules[str(self._start + number)] = {
            "all": [{"m": {"$and": conditions}}],
            "pri": number + 1,
        }

    def _conditions(self, position: int, accepted: int, *, may_list: bool) -> list[Definition]:
        number, low = accepted.bit_count(), (accepted & -accepted).bit_length() - 1
        high, top = accepted.bit_length() - 1, self._coders[position].top
        if number == 1:
            return [{self._fact(position): low}]
        if number and high - low + 1 == number:
            lower = [{"$gte": {self._fact(position): low}}] if low > 0 else []
            return lower + ([{"$lte": {self._fact(position): high}}] if high < top else [])
        if 0 < number <= LIST_CODES and may_list:
            return [{"$or": [{self._fact(position): code} for code in bits(accepted)]}]
        name = self._derived.setdefault((position, accepted), f"d{len(self._derived)}")
        return [{name: 1}]

    def _fact(self, position: int) -> str:
        return self._facts.setdefault(position, f"f{position}")

    def chunk(self) -> Chunk:
        """What was collected, closed by a rule that always matches.

        Without that rule the engine would raise an exception wherever no row matches, and its
        state could stay without ever having fired, which makes `delete_state` free wild pointers.
        """
        end = self._start + len(self._rules)
        self._rules["-"] = {"all": [{"m": {"on": 1}}], "pri": len(self._rules) + 1}
        names = [*self._facts.values(), *self._derived.values()]
        if self._goes_on:
            names.append("after")
        return Chunk(
            start=self._start,
            end=end,
            definition=json.dumps(self._rules),
            template="".join(['{"on":1', *(f',"{name}":%d' for name in names), "}"]),
            facts=tuple(self._facts),
            derived=tuple(self._derived),
            goes_on=self._goes_on,
        )
