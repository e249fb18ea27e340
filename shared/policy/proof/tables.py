"""Proofs about one table: no case is left over, no row is never reached, none collide.

A question is a set of literals that must hold together: where the solver finds no way, the
statement is proved for all cases; where it finds one, that is the counter-example.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.policy.deciding.sections import Section
from shared.policy.engine.table import Hit, Predicate
from shared.policy.proof.examples import example
from shared.policy.proof.findings import Finding, Place
from shared.policy.proof.solver import Literal
from shared.policy.proof.world import World

MANY = 20
"""Collisions that are told of one table, and rows that are told with a case and with what hides
them: of a table with more, those tell what is wrong with it."""

SHOWN = 5
"""Rows that are named in a message."""


@dataclass
class TableProof:
    """A table within the world of its cases."""

    world: World
    section: Section
    place: Place
    premise: tuple[Literal, ...] = ()
    """What holds of every case that the table is asked about."""
    matches: list[Literal] = field(init=False)
    """By row: true where it matches."""
    decides: list[Literal] = field(init=False)
    """By row: true where it decides."""
    left_over: Literal = field(init=False)
    """True where no row matches."""
    _hidden: int = field(init=False, default=0)
    """How many rows were found that no case reaches."""

    def __post_init__(self) -> None:
        solver, section = self.world.solver, self.section
        self.matches = [self.world.row(section, row) for row in section.rows]
        self.left_over = -solver.any_of(self.matches)
        self.decides = list(self.matches)
        if not section.hit.takes_all:
            above = -solver.true
            order = sorted(range(len(self.matches)), key=lambda index: len(section.before(index)))
            for index in order:
                self.decides[index] = solver.all_of((self.matches[index], -above))
                above = solver.any_of((above, self.matches[index]))

    def check(self) -> Iterator[Finding]:
        """Everything that is wrong with the table."""
        if not self.world.solver.holds(*self.premise):
            return  # it is never asked
        yield from self._complete()
        for index in range(len(self.section.rows)):
            yield from self._reached(index)
        if self.section.hit in {Hit.UNIQUE, Hit.ANY}:
            yield from self._collisions()

    def _finding(
        self, index: int | None, code: str, message: str, assumed: Sequence[Literal], **more: object
    ) -> Finding:
        model = self.world.plainest(*self.premise, *assumed)
        shown = (
            None if model is None
            else example(self.world, model, answered=self.section.of_handling)
        )  # fmt: skip
        path = self.section.path(self.place.source, index)
        given = {"example": shown, "table": self.section.name} | more
        return self.place.finding(path, code, message, **given)

    def _complete(self) -> Iterator[Finding]:
        section = self.section
        if section.table.otherwise:
            return
        if not self.world.solver.holds(*self.premise, self.left_over):
            return
        what = {
            "routing": "No row says which unit takes this case, nor does its row of triage",
            "evaluators": "Nobody is named who rates this case",
        }.get(section.name, "No row takes this case")
        mend = "`otherwise` beside `rows`"
        if section.hit is Hit.FIRST:
            mend = "a last row with `when: {}`"
        message = f"{what}: add a row for it, or {mend}."
        yield self._finding(None, "incomplete", message, [self.left_over])

    def _reached(self, index: int) -> Iterator[Finding]:
        solver, name = self.world.solver, self.section.rows[index].name
        possible = solver.holds(*self.premise, self.matches[index])
        if possible and (
            solver.holds(*self.premise, self.decides[index]) or self._owed(index)
        ):  # fmt: skip
            return
        self._hidden += 1
        if self._hidden > MANY:
            message = f"No case reaches `{name}`, as none reaches rows above: mend those first."
            path = self.section.path(self.place.source, index)
            told = {"table": self.section.name, "rows": (name,)}
            yield self.place.finding(path, "unreachable", message, **told)
        else:
            yield self._hiding(index) if possible else self._impossible(index)

    def _hiding(self, index: int) -> Finding:
        """Which rows take all that this one asks for?"""
        solver, section = self.world.solver, self.section
        ahead = section.before(index)
        core = solver.core(
            [*self.premise, self.matches[index]], [-self.matches[other] for other in ahead]
        )
        hiding = [other for other in ahead if -self.matches[other] in core]
        names = [section.rows[other].name for other in hiding]
        takes = "takes" if len(names) == 1 else "take"
        place, mend = {
            Hit.FIRST: ("before it ", "move it up, "),
            Hit.PRIORITY: ("of no lower rank ", "give it a more urgent colour, "),
        }.get(section.hit, ("", ""))
        message = (
            f"No case reaches `{section.rows[index].name}`: {_quoted(names)} {place}{takes} all"
            f" that it asks for. Remove it, {mend}or let the other ask for more."
        )
        # Best shown by a case that one of them decides, where there is one.
        shown = [self.matches[index], solver.any_of(self.decides[other] for other in hiding)]
        assumed = shown if solver.holds(*self.premise, *shown) else shown[:1]
        rows = (section.rows[index].name, *names)
        return self._finding(index, "unreachable", message, assumed, rows=rows)

    def _impossible(self, index: int) -> Finding:
        """No case has all that the row asks for: which conditions exclude each other?"""
        solver, row = self.world.solver, self.section.rows[index]
        tests = {self.world.test(self.section, test): test for test in row.tests}
        core = solver.core(self.premise, list(tests))
        names = [f"`{tests[literal].fact}`" for literal in core]
        why = f"what it asks of {' and '.join(names)} is never so together"
        if len(names) == 1:
            why = f"what it asks of {names[0]} is never so"
        message = (
            f"No case can match `{row.name}`: {why} of a case that is taken in. Ask for"
            " something else, or remove the row."
        )
        # The nearest case: all but one of what it asks for.
        nearly = next(
            (
                kept for literal in core
                if solver.holds(*self.premise, *(kept := [one for one in tests if one != literal]))
            ),
            [],
        )  # fmt: skip
        return self._finding(index, "unreachable", message, nearly, rows=(row.name,))

    def _owed(self, index: int) -> bool:
        """Whether loading asks for the row, so that no case of an earlier version is left over.

        Such a case may bring a channel or an item that this version does not declare any more.
        """
        rows = self.section.rows
        if self.section.table.otherwise:
            return False
        others = [row for other, row in enumerate(rows) if other != index]
        if not all(row.tests for row in others):
            return False
        if not rows[index].tests:
            return True
        sure = [row.tests[0] for row in others if _is_sure(row.tests)]
        mine = rows[index].tests
        return self.section.name == "evaluators" and _is_sure(mine) and any(
            mine[0].holds(level.id) and not any(test.holds(level.id) for test in sure)
            for level in self.world.document.levels
        )  # fmt: skip

    def _collisions(self) -> Iterator[Finding]:
        """Rows that match one case together, though the table says that none do.

        One question for the whole table: can two match? Each pair that is found is set aside.
        """
        solver, section = self.world.solver, self.section
        # By row, what it shares with those beside which it may match.
        owner = [
            f"{index}" if section.hit is Hit.UNIQUE else row.outcome
            for index, row in enumerate(section.rows)
        ]
        groups: dict[str, list[Literal]] = {}
        for alike, matches in zip(owner, self.matches, strict=True):
            groups.setdefault(alike, []).append(matches)
        two = solver.at_least(2, [solver.any_of(group) for group in groups.values()])
        aside = solver.new()
        for _ in range(MANY):
            model = solver.solve(*self.premise, two, aside)
            if model is None:
                return
            found = [i for i, lit in enumerate(self.matches) if _true(lit, model)]
            first, second = next(
                (a, b) for a in found for b in found if a < b and owner[a] != owner[b]
            )
            yield self._collision(first, second)
            solver.add(-aside, -self.matches[first], -self.matches[second])

    def _collision(self, first: int, second: int) -> Finding:
        section = self.section
        names = (section.rows[second].name, section.rows[first].name)
        what = "match this case together"
        if section.hit is Hit.ANY:
            what += " and decide it differently"
        message = (
            f"`{names[1]}` and `{names[0]}` {what}, which `hit: {section.hit}` excludes: let one"
            " ask for what the other does not, or choose `hit: first`."
        )
        assumed = [self.matches[first], self.matches[second]]
        return self._finding(second, "overlap", message, assumed, rows=names)


def _true(literal: Literal, model: frozenset[Literal]) -> bool:
    return literal in model if literal > 0 else -literal not in model


def _is_sure(tests: tuple[Predicate, ...]) -> bool:
    return len(tests) == 1 and tests[0].fact == "level"


def _quoted(names: Sequence[str]) -> str:
    shown = " and ".join(f"`{name}`" for name in names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"
