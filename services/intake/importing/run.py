"""The import itself: rows in, cases out, refused rows aside, figures at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import BaseModel

from services.intake.importing.convert import Converted, Converter, Flaw, Warned
from services.intake.importing.refused import RefusedRows
from services.intake.importing.senders import BATCH, Receipt, Sender
from services.intake.importing.tables import Row
from shared.domain.commands import SubmitCase
from shared.domain.errors import Problem
from shared.domain.ids import digest

MOST_WARNINGS = 1000
"""Warnings that are listed; further ones are counted."""


class Summary(BaseModel):
    """What an import did; `read` is the sum of recorded, known and refused."""

    read: int = 0
    recorded: int = 0
    refused: int = 0
    repeated: int = 0
    """Recorded cases that repeat an earlier one."""
    known: int = 0
    """Cases that had been recorded before, by an earlier import or an earlier row."""
    replied: int = 0
    """Recorded cases that came with their answer."""
    warnings: list[Warned] = []
    more_warnings: int = 0
    """Warnings beyond those listed."""
    refused_file: Path | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class _Pending:
    row: Row
    converted: Converted


class Import:
    """One run over the rows of a register."""

    def __init__(
        self,
        converter: Converter,
        send: Sender,
        refused: RefusedRows,
        tell: Callable[[int], None] = lambda _: None,
        batch: int = BATCH,
    ) -> None:
        """`tell` hears after every `batch` rows how many have been read."""
        self._converter = converter
        self._send = send
        self._refused = refused
        self._tell = tell
        self._batch = batch
        self._seen: dict[str, tuple[int, str]] = {}
        """By external id, the first row of this run that has it, and the row's content."""
        self.summary = Summary()

    def run(self, rows: Iterable[Row]) -> Summary:
        """Import all rows, in their order.

        Raises `ConfigurationError` where the file cannot be read on and `Unavailable` where the
        other side stays away; what was recorded stays, and another run goes on from there.
        """
        try:
            for batch in _batches(rows, self._batch):
                self._carry_out([_Pending(row, self._convert(row)) for row in batch])
                self._tell(self.summary.read)
        finally:
            self._refused.close()
            self.summary.refused_file = self._refused.written
        return self.summary

    def _convert(self, row: Row) -> Converted:
        converted = self._converter.convert(row)
        if converted.command is None:
            return converted
        flaw = self._clash(row.number, converted.command)
        return converted if flaw is None else Converted(None, (flaw,))

    def _clash(self, number: int, command: SubmitCase) -> Flaw | None:
        """Two rows of one id are one case: if they differ, the second must not vanish silently."""
        content = digest(command.model_dump_json())
        first, known = self._seen.setdefault(command.external_id, (number, content))
        if known == content:
            return None
        message = (
            f"Row {first} has the same id and other content: give each case an id of its own, or"
            " remove the one that is wrong."
        )
        return self._converter.flaw(Problem(field="external_id", code="same-id", message=message))

    def _carry_out(self, batch: Sequence[_Pending]) -> None:
        commands = [each.converted.command for each in batch if each.converted.command is not None]
        receipts = iter(self._send(commands) if commands else ())
        for each in batch:
            self.summary.read += 1
            if each.converted.command is None:
                self._refuse(each.row, each.converted.flaws)
            else:
                self._count(each, each.converted.command, next(receipts))

    def _count(self, each: _Pending, command: SubmitCase, receipt: Receipt) -> None:
        if receipt.problems:
            self._refuse(each.row, [self._converter.flaw(one) for one in receipt.problems])
            return
        if receipt.recorded:
            self.summary.recorded += 1
            self.summary.repeated += receipt.repeat
            self.summary.replied += command.answer is not None
        else:
            self.summary.known += 1
        room = MOST_WARNINGS - len(self.summary.warnings)
        self.summary.warnings += each.converted.warnings[:room]
        self.summary.more_warnings += len(each.converted.warnings[room:])

    def _refuse(self, row: Row, flaws: Sequence[Flaw]) -> None:
        self._refused.add(row, flaws)
        self.summary.refused += 1


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        yield batch
