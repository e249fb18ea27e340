"""Registers imported into the running house: everything recorded once, every wrong row named."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from services.intake import logic
from services.intake.importing.convert import Converter
from services.intake.importing.mapping import load_mapping
from services.intake.importing.readers import open_table
from services.intake.importing.refused import COLUMN, REASON, ROW, RefusedRows
from services.intake.importing.run import Import, Summary
from services.intake.importing.senders import BATCH, Receipt, Sender, through
from services.intake.service import INTAKE
from shared.domain.commands import SubmitCase
from shared.domain.errors import Unavailable
from shared.policy.holder import PolicyHolder
from shared.runtime.http import application
from tests.support.machine import POLICIES, Machine, machine, storage_of
from tests.support.registers import HEADERS, MAPPING, row, workbook
from tests.support.serving import served

EXAMPLES = Path(__file__).parents[2] / "examples"
BOARD = EXAMPLES / "mappings" / "message-board.yaml"


@dataclass(frozen=True)
class Break:
    """One way to break a row: what is put into it by field, and what is said about it."""

    cells: Mapping[str, object]
    field: str
    reason: str


BREAKS = (
    Break({"recorded_at": "the day before yesterday"}, "recorded_at", "is no time in any of"),
    Break({"recorded_at": "2099/1/4 08:00:00"}, "recorded_at", "lies in the future"),
    Break({"recorded_at": "1999/12/31 08:00:00"}, "recorded_at", "calendar begins on"),
    Break({"answer.at": "2011/1/4 08:00:00"}, "answer.at", "before the case was recorded"),
    Break({"answer.at": None}, "answer.at", "The cell is empty"),
    Break({"answer.text": " "}, "answer.text", "The cell is empty"),
    Break({"external_id": None}, "external_id", "The cell is empty"),
    Break({"subject": "#REF!"}, "subject", "A formula failed here"),
    Break({"subject": "Bell_x0007_"}, "subject", "control characters"),
    Break({"text": "\n\t"}, "text", "needs `text`"),
)


def broken(rows: list[list[object]], columns: Sequence[str], first: int) -> dict[int, Break]:
    """Break every third row from `first` (a spreadsheet's number) on; which were broken how."""
    done = {}
    for number, each in zip(range(first, first + 3 * len(BREAKS), 3), BREAKS, strict=True):
        for field, value in each.cells.items():
            rows[number - 2][columns.index(field)] = value
        done[number] = each
    return done


def told(refused: Path | None) -> dict[int, tuple[str, str]]:
    """Column and reason of each refused row, by its number."""
    assert refused is not None
    with refused.open(encoding="utf-8-sig", newline="") as file:
        return {int(each[ROW]): (each[COLUMN], each[REASON]) for each in csv.DictReader(file)}


def check_refused(
    summary: Summary, done: Mapping[int, Break], header_of: Mapping[str, str]
) -> None:
    """Exactly the broken rows were refused, each with its column and its reason."""
    found = told(summary.refused_file)
    assert found.keys() == done.keys()
    for number, each in done.items():
        column, reason = found[number]
        assert column == header_of[each.field]
        assert each.reason in reason
    assert summary.refused == len(done)
    assert summary.read == summary.recorded + summary.known + summary.refused


def concentric(*arguments: object, code: int = 0) -> str:
    """What a command of ours prints to its standard output, or to the other one if it fails."""
    command = [sys.executable, "-c", "from services.cli.main import app; app()"]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


def imported(file: Path, mapping: Path, *options: object) -> Summary:
    """The figures of `concentric import`."""
    printed = concentric("import", file, "--mapping", mapping, "--json", *options)
    return Summary.model_validate_json(printed)


# ── a register of our own ────────────────────────────────────────────────────────────────────


@pytest.fixture
def mapping_file(tmp_path: Path) -> Path:
    (tmp_path / "mapping.yaml").write_text(f"policy: {POLICIES}/message-board.yaml\n{MAPPING}")
    return tmp_path / "mapping.yaml"


@pytest.fixture
def register(tmp_path: Path, mapping_file: Path) -> tuple[Path, dict[int, Break]]:
    """Forty rows, ten of them broken; one repeats another, one has a date without a time."""
    rows = [row(number) for number in range(1, 41)]
    rows[1][HEADERS.index("Answered")] = "2024/4/24"
    rows[2][HEADERS.index("Answer")] = rows[2][HEADERS.index("Answered")] = None
    rows[3][HEADERS.index("Received")] = datetime.fromisoformat("2024-04-01 10:00")
    for header in ("Title", "Details"):
        rows[3][HEADERS.index(header)] = rows[0][HEADERS.index(header)]
    columns = [load_mapping(mapping_file).columns[header] for header in HEADERS]
    done = broken(rows, columns, first=7)
    return workbook(tmp_path / "register.xlsx", [HEADERS, *rows]), done


@pytest.fixture(scope="module")
def policy() -> PolicyHolder:
    return PolicyHolder(POLICIES / "message-board.yaml")


@pytest.fixture
def intake(policy: PolicyHolder, tmp_path: Path) -> Iterator[Machine]:
    with machine(INTAKE, storage_of(INTAKE, tmp_path), policy, tmp_path) as running:
        yield running


def run(
    file: Path,
    mapping: Path,
    intake: Machine,
    between: Callable[[Sender], Sender] = lambda send: send,
) -> Summary:
    """An import through the door of an intake in this process."""
    chosen, now = load_mapping(mapping), datetime.now(UTC)
    policy = intake.host.context().policy
    converter = Converter(chosen, now, lambda given: logic.problems(given, policy, now))
    with open_table(file, chosen) as table:
        refused = RefusedRows(file.with_suffix(".refused.csv"), table.headers, chosen)
        send = between(through(intake.host.gateway))
        return Import(converter, send, refused).run(table.rows)


def test_the_command_records_what_is_right_and_names_what_is_wrong(
    tmp_path: Path, mapping_file: Path, register: tuple[Path, dict[int, Break]]
) -> None:
    file, done = register
    data = tmp_path / "var"
    first = imported(file, mapping_file, "--data", data)
    assert (first.read, first.recorded, first.known) == (40, 30, 0)
    assert (first.repeated, first.replied) == (1, 29)
    check_refused(first, done, _headers(mapping_file))
    [warning] = first.warnings
    assert (warning.row, warning.column, warning.text) == (3, "Answered", "2024/4/24")
    assert warning.read_as == "2024-04-24T23:59:59.999999+08:00"

    second = imported(file, mapping_file, "--data", data, "--refused", tmp_path / "again.csv")
    assert (second.read, second.recorded, second.known, second.refused) == (40, 0, 30, 10)
    assert told(second.refused_file) == told(first.refused_file)

    report = json.loads(concentric("report", "--json", "--data", data))
    assert (report["cases"], report["open"], report["closed"]) == (30, 1, 29)
    concentric("audit", "--data", data)


def test_refused_rows_that_were_mended_are_imported_from_their_file(
    tmp_path: Path, mapping_file: Path, register: tuple[Path, dict[int, Break]], intake: Machine
) -> None:
    file, done = register
    refused = run(file, mapping_file, intake).refused_file
    assert refused is not None
    with refused.open(encoding="utf-8-sig", newline="") as source:
        reader = csv.DictReader(source)
        rows, names = list(reader), list(reader.fieldnames or ())
    for each in rows:
        right = dict(zip(HEADERS, row(int(each[ROW]) - 1), strict=True))
        each.update({name: f"{value}" for name, value in right.items()})
    with (tmp_path / "mended.csv").open("w", encoding="utf-8-sig", newline="") as target:
        writer = csv.DictWriter(target, names)
        writer.writeheader()
        writer.writerows(rows)
    mended = run(tmp_path / "mended.csv", mapping_file, intake)
    assert (mended.read, mended.recorded, mended.refused) == (len(done), len(done), 0)


def test_over_http_the_figures_and_the_refused_rows_are_the_same(
    tmp_path: Path,
    mapping_file: Path,
    register: tuple[Path, dict[int, Break]],
    intake: Machine,
) -> None:
    file, done = register
    with served(application([intake.host], intake.host.metrics)) as address:
        options = ("--url", address, "--data", tmp_path / "var")
        first = imported(file, mapping_file, *options)
        second = imported(file, mapping_file, *options)
    assert (first.read, first.recorded, first.known) == (40, 30, 0)
    assert (first.repeated, first.replied, len(first.warnings)) == (1, 29, 1)
    check_refused(first, done, _headers(mapping_file))
    assert (second.recorded, second.known, second.refused) == (0, 30, 10)


def test_an_import_that_was_interrupted_goes_on_where_it_was(
    tmp_path: Path, mapping_file: Path, intake: Machine
) -> None:
    file = workbook(tmp_path / "a.xlsx", [HEADERS, *(row(number) for number in range(BATCH + 50))])

    def interrupted(send: Sender) -> Sender:
        def once(commands: Sequence[SubmitCase]) -> list[Receipt]:
            if len(commands) < BATCH:
                raise Unavailable("pulled the plug")
            return send(commands)

        return once

    with pytest.raises(Unavailable):
        run(file, mapping_file, intake, interrupted)
    second = run(file, mapping_file, intake)
    assert (second.recorded, second.known, second.refused) == (50, BATCH, 0)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("other.csv", "id,name\n1,A\n", "missing: `No.`, `Who`, `Title`"),
        ("empty.xlsx", "", "It is empty"),
        ("page.xlsx", "<html></html>", "no Excel workbook in spite of its name"),
    ],
)
def test_a_wrong_file_is_refused_by_the_command_with_what_is_wrong(
    tmp_path: Path, mapping_file: Path, name: str, content: str, reason: str
) -> None:
    (tmp_path / name).write_text(content)
    options = ("--mapping", mapping_file, "--data", tmp_path / "var")
    assert reason in concentric("import", tmp_path / name, *options, code=2)


