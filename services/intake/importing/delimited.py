"""CSV files, read row by row, in the first accepted encoding that fits the whole file."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TextIO

from services.intake.importing.mapping import Format
from services.intake.importing.tables import Row, Table, is_blank, name_columns
from shared.domain.errors import ConfigurationError

LARGEST_CELL = 16 * 1024 * 1024
"""Characters; more than that is a quotation mark that nobody closed."""

_CHUNK = 1024 * 1024
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FATAL = ("unexpected end of data", "field larger than field limit")
"""Errors of the csv module after which it is not known where the next row begins."""


@contextmanager
def open_csv(path: Path, form: Format) -> Iterator[Table]:
    """A CSV file; rows count as in a spreadsheet, however many lines a cell has."""
    # The module has one limit for the whole process; no text that is too long ends the import.
    csv.field_size_limit(LARGEST_CELL)
    encoding, lines = _encoding(path, form)
    with path.open(encoding=encoding, newline="") as file:
        records = _Records(file, form.delimiter)
        skipped = list(islice(records, form.header_row))
        if len(skipped) < form.header_row or skipped[-1].flaw is not None:
            reason = skipped[-1].flaw if skipped else "It holds no rows."
            raise ConfigurationError(f"Row {form.header_row} holds no headers. {reason or ''}")
        headers, repeated = name_columns(skipped[-1].cells, form.header_row)
        yield Table(headers, _rows(records, headers), lines - form.header_row, repeated)


class _Record:
    """One row of cells, or why there is none."""

    def __init__(self, number: int, cells: Sequence[str], raw: str, flaw: str | None) -> None:
        self.number = number
        self.cells = cells
        self.raw = raw
        self.flaw = flaw


class _Records:
    """The rows of a file; one that cannot be split into cells does not stop the others."""

    def __init__(self, file: TextIO, delimiter: str) -> None:
        self._file = file
        self._lines: list[str] = []
        """Of the row that is being read."""
        self._reader = csv.reader(self._feed(), delimiter=delimiter, strict=True)
        self._number = 0

    def _feed(self) -> Iterator[str]:
        for line in self._file:
            self._lines.append(line)
            yield line

    def __iter__(self) -> Iterator[_Record]:
        return self

    def __next__(self) -> _Record:
        self._lines.clear()
        self._number += 1
        try:
            cells, flaw = next(self._reader), None
        except csv.Error as error:
            if f"{error}".startswith(_FATAL):
                raise ConfigurationError(
                    f"In row {self._number} a quotation mark is opened and not closed, so that"
                    " nothing from there on can be read: close it, and import the file again."
                ) from error
            cells = []
            flaw = f"The row cannot be split into cells ({error}): double the marks within a cell."
        return _Record(self._number, cells, "".join(self._lines).rstrip("\r\n"), flaw)


def _rows(records: Iterator[_Record], headers: tuple[str, ...]) -> Iterator[Row]:
    for record in records:
        cells: dict[str, object] = dict(zip(headers, record.cells, strict=False))
        if record.flaw is not None:
            yield Row(record.number, cells, record.flaw, record.raw)
        elif not is_blank(record.cells[len(headers) :]):
            flaw = (
                f"The row has {len(record.cells)} cells under {len(headers)} headers: put cells"
                " that hold the delimiter into quotation marks."
            )
            yield Row(record.number, cells, flaw, record.raw)
        elif not is_blank(record.cells):
            yield Row(record.number, cells)


def _encoding(path: Path, form: Format) -> tuple[str, int]:
    """The first encoding in which the whole file can be read, and how many lines it has."""
    with path.open("rb") as file:
        start = file.read(2)
    if start in _UTF_16 and not any(name.startswith("utf-16") for name in form.encodings):
        raise ConfigurationError(
            "It is encoded in UTF-16: add `utf-16` to `format.encodings` in the mapping (Excel's"
            ' Unicode text also needs `delimiter: "\\t"`), or save it as CSV in UTF-8.'
        )
    failures = []
    for name in form.encodings:
        lines, failed = _try_encoding(path, name)
        if not failed:
            return name, lines
        failures.append(f"`{name}` (line {lines + 1})")
    raise ConfigurationError(
        f"It is in none of the accepted encodings: it does not fit {', '.join(failures)}. Save it"
        " as CSV in UTF-8, or add its encoding to `format.encodings` in the mapping."
    )


def _try_encoding(path: Path, name: str) -> tuple[int, bool]:
    """How many lines were read, and whether the next one does not fit the encoding."""
    decoder = codecs.getincrementaldecoder(name)()
    lines = 0
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                lines += decoder.decode(chunk).count("\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            return lines + error.object[: error.start].count(b"\n"), True
    return lines, False
