"""The reference interpreter: a table read row by row, in plain Python, as a person would.

It says what a table means. The engine is tested against it, and answers are taken from it where
the engine fails.
"""

from __future__ import annotations

from shared.policy.table import Facts, Table


def first(table: Table, facts: Facts) -> int | None:
    """The index of the first row that matches, or None where none does."""
    for index, row in enumerate(table.rows):
        if all(test.holds(facts.get(test.fact)) for test in row.tests):
            return index
    return None


def every(table: Table, facts: Facts) -> list[int]:
    """The indexes of all rows that match, in their order: hit policy *collect*."""
    return [
        index
        for index, row in enumerate(table.rows)
        if all(test.holds(facts.get(test.fact)) for test in row.tests)
    ]
