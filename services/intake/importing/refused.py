"""The rows that were refused, in a file of their own: mend them there, and import that file."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from services.intake.importing.convert import Flaw
from services.intake.importing.mapping import Mapping as MappingFile
from services.intake.importing.tables import Row
from services.intake.importing.times import write_time
from shared.domain.errors import ConfigurationError

ROW, COLUMN, REASON, TEXT = "refused: row", "refused: column", "refused: reason", "refused: text"
"""Added to the columns of the register; `text` is the row itself where it cannot be split."""

_NUMBER = re.compile(r"[+-]?[\d\s.,/:-]*")


class RefusedRows:
    """Writes refused rows as CSV, or as JSON lines where the file's name says so.

    The file is made with the first row, readable by its owner alone: it holds personal data.
    """

    def __init__(self, path: Path, headers: Sequence[str], mapping: MappingFile) -> None:
        self.path = path
        self._headers = [header for header in headers if not header.startswith("refused: ")]
        self._mapping = mapping
        self._file: TextIO | None = None
        self._write: Callable[[Mapping[str, Any]], object] = self._open

    @property
    def written(self) -> Path | None:
        """The file, or None where no row was refused."""
        return self.path if self._file is not None else None

    def add(self, row: Row, flaws: Sequence[Flaw]) -> None:
        """Write a row with its flaws; raises `ConfigurationError` where the file cannot be."""
        columns = list(dict.fromkeys(flaw.column for flaw in flaws if flaw.column))
        self._write(
            {
                **{header: row.cells.get(header) for header in self._headers},
                ROW: row.number,
                COLUMN: "; ".join(columns),
                REASON: " ".join(map(str, flaws)),
                TEXT: row.raw,
            }
        )

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()

    def _open(self, first: Mapping[str, Any]) -> None:
        names = self._mapping.format.encodings
        encoding = "utf-8-sig" if "utf-8-sig" in names else names[0]
        as_json = self.path.suffix == ".jsonl"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"Refused rows cannot be written to {self.path} ({error.strerror}): name another"
                " file with --refused."
            ) from error
        self._file = file = os.fdopen(
            handle,
            "w",
            encoding="utf-8" if as_json else encoding,
            errors="backslashreplace",
            newline="\n" if as_json else "",
        )
        if as_json:
            self._write = lambda row: file.write(_json_line(row))
        else:
            columns = [*self._headers, ROW, COLUMN, REASON, TEXT]
            writer = csv.DictWriter(file, columns, delimiter=self._mapping.format.delimiter)
            writer.writeheader()
            self._write = lambda row: writer.writerow(
                {name: self._csv_cell(value) for name, value in row.items()}
            )
        self._write(first)

    def _csv_cell(self, value: object) -> object:
        if isinstance(value, datetime):
            return write_time(value, self._mapping.time_formats)
        if isinstance(value, str) and value.lstrip()[:1] in tuple("=+-@"):
            # a spreadsheet would run this as a formula, and strangers wrote it
            return value if _NUMBER.fullmatch(value) else f"'{value}"
        return value


def _json_line(row: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in row.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, default=str) + "\n"
