"""The reference interpreter: a table read row by row, in plain Python, as a person would.

It says what a table means. The engine is tested against it, and answers are taken from it where
the engine fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from shared.policy.engine.table import Facts, Hit, Row, Table, Verdict


def decide(table: Table, facts: Facts) -> Verdict:
    """What the table says of these facts."""
    in_order = (index for index, row in enumerate(table.rows) if matches(row, facts))
    if table.hit is Hit.FIRST:
        return Verdict(tuple(islice(in_order, 1)))
    matching = tuple(in_order)
    if table.hit.takes_all or not matching:
        return Verdict(matching)
    if table.hit is Hit.PRIORITY:
        return Verdict((min(matching, key=lambda index: table.rows[index].rank),))
    return Verdict(matching[:1], _conflict(table, matching))


def first(table: Table, facts: Facts) -> int | None:
    """The index of the row that decides, or None where no row matches."""
    return decide(table, facts).row


def matches(row: Row, facts: Facts) -> bool:
    """Whether all tests of a row hold."""
    for test in row.tests:  # noqa: SIM110 - a generator for each row takes twice as long
        if not test.holds(facts.get(test.fact)):
            return False
    return True


def _conflict(table: Table, matching: Sequence[int]) -> tuple[int, int] | None:
    best, *others = matching
    if table.hit is Hit.ANY:
        outcome = table.rows[best].outcome
        others = [index for index in others if table.rows[index].outcome != outcome]
    return (best, others[0]) if others else None