def test_where_nobody_answers_the_command_says_so(tmp_path: Path, mapping_file: Path) -> None:
    file = workbook(tmp_path / "a.xlsx", [HEADERS, row(1)])
    options = ("--mapping", mapping_file, "--url", "http://127.0.0.1:9", "--data", tmp_path)
    assert "nobody answers" in concentric("import", file, *options, code=2)


def test_the_example_in_csv_is_imported_as_it_stands(tmp_path: Path) -> None:
    example = EXAMPLES / "cases" / "complaints.csv"
    summary = imported(example, EXAMPLES / "mappings" / "csv.yaml", "--data", tmp_path)
    assert (summary.read, summary.recorded, summary.refused, summary.repeated) == (10, 10, 0, 1)


# ── the message board ────────────────────────────────────────────────────────────────────────


@pytest.mark.timeout(400)
def test_the_message_board_is_recorded_whole_and_known_the_second_time(
    tmp_path: Path, message_board: Path
) -> None:
    file = message_board / "message-board-2011-2020.xlsx"
    first = imported(file, BOARD, "--data", tmp_path)
    assert (first.read, first.recorded, first.refused, first.known) == (2816, 2816, 0, 0)
    assert first.replied == 2816
    [warning] = first.warnings
    assert (warning.row, warning.column, warning.text) == (1141, "答复时间", "2018/4/24")
    assert warning.read_as == "2018-04-24T23:59:59.999999+08:00"
    second = imported(file, BOARD, "--data", tmp_path)
    assert (second.read, second.recorded, second.refused, second.known) == (2816, 0, 0, 2816)
    concentric("audit", "--data", tmp_path)


@pytest.mark.timeout(400)
def test_a_message_board_with_ten_broken_rows_is_recorded_but_for_those(
    tmp_path: Path, message_board: Path, intake: Machine
) -> None:
    book = load_workbook(message_board / "message-board-2011-2020.xlsx", read_only=True)
    rows: list[list[object]] = [[*each] for each in book.worksheets[0].iter_rows(values_only=True)]
    book.close()
    headers = rows.pop(0)
    columns: list[Any] = [load_mapping(BOARD).columns[f"{header}"] for header in headers]
    done = broken(rows, columns, first=1200)
    summary = run(workbook(tmp_path / "board.xlsx", [headers, *rows]), BOARD, intake)
    assert (summary.read, summary.recorded, summary.known) == (2816, 2806, 0)
    check_refused(summary, done, _headers(BOARD))
    assert [warning.row for warning in summary.warnings] == [1141]


def _headers(mapping: Path) -> dict[str, str]:
    return {field: header for header, field in load_mapping(mapping).columns.items()}
