"""The SAT solver behind one small class, the only import of python-sat.

Formulas become literals: numbers, negated by their sign. A literal for a formula is true exactly
where the formula is, so that it can be assumed and denied alike.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import count

from pysat.solvers import Glucose4

Literal = int
Model = frozenset[Literal]
"""The literals that are true."""


TRIES = 30
"""How many literals of a core are tried without."""


class Solver:
    """Clauses that always hold, and questions whether more can hold with them."""

    def __init__(self) -> None:
        self._solver = Glucose4()
        self._fresh = count(1)
        self._known: dict[frozenset[Literal], Literal] = {}
        self.true = self.new()
        self.add(self.true)

    def close(self) -> None:
        """Free the solver's memory."""
        self._solver.delete()

    def new(self) -> Literal:
        """A literal about which nothing is known."""
        return next(self._fresh)

    def add(self, *literals: Literal) -> None:
        """At least one of these holds, always."""
        self._solver.add_clause(list(literals))

    def any_of(self, literals: Iterable[Literal]) -> Literal:
        """True exactly where one of these is, or more."""
        parts = frozenset(literals) - {-self.true}
        if self.true in parts:
            return self.true
        if not parts:
            return -self.true
        if len(parts) == 1:
            return next(iter(parts))
        known = self._known.get(parts)
        if known is None:
            known = self._known[parts] = self.new()
            self.add(-known, *sorted(parts))
            for part in parts:
                self.add(known, -part)
        return known

    def all_of(self, literals: Iterable[Literal]) -> Literal:
        """True exactly where all of these are."""
        return -self.any_of(-literal for literal in literals)

    def at_least(self, number: int, literals: Sequence[Literal]) -> Literal:
        """True exactly where this many of them are, by a sequential counter.

        Sinz, Towards an Optimal CNF Encoding of Boolean Cardinality Constraints, CP 2005; here in
        both directions.
        """
        reached = [self.true, *[-self.true] * number]
        for literal in literals:
            reached = [
                self.true,
                *(
                    self.any_of((reached[step], self.all_of((reached[step - 1], literal))))
                    for step in range(1, number + 1)
                ),
            ]
        return reached[number]

    def exactly_one(self, literals: Sequence[Literal]) -> None:
        """One of these holds and no other, always: a ladder of 3 clauses each."""
        self.add(*literals)
        before = -self.true
        for literal in literals:
            self.add(-before, -literal)
            after = self.new()
            self.add(-before, after)
            self.add(-literal, after)
            before = after

    def solve(self, *assumptions: Literal) -> Model | None:
        """A way in which all of these hold, or None where there is none."""
        if not self._solver.solve(assumptions=list(assumptions)):
            return None
        return frozenset(literal for literal in self._solver.get_model() if literal > 0)

    def holds(self, *assumptions: Literal) -> bool:
        """Whether all of these can hold."""
        return bool(self._solver.solve(assumptions=list(assumptions)))

    def core(self, always: Sequence[Literal], choice: Sequence[Literal]) -> list[Literal]:
        """Few of `choice` that cannot hold together with `always`, where all of it cannot.

        None of them can be left out, unless they are very many.
        """
        self._solver.solve(assumptions=[*always, *choice])
        told = frozenset(self._solver.get_core() or ())
        needed = [literal for literal in choice if literal in told]
        for literal in needed[:TRIES]:
            without = [other for other in needed if other != literal]
            if not self.holds(*always, *without):
                needed = without
        return needed

    def plainest(
        self, assumptions: Sequence[Literal], wanted: Iterable[Sequence[Literal]]
    ) -> Model | None:
        """As `solve`, with as much as can be of what is wanted, the earlier before the later."""
        found = self.solve(*assumptions)
        if found is None:
            return None
        kept, left = list(assumptions), deque(wanted)
        while left:
            group = left.popleft()
            # What is so already need not be asked for.
            better = found if _true(group, found) else self.solve(*kept, *group)
            if better is not None:
                found = better
                kept += group
            elif len(group) > 1:
                left.extendleft([literal] for literal in reversed(group))
        return found


def _true(literals: Iterable[Literal], model: Model) -> bool:
    """Whether all of these hold in a model."""
    return all(literal in model if literal > 0 else -literal not in model for literal in literals)
