"""An import as a whole: figures that add up, whatever the rows are."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from services.intake.importing.convert import Converter
from services.intake.importing.refused import RefusedRows
from services.intake.importing.run import MOST_WARNINGS, Import, Summary
from services.intake.importing.senders import BATCH, Receipt
from services.intake.importing.tables import Row
from shared.domain.commands import SubmitCase
from shared.domain.errors import Problem, Unavailable
from tests.support.registers import HEADERS, NOW, mapping, row


class Door:
    """A way in that remembers what it was given, and knows a case when it comes again."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.known: set[str] = set()
        self.refuses: set[str] = set()
        self.repeats: set[str] = set()

    def __call__(self, commands: Sequence[SubmitCase]) -> list[Receipt]:
        self.sizes.append(len(commands))
        return [self._receipt(command.external_id) for command in commands]

    def _receipt(self, name: str) -> Receipt:
        if name in self.refuses:
            return Receipt(problems=(Problem(field="text", code="required", message="Write it."),))
        if name in self.known:
            return Receipt()
        self.known.add(name)
        return Receipt(recorded=True, repeat=name in self.repeats)


def ran(folder: Path, door: Door, *rows: list[object]) -> Summary:
    refused = RefusedRows(folder / "refused.csv", HEADERS, mapping())
    numbered = [
        Row(number, dict(zip(HEADERS, cells, strict=True))) for number, cells in enumerate(rows, 2)
    ]
    return Import(Converter(mapping(), NOW), door, refused).run(numbered)


def figures(summary: Summary) -> tuple[int, int, int, int]:
    assert summary.read == summary.recorded + summary.known + summary.refused
    return summary.read, summary.recorded, summary.known, summary.refused


def reasons(summary: Summary) -> list[str]:
    assert summary.refused_file is not None
    text = summary.refused_file.read_text(encoding="utf-8-sig")
    return text.splitlines()[1:]


def test_every_row_is_recorded_once_and_known_the_second_time(tmp_path: Path) -> None:
    door, rows = Door(), [row(number) for number in range(1, BATCH + 3)]
    first = ran(tmp_path, door, *rows)
    assert figures(first) == (BATCH + 2, BATCH + 2, 0, 0)
    assert (first.replied, first.refused_file, door.sizes) == (BATCH + 2, None, [BATCH, 2])
    second = ran(tmp_path, door, *rows)
    assert figures(second) == (BATCH + 2, 0, BATCH + 2, 0)
    assert second.replied == 0


def test_repeats_and_answers_are_counted_among_the_recorded(tmp_path: Path) -> None:
    door = Door()
    door.repeats = {"2"}
    summary = ran(tmp_path, door, row(1), row(2, Answer=None, Answered=None))
    assert (summary.recorded, summary.repeated, summary.replied) == (2, 1, 1)


def test_rows_refused_here_and_there_stand_in_the_file_in_their_order(tmp_path: Path) -> None:
    door = Door()
    door.refuses = {"1"}
    summary = ran(tmp_path, door, row(1), row(2), row(3, Title=None))
    assert figures(summary) == (3, 1, 0, 2)
    there, here = reasons(summary)
    assert there.endswith(",2,Details,Details: Write it.,")
    assert here.endswith(",4,Title,Title: The cell is empty: fill it in.,")


def test_two_rows_of_one_id_are_one_case_if_they_are_the_same(tmp_path: Path) -> None:
    assert figures(ran(tmp_path, Door(), row(1), row(1))) == (2, 1, 1, 0)


def test_the_second_row_of_an_id_does_not_vanish_if_it_says_something_else(tmp_path: Path) -> None:
    summary = ran(tmp_path, Door(), row(1), row(1, Details="Another lamp."), row(1))
    assert figures(summary) == (3, 1, 1, 1)
    [reason] = reasons(summary)
    assert "No.: Row 2 has the same id and other content" in reason


def test_warnings_are_listed_up_to_a_thousand_and_then_counted(tmp_path: Path) -> None:
    rows = (row(number, Answered="2024/4/3") for number in range(MOST_WARNINGS + 5))
    summary = ran(tmp_path, Door(), *rows)
    assert (len(summary.warnings), summary.more_warnings) == (MOST_WARNINGS, 5)


def test_a_refused_row_gives_no_warning(tmp_path: Path) -> None:
    door = Door()
    door.refuses = {"1"}
    assert ran(tmp_path, door, row(1, Answered="2024/4/3")).warnings == []


def test_where_the_other_side_stays_away_the_refused_rows_so_far_are_kept(tmp_path: Path) -> None:
    def away(commands: Sequence[SubmitCase]) -> list[Receipt]:
        raise Unavailable("away")

    refused = RefusedRows(tmp_path / "refused.csv", HEADERS, mapping())
    bad = [Row(2, {"No.": 1})] * BATCH
    good = [Row(BATCH + 2, dict(zip(HEADERS, row(1), strict=True)))]
    run = Import(Converter(mapping(), NOW), away, refused)
    with pytest.raises(Unavailable):
        run.run([*bad, *good])
    assert (run.summary.read, run.summary.refused) == (BATCH, BATCH)
    assert len(reasons(run.summary)) == BATCH


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[int] = []
    refused = RefusedRows(tmp_path / "refused.csv", HEADERS, mapping())
    rows = [
        Row(number, dict(zip(HEADERS, row(number), strict=True))) for number in range(BATCH + 1)
    ]
    Import(Converter(mapping(), NOW), Door(), refused, told.append).run(rows)
    assert told == [BATCH, BATCH + 1]
