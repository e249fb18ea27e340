"""JSON lines: one object a line, read line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from services.intake.importing.mapping import Format
from services.intake.importing.tables import Row, Table
from shared.domain.errors import ConfigurationError

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes; a file without line breaks is not read into memory."""

_BOM = b"\xef\xbb\xbf"


@contextmanager
def open_jsonl(path: Path, form: Format) -> Iterator[Table]:
    """A file of JSON lines; an object within an object is read as columns `outer.inner`."""
    with path.open("rb") as file:
        lines = sum(1 for _ in iter(lambda: file.readline(LONGEST_LINE), b""))
        file.seek(0)
        first = next(_rows(file), None)
        if first is None:
            raise ConfigurationError("It holds no rows.")
        if first.flaw is not None:
            raise ConfigurationError(
                f"Line {first.number}: {first.flaw} A file of JSON lines holds one object a line."
            )
        file.seek(0)
        yield Table(tuple(first.cells), _rows(file), lines, fixed=False)


def _rows(file: BinaryIO) -> Iterator[Row]:
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise ConfigurationError(
                f"Line {number} is longer than {LONGEST_LINE:,} bytes, so that nothing from there"
                " on is read: break the file into one object a line."
            )
        if number == 1:
            line = line.removeprefix(_BOM)
        if line.strip():
            yield _row(number, line)


def _row(number: int, line: bytes) -> Row:
    try:
        found = json.loads(line.decode())
        if isinstance(found, dict):
            return Row(number, _flat(found))
        flaw = f"This is a JSON {_kind(found)}, not an object with named fields."
    except UnicodeDecodeError as error:
        flaw = f"Byte {error.start + 1} is not UTF-8: save the file in UTF-8."
    except json.JSONDecodeError as error:
        flaw = f"This is not JSON: {error.msg} at character {error.colno}."
    except (RecursionError, ValueError):
        flaw = "This JSON cannot be read: it is nested too deep or holds too long a number."
    return Row(number, {}, flaw, line.decode(errors="replace").rstrip("\r\n"))


def _flat(found: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    cells: dict[str, object] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            cells |= _flat(value, f"{prefix}{name}.")
        else:
            cells[f"{prefix}{name}"] = value
    return cells


def _kind(found: object) -> str:
    if isinstance(found, list):
        return "list"
    return "text" if isinstance(found, str) else "value"
