"""What every kind of register is read as: headers, and rows numbered as a person sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.intake.importing.mapping import NEEDED
from services.intake.importing.mapping import Mapping as MappingFile
from shared.domain.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a register."""

    number: int
    """As a spreadsheet shows it, the first row being 1; of JSON lines, the line."""
    cells: Mapping[str, object]
    """What stands under each header: text, a number, a date …, or None."""
    flaw: str | None = None
    """Why the row as such cannot be read, and how to mend it."""
    raw: str | None = None
    """The row as it stands in the file, where it has a flaw."""


@dataclass(frozen=True)
class Table:
    """A register that is open for reading."""

    headers: tuple[str, ...]
    rows: Iterator[Row]
    expected: int | None
    """About how many rows there are, for a progress bar."""
    repeated: frozenset[str] = frozenset()
    """Headers that stand over more than one column."""
    fixed: bool = True
    """Whether every row has the columns of the header; of JSON lines it need not."""


def name_columns(cells: Sequence[object], row: int) -> tuple[tuple[str, ...], frozenset[str]]:
    """Headers on one line each, all different, and those that had stood there twice.

    Raises `ConfigurationError` where the row is empty.
    """
    names = ["" if cell is None else " ".join(f"{cell}".split()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise ConfigurationError(
            f"Row {row} is empty, where the columns' headers should stand: remove the empty rows"
            " above the headers, or give the headers' row as `format.header_row` in the mapping."
        )
    seen: dict[str, int] = {}
    headers = []
    for place, plain in enumerate(names, 1):
        name = plain or f"(column {place})"
        seen[name] = seen.get(name, 0) + 1
        headers.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(headers), frozenset(name for name, times in seen.items() if times > 1)


def is_blank(cells: Sequence[object]) -> bool:
    """Whether a row holds nothing, as spreadsheets keep many below their last."""
    return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells)


def check_columns(table: Table, mapping: MappingFile) -> None:
    """Raises `ConfigurationError` where the register is not the one that the mapping describes."""
    wanted = mapping.columns
    if not table.fixed:
        wanted = {header: field for header, field in wanted.items() if field in NEEDED}
    missing = [header for header in wanted if header not in table.headers]
    if missing:
        raise ConfigurationError(
            f"Columns that the mapping names are missing: {_listed(missing)}. Found were:"
            f" {_listed(table.headers)}. Take the mapping that belongs to this file, or correct"
            " the names under `columns`."
        )
    twice = [header for header in wanted if header in table.repeated]
    if twice:
        raise ConfigurationError(
            f"Columns stand there more than once: {_listed(twice)}. Which one is meant cannot be"
            " known: rename or remove the others."
        )


def _listed(names: Sequence[str], most: int = 30) -> str:
    listed = ", ".join(f"`{name[:60]}`" for name in names[:most])
    return listed if len(names) <= most else f"{listed} and {len(names) - most} more"
