"""Small registers as integrators have them, and the mapping that belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

from openpyxl import Workbook

from services.intake.importing.mapping import Mapping, parse_mapping

NOW = datetime(2026, 5, 4, 4, 0, tzinfo=UTC)
"""Noon in the register's time zone."""

HEADERS = ("No.", "Who", "Title", "Received", "Details", "Answer", "Answered")

MAPPING = """
source: register
time_zone: Asia/Shanghai
time_formats: ["%Y/%m/%d %H:%M:%S", "%Y/%m/%d"]
constants:
  channel: message-board
columns:
  "No.": external_id
  Who: informant.ref
  Title: subject
  Received: recorded_at
  Details: text
  Answer: answer.text
  Answered: answer.at
"""


def mapping(more: str = "", text: str = MAPPING, folder: Path = Path()) -> Mapping:
    """The mapping above, with more lines at its end."""
    return parse_mapping(f"{dedent(text)}\n{dedent(more)}".encode(), folder / "mapping.yaml")


def row(number: int, **changes: object) -> list[object]:
    """One row of the register under its headers; `changes` by header, `_` for spaces."""
    cells: dict[str, object] = {
        "No.": number,
        "Who": f"resident-{number}",
        "Title": f"Street lamp {number} is dark",
        "Received": "2024/4/1 9:05:00",
        "Details": f"Lamp {number} at the corner has been dark for a week.",
        "Answer": f"Lamp {number} has been mended.",
        "Answered": "2024/4/3 16:00:00",
    }
    cells |= {"No.": changes.pop("No", number), **changes}
    return [cells[header] for header in HEADERS]


def workbook(path: Path, rows: Iterable[Sequence[object]], sheet: str = "Sheet1") -> Path:
    """An Excel workbook of one sheet."""
    book = Workbook(write_only=True)
    made = book.create_sheet(sheet)
    for cells in rows:
        made.append(list(cells))
    book.save(path)
    book.close()
    return path
