"""From a row of a register to a case, or to everything that is wrong with the row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from services.intake.importing.cells import BadCell, is_empty, read_cell
from services.intake.importing.mapping import NEEDED, TIMES, Mapping, nested
from services.intake.importing.tables import Row
from services.intake.importing.times import DateOnly, Moment, NotATime, TimeReader
from shared.domain.case import Submission
from shared.domain.commands import SubmitCase
from shared.domain.errors import Problem
from shared.domain.problems import problems_of

Check = Callable[[Submission], Sequence[Problem]]
"""What intake itself would find wrong."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with a row, and how to mend it."""

    column: str | None
    """The header; None where no column alone is to blame."""
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.column}: {self.message}" if self.column else self.message


class Warned(BaseModel):
    """A cell that was read in one of several possible ways."""

    row: int
    column: str
    text: str
    """What stands in the cell."""
    read_as: str
    """The moment that it was taken for, in the register's time zone."""
    message: str


@dataclass(frozen=True)
class Converted:
    """What became of a row: a case, or its flaws."""

    command: SubmitCase | None
    flaws: tuple[Flaw, ...] = ()
    warnings: tuple[Warned, ...] = ()


class Converter:
    """Converts the rows of one register.

    `now` is when the import began. With `check`, a row that has flaws already is told what intake
    would find besides, so that it need be mended only once.
    """

    def __init__(self, mapping: Mapping, now: datetime, check: Check | None = None) -> None:
        self._mapping = mapping
        self._now = now
        self._check = check
        self._times = {
            field: TimeReader(
                mapping.time_formats, mapping.zone, mapping.reading_of_dates(field), now
            )
            for field in TIMES
        }

    def convert(self, row: Row) -> Converted:
        """A row's case, or everything that is wrong with it."""
        if row.flaw is not None:
            return Converted(None, (Flaw(None, "unreadable-row", row.flaw),))
        fields, broken, warnings = self._fields(row)
        try:
            command = SubmitCase.model_validate(nested(fields))
        except ValidationError as error:
            problems = [each for each in problems_of(error) if each.field not in broken]
        else:
            if not broken:
                return Converted(command, warnings=tuple(warnings))
            problems = []
        wrong = {*broken, *(problem.field for problem in problems)}
        problems += self._further(fields, wrong)
        return Converted(None, (*broken.values(), *map(self.flaw, problems)))

    def flaw(self, problem: Problem) -> Flaw:
        """The problem of a field as the flaw of the column that fills it."""
        field, message = problem.field, problem.message
        column = self._mapping.column_of(field)
        if column is not None:
            empty = problem.code == "missing"
            message = "The cell is empty: fill it in." if empty else message
        elif field in self._mapping.constants:
            message = f"`constants.{field}` in the mapping: {message}"
        elif field:
            message = f"`{field}`, which no column fills: {message}"
        return Flaw(column, problem.code, message)

    def _fields(self, row: Row) -> tuple[dict[str, Any], dict[str, Flaw], list[Warned]]:
        """What the row says by fields, the flaws of its cells by field, and warnings."""
        fields: dict[str, Any] = {**self._mapping.constants, "source": self._mapping.source}
        broken: dict[str, Flaw] = {}
        warnings: list[Warned] = []
        for header, field in self._mapping.columns.items():
            cell = row.cells.get(header)
            if is_empty(cell):
                continue
            try:
                if field in TIMES:
                    moment = self._times[field].read(cell)
                    fields[field] = moment.at
                    if moment.assumed is not None:
                        warnings.append(self._warning(row.number, header, cell, moment))
                else:
                    value = read_cell(field, cell)
                    fields[field] = self._mapping.values.get(field, {}).get(f"{value}", value)
            except NotATime as error:
                broken[field] = Flaw(header, "not-a-time", f"{error}")
            except BadCell as error:
                broken[field] = Flaw(header, "bad-cell", f"{error}")
        if not {"answer.text", "answer.at"} & {*fields, *broken}:
            fields.pop("answer.by", None)  # whoever answers all cases has not answered this one
        return fields, broken, warnings

    def _warning(self, row: int, header: str, cell: object, moment: Moment) -> Warned:
        if moment.at == self._now:
            read = "this moment, since the day has not ended"
        else:
            read = "the first moment of the day"
            if moment.assumed is DateOnly.END_OF_DAY:
                read = "the last moment of the day"
        return Warned(
            row=row,
            column=header,
            text=f"{cell.date() if isinstance(cell, datetime) else cell}".strip(),
            read_as=moment.at.astimezone(self._mapping.zone).isoformat(),
            message=f"A date without a time of day, read as {read}.",
        )

    def _further(self, fields: dict[str, Any], wrong: set[str]) -> list[Problem]:
        """What intake finds in the sound fields of a row of which others are wrong."""
        if self._check is None:
            return []
        sound = {field: value for field, value in fields.items() if field not in wrong}
        if any(field == "recorded_at" or field.startswith("answer") for field in wrong):
            # half an answer, or one that cannot be compared with the recording, says nothing
            sound = {field: value for field, value in sound.items() if not _of_answer(field)}
        try:
            submission = Submission.model_validate(nested({**dict.fromkeys(NEEDED, "-"), **sound}))
        except ValidationError:
            return []
        return [problem for problem in self._check(submission) if problem.field not in wrong]


def _of_answer(field: str) -> bool:
    return field.startswith("answer.")
