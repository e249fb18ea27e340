"""A policy on its way: what the checks look at, and where they note what they find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.policy.schema.names import Names
from shared.policy.schema.rules import RowPart
from shared.policy.source import Path, Source


@dataclass(frozen=True)
class Draft:
    """The source, the names that it declares, and the sound sections."""

    source: Source
    names: Names
    sections: Mapping[str, Any]
    tables: Mapping[str, list[tuple[int, RowPart]]]
    """The sound rows of each table, with their places: one bad row does not hide the others."""

    def has(self, *sections: str) -> bool:
        """Whether all these sections are sound."""
        return all(section in self.sections for section in sections)

    def __getitem__(self, section: str) -> Any:
        return self.sections[section]

    def report(self, path: Path, code: str, message: str) -> None:
        """Note a problem."""
        self.source.report(path, code, message)

    def rows_of(self, table: str) -> Path:
        """Where the rows of a table stand: it is a list of them, or holds one."""
        return (table, "rows") if isinstance(self.source.data.get(table), dict) else (table,)
