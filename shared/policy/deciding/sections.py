"""The tables of a policy file with their outcomes, in one form for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.policy.deciding.rows import tables
from shared.policy.engine.table import Hit, Row, Table
from shared.policy.schema.document import Document
from shared.policy.schema.rules import EscalationPart
from shared.policy.source import Path, Source


@dataclass(frozen=True)
class Section:
    """A table, what its rows decide, and what is decided where none matches."""

    table: Table
    outcomes: tuple[Any, ...]
    """What stands in each row's `then`."""
    otherwise: Any | None
    """None as well where what is left over is decided by other sections, as for escalation."""

    @property
    def name(self) -> str:
        """The key under which the table stands in the file."""
        return self.table.name

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows, in the order of the file."""
        return self.table.rows

    @property
    def hit(self) -> Hit:
        """Which of the rows that match decide."""
        return self.table.hit

    @property
    def of_handling(self) -> bool:
        """Whether the rows see an answered case, not one that has just been recorded."""
        return self.name in {"evaluators", "escalation"}

    def before(self, index: int) -> list[int]:
        """The rows that decide instead of this one where both match."""
        return before(self.table, index)

    def path(self, source: Source, index: int | None = None) -> Path:
        """Where the table stands, or one of its rows."""
        if index is None:
            return (self.name,)
        whole = (self.name, "rows", index, "name")
        return whole if whole in source.marks else (self.name, index, "name")


def before(table: Table, index: int) -> list[int]:
    """The rows that decide instead of this one where both match."""
    if table.hit.takes_all:
        return []
    if table.hit is Hit.PRIORITY:
        order = [(row.rank, place) for place, row in enumerate(table.rows)]
        return [place for place, other in enumerate(order) if other < order[index]]
    return list(range(index))


def sections(document: Document) -> list[Section]:
    """The tables that decide about a case; who is told of what happens to it is none of them."""
    return list(_sections(document))


def _sections(document: Document) -> Iterator[Section]:
    parts: Mapping[str, Any] = {
        "triage": document.triage,
        "routing": document.routing,
        "evaluators": document.evaluators,
        "escalation": document.escalation,
    }
    for table in tables(document):
        if table.name not in parts:
            continue
        part = parts[table.name]
        otherwise = None if isinstance(part, EscalationPart) else part.otherwise
        yield Section(table, tuple(row.then for row in part.rows), otherwise)
