"""What stands in a cell, as a field of a case: text on one line or more, or a plain value."""

from __future__ import annotations

import math
from datetime import date, datetime

from services.intake.importing.mapping import ATTRIBUTE, TEXTS

ERRORS = frozenset(
    ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!")
)
"""What a spreadsheet shows where a formula failed."""


class BadCell(ValueError):
    """A cell that cannot be the field that its column stands for; the message says the mend."""


def is_empty(cell: object) -> bool:
    """Whether a cell holds nothing."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def read_cell(field: str, cell: object) -> str | int | bool:
    """The value of a field that is no time.

    Raises `BadCell`.
    """
    if isinstance(cell, str):
        return _text(field, cell)
    if isinstance(cell, bool):
        return cell if field.startswith(ATTRIBUTE) else f"{cell}".lower()
    if isinstance(cell, int):
        return cell if field.startswith(ATTRIBUTE) else f"{cell}"
    if isinstance(cell, float):
        return _number(field, cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    raise BadCell("This is neither a text nor a number: write a text.")


def _text(field: str, cell: str) -> str:
    if cell.strip() in ERRORS:
        raise BadCell("A formula failed here: mend it, or write the value itself.")
    if field in TEXTS:
        return cell.replace("\r\n", "\n").replace("\r", "\n").strip()
    return " ".join(cell.split())


def _number(field: str, cell: float) -> str | int:
    if not math.isfinite(cell):
        raise BadCell("This is no number that can be written down: correct it.")
    if abs(cell) >= 1e15:
        raise BadCell(
            "The spreadsheet keeps 15 digits of a number and has lost the others: format the"
            " column as text, and enter or export the numbers again."
        )
    if not cell.is_integer():
        return f"{cell:.15g}"
    return int(cell) if field.startswith(ATTRIBUTE) else f"{int(cell)}"
