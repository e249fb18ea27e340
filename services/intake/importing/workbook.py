"""Excel workbooks, read row by row."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from openpyxl import load_workbook

from services.intake.importing.mapping import Format
from services.intake.importing.tables import Row, Table, is_blank, name_columns
from shared.domain.errors import ConfigurationError

LARGEST_UNPACKED = 2 * 1024 * 1024 * 1024
"""Bytes of a workbook's parts; a small file that unpacks to more was made to do harm."""

LAST_ROW = 1_048_576
"""The last row that Excel knows."""

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


@contextmanager
def open_xlsx(path: Path, form: Format, largest: int = LARGEST_UNPACKED) -> Iterator[Table]:
    """One sheet of a workbook; formulas count with the value that Excel last gave them."""
    # Styles and extensions that openpyxl does not know: of no interest for a register's values.
    warnings.filterwarnings("ignore", module=r"openpyxl\.")
    with path.open("rb") as file:
        book = _open(file, largest)
        try:
            sheet = _sheet(book, form)
            expected = sheet.max_row
            sheet.reset_dimensions()  # some programs write a wrong one, which would hide rows
            values = _values(sheet)
            above = list(islice(values, form.header_row))
            if not any(cells for _, cells in above):
                raise ConfigurationError(f"The sheet `{sheet.title}` is empty.")
            cells = above[-1][1] if len(above) == form.header_row else ()
            headers, repeated = name_columns(cells, form.header_row)
            rows = _rows(values, headers)
            yield Table(headers, rows, expected and expected - form.header_row, repeated)
        finally:
            book.close()


def _open(file: BinaryIO, largest: int) -> Any:
    unpacked = _unpacked(file)
    if unpacked > largest:
        raise ConfigurationError(
            f"It would unpack to {unpacked:,} bytes, at most {largest:,} are read: split it."
        )
    try:
        return load_workbook(file, read_only=True, data_only=True)
    except Exception as error:
        raise _damaged(error) from error


def _unpacked(file: BinaryIO) -> int:
    try:
        with zipfile.ZipFile(file) as archive:
            return sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise _damaged(error) from error


def _sheet(book: Any, form: Format) -> Any:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if not sheets:
        raise ConfigurationError("The workbook holds no sheet with cells.")
    if form.sheet is None:
        return next(iter(sheets.values()))
    if form.sheet not in sheets:
        found = ", ".join(f"`{title}`" for title in sheets)
        raise ConfigurationError(
            f"The workbook has no sheet `{form.sheet}`: found were {found}. Correct `format.sheet`"
            " in the mapping."
        )
    return sheets[form.sheet]


def _values(sheet: Any) -> Iterator[tuple[int, Sequence[object]]]:
    number = 0
    try:
        # a row that claims a far number is filled up with empty ones: the end of Excel is the end
        for cells in islice(sheet.iter_rows(values_only=True), LAST_ROW):
            number += 1
            yield number, cells
    except Exception as error:
        raise _damaged(error, after=number) from error


def _rows(
    values: Iterator[tuple[int, Sequence[object]]], headers: tuple[str, ...]
) -> Iterator[Row]:
    for number, cells in values:
        if not is_blank(cells):
            yield Row(number, dict(zip(headers, map(_unescaped, cells), strict=False)))


def _unescaped(cell: object) -> object:
    """Excel writes characters that XML cannot hold as `_x000D_` (ECMA-376, 22.9.2.19)."""
    if isinstance(cell, str) and "_x" in cell:
        return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), cell)
    return cell


def _damaged(error: Exception, after: int = 0) -> ConfigurationError:
    # openpyxl raises whatever a broken file leads it to
    where = f" after row {after}" if after else ""
    return ConfigurationError(
        f"The workbook is damaged{where} ({type(error).__name__}: {error}): open it in a"
        " spreadsheet program and save it again, or save it as CSV."
    )
