"""Does every overdue case climb to somebody who can end it, and not to the one alone who has it?

A chain ends at the top of the tree. By default it is the units above, which ends there by itself;
`escalates_to` of a unit and `to` of a row of the escalation table say another one. That it is empty
(`[]`) is a decision, and is told as a note; a unit at the top has nobody above it. The unit that
has the case is left out of its chain, as `shared.policy.deciding.decide.Escalations` does.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from shared.policy.proof.examples import example
from shared.policy.proof.findings import Finding, Place
from shared.policy.proof.solver import Literal
from shared.policy.proof.tables import TableProof
from shared.policy.proof.world import World
from shared.policy.schema.document import UnitPart
from shared.policy.source import Path


class ChainProof:
    """The chains of overdue cases, by the tree and by the rows of the escalation table."""

    def __init__(
        self, world: World, place: Place, premise: tuple[Literal, ...], table: TableProof | None
    ) -> None:
        self._world = world
        self._place = place
        self._premise = premise
        """What holds of every case that can be overdue."""
        self._table = table
        self._units = world.handling["unit"].literals
        self._tops = {name for name, unit in world.tree.units.items() if unit.parent is None}
        self._below = world.solver.any_of(
            here for name, here in self._units.items() if name not in self._tops
        )
        """A unit has the case that stands below others."""
        self._heard: dict[str, list[Literal]] = {}
        """By unit: where rows that decide send the case to it."""
        self._said: list[Literal] = []
        """Where rows that decide say a chain."""
        for index, to in self._chains_of_rows():
            self._said.append(self._decides(index))
            for unit in to:
                self._heard.setdefault(unit, []).append(self._decides(index))

    def check(self) -> Iterator[Finding]:
        """Chains that stop on their way, reach nobody, or only who has the case."""
        yield from self._of_tree()
        for index, to in self._chains_of_rows():
            yield from self._of_row(index, to)

    def _of_tree(self) -> Iterator[Finding]:
        """Chains that a unit says, where no row says another one."""
        silent = -self._world.solver.any_of(self._said)
        for path, part in _walk(self._world.document.units, ("units",)):
            chain = part.escalates_to
            if chain is None or part.id in self._tops:
                continue
            assumed, where = [silent, self._units[part.id]], (*path, "escalates_to")
            if not chain:
                message = (
                    f"Overdue cases of `{part.id}` climb to nobody, as `[]` says. Leave"
                    " `escalates_to` out, and they climb to the units above it."
                )
                yield from self._finding(where, "no-chain", message, assumed, note=True)
            elif chain[-1] not in self._tops:
                message = _cut(f"Overdue cases of `{part.id}`", chain, self._top(chain[-1]))
                yield from self._finding(where, "chain-cut", message, assumed)

    def _of_row(self, index: int, to: Sequence[str]) -> Iterator[Finding]:
        """The chain of a row; with several rows that decide, one that reaches the top is enough."""
        assert self._table is not None
        section, solver = self._table.section, self._world.solver
        name = section.rows[index].name
        path = section.path(self._place.source, index)
        about = {"table": section.name, "rows": (name,)}
        here = [self._decides(index), self._below]
        if not to:
            message = (
                f"Overdue cases of `{name}` climb to nobody, as `[]` says. Leave `to` out, and they"
                " climb as the tree says."
            )
            assumed = [*here, -self._reached(self._heard)]
            yield from self._finding(path, "no-chain", message, assumed, note=True, **about)
            return
        if to[-1] in self._tops:
            return
        others = self._reached(self._heard, but_who_has_it=True)
        cut = [*here, others]
        if section.hit.takes_all:
            cut.append(-self._reached(self._tops & self._heard.keys()))
        elif to[-2:-1] and to[-2] in self._tops:
            # Where the last one has the case, the chain ends at the top after all.
            cut.append(-self._units[to[-1]])
        message = _cut(f"Overdue cases of `{name}`", to, self._top(to[-1]))
        yield from self._finding(path, "chain-cut", message, cut, **about)
        for unit in to:
            alone = [self._decides(index), self._units[unit], -others]
            if unit in self._tops or not solver.holds(*self._premise, *alone):
                continue
            message = (
                f"When `{unit}` has the case, `{name}` tells nobody but `{unit}` that it is"
                f" overdue: let the chain end at the top, [{unit}, {self._top(unit)}]."
            )
            yield from self._finding(path, "handler-alone", message, alone, **about)

    def _reached(self, units: Container[str], *, but_who_has_it: bool = False) -> Literal:
        """True where rows that decide send the case to one of these units."""
        solver = self._world.solver
        return solver.any_of(
            solver.all_of((solver.any_of(rows), -self._units[unit]))
            if but_who_has_it
            else solver.any_of(rows)
            for unit, rows in self._heard.items()
            if unit in units
        )

    def _chains_of_rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        if self._table is not None:
            for index, outcome in enumerate(self._table.section.outcomes):
                if outcome.to is not None:
                    yield index, tuple(dict.fromkeys(outcome.to))

    def _decides(self, index: int) -> Literal:
        assert self._table is not None
        return self._table.decides[index]

    def _top(self, unit: str) -> str:
        while (above := self._world.tree.units[unit].parent) is not None:
            unit = above
        return unit

    def _finding(
        self, path: Path, code: str, message: str, assumed: Sequence[Literal], **more: object
    ) -> Iterator[Finding]:
        """The finding with a case that shows it; none where no case does."""
        model = self._world.plainest(*self._premise, *assumed)
        if model is not None:
            shown = example(self._world, model, answered=True)
            yield self._place.finding(path, code, message, **({"example": shown} | more))


def _cut(what: str, chain: Sequence[str], top: str) -> str:
    return (
        f"{what} climb no further than `{chain[-1]}`, which stands below others: let the chain end"
        f" at the top, [{', '.join(dict.fromkeys((*(one for one in chain if one != top), top)))}]."
    )


def _walk(parts: Sequence[UnitPart], path: Path) -> Iterator[tuple[Path, UnitPart]]:
    for index, part in enumerate(parts):
        yield (*path, index), part
        yield from _walk(part.children, (*path, index, "children"))
