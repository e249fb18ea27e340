"""Registers as rows: spreadsheets, CSV and JSON lines, and every file that is none."""

import re
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from services.intake.importing.mapping import Mapping
from services.intake.importing.readers import open_table
from services.intake.importing.tables import Row
from services.intake.importing.workbook import open_xlsx
from shared.domain.errors import ConfigurationError
from tests.support.registers import HEADERS, mapping, row, workbook

TWO = """
source: register
time_zone: UTC
constants: {channel: message-board}
columns: {id: external_id, title: subject}
"""


def two(more: str = "") -> Mapping:
    """A mapping of the columns `id` and `title` alone."""
    return mapping(more, TWO)


def rows_of(path: Path, by: Mapping) -> list[Row]:
    with open_table(path, by) as table:
        return list(table.rows)


def refusal(path: Path, by: Mapping, **limits: int) -> str:
    with pytest.raises(ConfigurationError) as refused, open_table(path, by, **limits) as table:
        list(table.rows)
    assert str(path) in str(refused.value)
    return str(refused.value)


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def tampered(path: Path, old: bytes, new: bytes) -> Path:
    """The workbook with something replaced in the XML of its sheet."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert old in parts[sheet]
    parts[sheet] = parts[sheet].replace(old, new)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


# ── spreadsheets ─────────────────────────────────────────────────────────────────────────────


def test_a_workbook_is_read_with_the_row_numbers_of_the_spreadsheet(tmp_path: Path) -> None:
    when = datetime.fromisoformat("2024-04-01 09:05")
    path = workbook(tmp_path / "a.xlsx", [HEADERS, row(1, Received=when), [], row(3), [None] * 7])
    found = rows_of(path, mapping())
    assert [(each.number, each.cells["No."]) for each in found] == [(2, 1), (4, 3)]
    assert found[0].cells["Received"] == when


def test_a_workbook_that_states_a_wrong_size_is_read_whole(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [HEADERS, *(row(number) for number in range(1, 6))])
    tampered(path, b"<sheetData>", b'<dimension ref="A1"/><sheetData>')
    found = rows_of(path, mapping())
    assert len(found) == 5
    assert set(found[0].cells) == set(HEADERS)


def test_a_sheet_and_the_row_of_the_headers_can_be_named(tmp_path: Path) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(["Notes"])
    cases = book.create_sheet("Cases")
    for cells in (["Register of 2026"], [], ["id", "title"], [1, "A"]):
        cases.append(cells)
    book.save(tmp_path / "a.xlsx")
    found = rows_of(tmp_path / "a.xlsx", two("format: {sheet: Cases, header_row: 3}"))
    assert [(each.number, dict(each.cells)) for each in found] == [(4, {"id": 1, "title": "A"})]
    told = refusal(tmp_path / "a.xlsx", two("format: {sheet: Case}"))
    assert "no sheet `Case`: found were `Sheet`, `Cases`" in told


def test_control_characters_that_excel_escapes_are_read_as_such(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "title"], [1, "A_x000D_\nB_x0007_"]])
    assert rows_of(path, two())[0].cells["title"] == "A\r\nB\x07"


def test_a_formula_counts_with_its_last_value_and_is_empty_without_one(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "title"], [1, "=1+1"]])
    assert rows_of(path, two())[0].cells["title"] is None


def test_an_empty_sheet_is_said_to_be_empty(tmp_path: Path) -> None:
    assert "`Sheet1` is empty" in refusal(workbook(tmp_path / "a.xlsx", []), two())
    only_title = workbook(tmp_path / "b.xlsx", [["Register"]])
    assert "Row 2 is empty" in refusal(only_title, two("format: {header_row: 2}"))


@pytest.mark.parametrize(
    ("name", "content", "mend"),
    [
        ("a.xlsx", b"id,title\n1,A\n", "no Excel workbook in spite of its name"),
        ("a.csv", b"PK\x03\x04rest", "let the name end in .xlsx"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "save it as .xlsx without a password"),
        ("a.xlsx", b"PK\x03\x04rest", "is damaged"),
        ("a.xlsx", b"", "It is empty"),
        ("a.csv", b"", "It is empty"),
        ("a.jsonl", b"", "It is empty"),
        ("a.pdf", b"%PDF", "give `format.kind` in the mapping"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_it_is(
    tmp_path: Path, name: str, content: bytes, mend: str
) -> None:
    assert mend in refusal(written(tmp_path / name, content), two())


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    assert "is damaged" in refusal(tmp_path / "a.xlsx", two())


def test_a_workbook_that_is_damaged_half_way_says_after_which_row(tmp_path: Path) -> None:
    rows = ([number, f"Title {number}"] for number in range(3_000))
    path = workbook(tmp_path / "a.xlsx", [["id", "title"], *rows])
    tampered(path, b"<sheetData>", b'<dimension ref="A1:B3001"/><sheetData>')
    tampered(path, b'<row r="2900"', b'<row r="2900" <<')
    told = refusal(path, two())
    assert re.search(r"is damaged after row \d{3,}.*save it again", told)


def test_a_workbook_made_to_burst_the_memory_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "title"], [1, "A" * 30_000]])
    with (
        pytest.raises(ConfigurationError, match=r"would unpack to [\d,]+ bytes, at most 10,000"),
        open_xlsx(path, two().format, largest=10_000),
    ):
        pass


def test_a_file_that_is_too_large_or_not_there_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "id,title\n1,A\n")
    assert "has 13 bytes, at most 12 are read: split it" in refusal(path, two(), largest=12)
    assert "No such file" in refusal(tmp_path / "b.csv", two())
    (tmp_path / "c.csv").mkdir()
    assert "Is a directory" in refusal(tmp_path / "c.csv", two())


# ── columns ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_other_columns_are_refused_naming_the_missing_and_the_found(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "xlsx":
        workbook(path, [["id", "name", "city"], [1, "A", "B"]])
    else:
        written(path, "id,name,city\n1,A,B\n")
    told = refusal(path, two())
    assert "are missing: `title`. Found were: `id`, `name`, `city`" in told


def test_a_header_that_stands_twice_is_refused_only_where_it_is_meant(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "id,title,note,note\n1,A,x,y\n")
    cells = {"id": "1", "title": "A", "note": "x", "note (2)": "y"}
    assert rows_of(path, two())[0].cells == cells
    path = written(tmp_path / "b.csv", "id,title,title\n1,A,B\n")
    assert "more than once: `title`" in refusal(path, two())


def test_headers_are_compared_without_their_white_space(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", '\ufeff id ,"title\n",,\n1,A,B,\n')
    assert rows_of(path, two())[0].cells == {"id": "1", "title": "A"}


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_in_the_first_encoding_that_fits(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "a.csv", "id,title\r\n1,路灯不亮\r\n".encode(encoding))
    assert rows_of(path, two())[0].cells == {"id": "1", "title": "路灯不亮"}


def test_csv_in_no_accepted_encoding_says_where_it_stops_to_fit(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", b"id,title\n1,A\n2,\xff\xff\n")
    told = refusal(path, two("format: {encodings: [utf-8, gb18030]}"))
    assert "`utf-8` (line 3), `gb18030` (line 3)" in told
    assert "format.encodings" in told


def test_excels_unicode_text_says_what_to_add_and_is_read_with_it(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "id\ttitle\n1\t路灯\n".encode("utf-16"))
    assert "add `utf-16`" in refusal(path, two())
    by = two('format: {encodings: [utf-16], delimiter: "\\t"}')
    assert rows_of(path, by)[0].cells == {"id": "1", "title": "路灯"}


def test_csv_rows_count_as_in_a_spreadsheet_however_many_lines_a_cell_has(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'id,title\n1,"A\nB, ""C"""\n\n2,D\n')
    found = rows_of(path, two())
    assert [(each.number, each.cells["title"]) for each in found] == [(2, 'A\nB, "C"'), (4, "D")]


