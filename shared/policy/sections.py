"""The tables of a policy file with their outcomes, in one form for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.policy.rows import evaluator_table, triage_table
from shared.policy.schema import Document
from shared.policy.source import Path, Source
from shared.policy.table import Row, Table

TAKE_ALL = ("rule-order", "collect")
"""Hit policies by which all rows that match decide together."""


@dataclass(frozen=True)
class Section:
    """A table, what its rows decide, and what is decided where none matches."""

    table: Table
    outcomes: tuple[Any, ...]
    """What stands in each row's `then`."""
    otherwise: Any | None

    @property
    def name(self) -> str:
        """The key under which the table stands in the file."""
        return self.table.name

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows, in the order of the file."""
        return self.table.rows

    @property
    def hit(self) -> str:
        """Which of the rows that match decide: `first` unless the table says otherwise."""
        return hit_of(self.table)

    @property
    def of_handling(self) -> bool:
        """Whether the rows see an answered case, not one that has just been recorded."""
        return self.name in {"evaluators", "escalation"}

    def before(self, index: int) -> list[int]:
        """The rows that decide instead of this one where both match."""
        if self.hit in TAKE_ALL:
            return []
        if self.hit == "priority":
            return [
                other for other in range(len(self.rows)) if self._order(other) < self._order(index)
            ]
        return list(range(index))

    def _order(self, index: int) -> tuple[int, int]:
        return (getattr(self.rows[index], "rank", 0), index)

    def path(self, source: Source, index: int | None = None) -> Path:
        """Where the table stands, or one of its rows."""
        if index is None:
            return (self.name,)
        whole = (self.name, "rows", index, "name")
        return whole if whole in source.marks else (self.name, index, "name")


def hit_of(table: Table) -> str:
    """The hit policy of a table."""
    return str(getattr(table, "hit", "first"))


def deciding(table: Table, matching: list[int]) -> list[int]:
    """Which of the rows that match decide."""
    if hit_of(table) in TAKE_ALL:
        return matching
    if hit_of(table) == "priority":
        ranks = {index: getattr(table.rows[index], "rank", 0) for index in matching}
        return sorted(matching, key=lambda index: (ranks[index], index))[:1]
    return matching[:1]


def sections(document: Document) -> list[Section]:
    """All tables of a document."""
    return list(_sections(document))


def _sections(document: Document) -> Iterator[Section]:
    for table in (triage_table(document), evaluator_table(document)):
        part: Any = getattr(document, table.name)
        outcomes = tuple(row.then for row in getattr(part, "rows", part))
        yield Section(table, outcomes, getattr(part, "otherwise", None))
