"""Refused rows lie in a file that can be mended and imported again."""

import csv
import json
import stat
from datetime import datetime
from pathlib import Path

import pytest

from services.intake.importing.convert import Converter, Flaw
from services.intake.importing.mapping import Mapping
from services.intake.importing.readers import open_table
from services.intake.importing.refused import COLUMN, REASON, ROW, TEXT, RefusedRows
from services.intake.importing.tables import Row
from shared.domain.errors import ConfigurationError
from tests.support.registers import HEADERS, NOW, mapping, row

FLAWS = [Flaw("Title", "missing", "Fill it in."), Flaw(None, "other", "Wrong altogether.")]


def written(
    path: Path, *cells: list[object], headers: tuple[str, ...] = HEADERS, by: Mapping | None = None
) -> Path:
    refused = RefusedRows(path, headers, by or mapping())
    for number, each in enumerate(cells, 2):
        refused.add(Row(number, dict(zip(headers, each, strict=True))), FLAWS)
    refused.close()
    assert refused.written == path
    return path


def records(path: Path, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


def test_without_a_refused_row_there_is_no_file(tmp_path: Path) -> None:
    refused = RefusedRows(tmp_path / "a.csv", HEADERS, mapping())
    refused.close()
    assert refused.written is None
    assert list(tmp_path.iterdir()) == []


def test_a_refused_row_keeps_its_columns_and_adds_row_column_and_reason(tmp_path: Path) -> None:
    [kept] = records(written(tmp_path / "new" / "a.csv", row(7, Title=None)))
    assert kept["No."] == "7"
    assert kept["Details"] == "Lamp 7 at the corner has been dark for a week."
    assert (kept[ROW], kept[COLUMN], kept[TEXT]) == ("2", "Title", "")
    assert kept[REASON] == "Title: Fill it in. Wrong altogether."


def test_only_the_owner_can_read_the_file_because_it_holds_personal_data(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", row(7))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("formula", ["=HYPERLINK(1)", "@SUM(1)", "+cmd|' /C calc'!A0", "\n\t=1+1"])
def test_a_spreadsheet_will_not_run_what_strangers_wrote(tmp_path: Path, formula: str) -> None:
    [kept] = records(written(tmp_path / "a.csv", row(7, Title=formula, Who="+86 571-1234")))
    assert kept["Title"] == f"'{formula}"
    assert kept["Who"] == "+86 571-1234"


def test_a_mended_file_is_imported_with_the_same_mapping(tmp_path: Path) -> None:
    received = datetime.fromisoformat("2024-04-01 09:05")
    given = row(7, Received=received, Answered=datetime.fromisoformat("2024-04-03"))
    path = written(tmp_path / "a.csv", given)
    first = Converter(mapping(), NOW).convert(Row(2, dict(zip(HEADERS, given, strict=True))))
    with open_table(path, mapping()) as table:
        [mended] = table.rows
    again = Converter(mapping(), NOW).convert(mended)
    assert first.command is not None
    assert again.command == first.command
    assert [warning.read_as for warning in again.warnings] == ["2024-04-03T23:59:59.999999+08:00"]


def test_reasons_of_an_earlier_import_are_replaced(tmp_path: Path) -> None:
    headers = (*HEADERS, ROW, COLUMN, REASON, TEXT)
    path = written(tmp_path / "a.csv", [*row(7), "99", "Old", "Old.", ""], headers=headers)
    [kept] = records(path)
    assert list(kept) == list(headers)
    assert (kept[ROW], kept[COLUMN]) == ("2", "Title")


def test_the_file_is_in_an_encoding_and_with_a_delimiter_that_the_mapping_reads(
    tmp_path: Path,
) -> None:
    by = mapping('format: {encodings: [gb18030], delimiter: ";"}')
    path = written(tmp_path / "a.csv", row(7, Title="路灯;不亮\ud800"), by=by)
    content = path.read_text(encoding="gb18030")
    assert '"路灯;不亮\\ud800"' in content


def test_json_lines_are_refused_as_json_lines(tmp_path: Path) -> None:
    refused = RefusedRows(tmp_path / "a.jsonl", ("No.", "Title"), mapping())
    refused.add(Row(2, {"No.": 1, "Title": "路灯"}), FLAWS)
    refused.add(Row(3, {}, "This is not JSON.", "{"), [Flaw(None, "c", "This is not JSON.")])
    refused.close()
    first, second = map(json.loads, refused.path.read_text(encoding="utf-8").splitlines())
    assert (first["No."], first["Title"], first[ROW], first[COLUMN]) == (1, "路灯", 2, "Title")
    assert second == {ROW: 3, COLUMN: "", REASON: "This is not JSON.", TEXT: "{"}


def test_a_file_that_cannot_be_written_says_how_to_name_another(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    refused = RefusedRows(tmp_path / "a.csv", HEADERS, mapping())
    with pytest.raises(ConfigurationError, match="name another file with --refused"):
        refused.add(Row(2, {}), FLAWS)