def test_a_csv_row_that_cannot_be_split_is_refused_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'id,title\n1,"A"B"\n2,C\n3,D,E\n4,F,,\n')
    bad, good, long, padded = rows_of(path, two())
    assert bad.number == 2
    assert bad.raw == '1,"A"B"'
    assert "double the marks" in (bad.flaw or "")
    assert "has 3 cells under 2 headers" in (long.flaw or "")
    assert (good.number, good.flaw, padded.flaw) == (3, None, None)


def test_a_quotation_mark_that_is_never_closed_ends_the_import_and_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'id,title\n1,A\n2,"B\n' + "3,C\n" * 100)
    assert "In row 3 a quotation mark is opened and not closed" in refusal(path, two())


def test_a_cell_of_ten_megabytes_does_not_end_the_import(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", f"id,title\n1,{'A' * 10_000_000}\n2,B\n")
    assert [len(f"{each.cells['title']}") for each in rows_of(path, two())] == [10_000_000, 1]


def test_csv_with_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path / "a.csv", "id,title"), two()) == []
    told = refusal(written(tmp_path / "b.csv", "\n\n"), two())
    assert "Row 1 is empty" in told
    told = refusal(written(tmp_path / "c.csv", "id\n"), two("format: {header_row: 4}"))
    assert "Row 4 holds no headers" in told


# ── JSON lines ───────────────────────────────────────────────────────────────────────────────


def test_json_lines_are_read_with_inner_objects_as_columns(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.jsonl",
        '\ufeff{"id": 1, "title": "A", "by": {"name": {"first": "B"}}}\n\n{"id": 2, "title": "C"}',
    )
    first, second = rows_of(path, two())
    assert first.cells == {"id": 1, "title": "A", "by.name.first": "B"}
    assert (second.number, second.cells) == (3, {"id": 2, "title": "C"})


def test_json_lines_need_only_the_columns_that_every_case_needs(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"No.": 1, "Title": "A"}\n')
    assert len(rows_of(path, mapping())) == 1
    assert "missing: `Title`" in refusal(written(path, '{"No.": 1, "Who": "A"}\n'), mapping())


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        (b"{'id': 1}", "not JSON"),
        (b'["id", 1]', "a JSON list, not an object"),
        (b'"id"', "a JSON text, not an object"),
        (b"7", "a JSON value, not an object"),
        (b'{"id": 2, "title": "\xff"}', "Byte 21 is not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"id": ' + b"1" * 5_000 + b"}", "too long a number"),
    ],
)
def test_a_line_that_is_no_object_is_refused_alone(tmp_path: Path, line: bytes, flaw: str) -> None:
    good = b'{"id": 1, "title": "A"}'
    bad = rows_of(written(tmp_path / "a.jsonl", b"\n".join((good, line, good))), two())
    assert [each.flaw is None for each in bad] == [True, False, True]
    assert flaw in (bad[1].flaw or "")
    assert bad[1].raw == line.decode(errors="replace")
    told = refusal(written(tmp_path / "b.jsonl", line), two())
    assert "Line 1: " in told
    assert "one object a line" in told


def test_a_file_without_line_breaks_is_not_read_into_memory(tmp_path: Path) -> None:
    long = b'{"id": 1, "title": "' + b"A" * 17_000_000 + b'"}'
    good = b'{"id": 1, "title": "A"}\n'
    told = refusal(written(tmp_path / "a.jsonl", good + long), two())
    assert "Line 2 is longer than 16,777,216 bytes" in told
    assert "holds no rows" in refusal(written(tmp_path / "b.jsonl", "\n\n"), two())
