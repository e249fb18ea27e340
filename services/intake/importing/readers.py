"""Opening a register, whatever kind of file it is; a wrong file is refused before its first row."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

from services.intake.importing.delimited import open_csv
from services.intake.importing.jsonlines import open_jsonl
from services.intake.importing.mapping import Mapping
from services.intake.importing.tables import Row, Table, check_columns
from services.intake.importing.workbook import open_xlsx
from shared.domain.errors import ConfigurationError

LARGEST_FILE = 512 * 1024 * 1024
"""Bytes; a register that is larger is better imported in parts."""

KINDS = {
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
"""Kinds of file by the end of their names."""

OPENERS = {"xlsx": open_xlsx, "csv": open_csv, "jsonl": open_jsonl}

_WORKBOOK = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@contextmanager
def open_table(path: Path, mapping: Mapping, largest: int = LARGEST_FILE) -> Iterator[Table]:
    """The register in a file, its columns checked against the mapping; read row by row.

    Raises `ConfigurationError`, also while rows are read, where the file cannot be read on.
    """
    kind = kind_of(path, mapping)
    _check_file(path, kind, largest)
    with ExitStack() as stack:
        with _told_of(path):
            table = stack.enter_context(OPENERS[kind](path, mapping.format))
            check_columns(table, mapping)
        rows = stack.enter_context(closing(_told_rows(path, table)))
        yield replace(table, rows=rows)


def _told_rows(path: Path, table: Table) -> Generator[Row, None, None]:
    with _told_of(path):
        yield from table.rows


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Errors of reading that name the file."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{path} cannot be imported. {error}") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}.") from error


def kind_of(path: Path, mapping: Mapping) -> str:
    """`xlsx`, `csv` or `jsonl`: as the mapping says, or else by the file's name."""
    kind = mapping.format.kind or KINDS.get(path.suffix.lower())
    if kind is None:
        raise ConfigurationError(
            f"{path} cannot be imported. Its name does not tell what kind of file it is: import"
            f" {', '.join(sorted(KINDS))}, or give `format.kind` in the mapping."
        )
    return kind


def _check_file(path: Path, kind: str, largest: int) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from error
    problem = None
    if size == 0:
        problem = "It is empty."
    elif size > largest:
        problem = f"It has {size:,} bytes, at most {largest:,} are read: split it."
    elif start == _OLD_EXCEL:
        problem = (
            "It is an Excel file of the kind before 2007, or one with a password: open it in"
            " Excel and save it as .xlsx without a password."
        )
    elif start.startswith(_WORKBOOK) and kind != "xlsx":
        problem = "It is a workbook in spite of its name: let the name end in .xlsx."
    elif not start.startswith(_WORKBOOK) and kind == "xlsx":
        problem = "It is no Excel workbook in spite of its name: save it as .xlsx or as CSV."
    if problem is not None:
        raise ConfigurationError(f"{path} cannot be imported. {problem}")
