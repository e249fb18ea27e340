"""Rows become cases, or everything that is wrong with them is told."""

from datetime import UTC, datetime, time
from typing import Any

import pytest

from services.intake.importing.convert import Converted, Converter, Flaw
from services.intake.importing.mapping import Mapping
from services.intake.importing.tables import Row
from shared.domain.case import Kind, Submission
from shared.domain.commands import SubmitCase
from shared.domain.errors import Problem
from tests.support.registers import HEADERS, NOW, mapping, row

RECEIVED, ANSWERED = "2024/4/1 9:05:00", "2024/4/3 16:00:00"


def converted(by: Mapping | None = None, **changes: object) -> Converted:
    cells = dict(zip(HEADERS, row(7, **changes), strict=True))
    return Converter(by or mapping(), NOW).convert(Row(12, cells))


def command(by: Mapping | None = None, **changes: object) -> SubmitCase:
    found = converted(by, **changes)
    assert found.command is not None, found.flaws
    return found.command


def flaws(by: Mapping | None = None, **changes: object) -> list[tuple[str | None, str]]:
    found = converted(by, **changes)
    assert found.command is None
    return [(flaw.column, flaw.code) for flaw in found.flaws]


def test_a_row_becomes_a_case_with_its_answer() -> None:
    assert command() == SubmitCase.model_validate(
        {
            "source": "register",
            "external_id": "7",
            "channel": "message-board",
            "subject": "Street lamp 7 is dark",
            "text": "Lamp 7 at the corner has been dark for a week.",
            "recorded_at": "2024-04-01T09:05:00+08:00",
            "informant": {"ref": "resident-7"},
            "answer": {"text": "Lamp 7 has been mended.", "at": "2024-04-03T16:00:00+08:00"},
        }
    )


def test_a_subject_is_one_line_and_a_text_keeps_its_lines() -> None:
    found = command(Title="\n\t Lamp\r\n is\tdark\u3000", Details="\n\t\tDark.\r\nVery\tdark.\r\n")
    assert found.subject == "Lamp is dark"
    assert found.text == "Dark.\nVery\tdark."


@pytest.mark.parametrize(
    ("cell", "text"),
    [(7, "7"), (7.0, "7"), ("007", "007"), (7.5, "7.5"), (10**17 + 1, "1" + "0" * 16 + "1")],
)
def test_an_id_is_the_number_that_the_spreadsheet_shows(cell: object, text: str) -> None:
    assert command(No=cell).external_id == text


def test_a_number_that_lost_digits_is_no_id() -> None:
    found = converted(No=2.0190408083720e19)
    assert [flaw.column for flaw in found.flaws] == ["No."]
    assert "has lost the others: format the column as text" in found.flaws[0].message


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (3.25, "3.25"),
        (True, "true"),
        (datetime.fromisoformat("2024-04-01 09:05"), "2024-04-01 09:05:00"),
    ],
)
def test_what_a_spreadsheet_took_for_something_else_stays_a_text(cell: object, text: str) -> None:
    assert command(Title=cell).subject == text


@pytest.mark.parametrize(
    "cell", ["#N/A", " #REF! ", "#DIV/0!", float("nan"), float("inf"), ["a"], time(9)]
)
def test_a_cell_that_holds_no_value_is_refused(cell: object) -> None:
    assert flaws(Title=cell) == [("Title", "bad-cell")]


@pytest.mark.parametrize("empty", [None, "", " \n\t"])
def test_a_row_without_an_answer_is_a_case_without_one(empty: object) -> None:
    assert command(Answer=empty, Answered=empty).answer is None


def test_half_an_answer_is_refused_in_the_column_that_is_empty() -> None:
    assert converted(Answer=None).flaws == (
        Flaw("Answer", "missing", "The cell is empty: fill it in."),
    )
    assert flaws(Answered=" ") == [("Answered", "missing")]


def test_all_that_is_wrong_with_a_row_is_told_at_once() -> None:
    assert flaws(
        No=None, Who="a\x07b", Title="A" * 501, Received="soon", Details="a\x00b", Answered="x"
    ) == [
        ("Received", "not-a-time"),
        ("Answered", "not-a-time"),
        ("No.", "missing"),
        ("Title", "too-long"),
        ("Details", "forbidden-characters"),
        ("Who", "forbidden-characters"),
    ]


def test_ten_megabytes_of_text_are_too_much_for_a_case() -> None:
    assert flaws(Details="A" * 10_000_000) == [("Details", "too-long")]


def test_half_a_character_is_refused() -> None:
    assert flaws(Title="a\ud800b") == [("Title", "forbidden-characters")]


def test_no_flaw_repeats_what_stands_in_the_cell() -> None:
    told = " ".join(map(str, converted(Who="Secret\x07", Received="Secret", No="#N/A").flaws))
    assert "Secret" not in told


def test_a_row_that_cannot_be_read_says_so_without_a_column() -> None:
    found = Converter(mapping(), NOW).convert(Row(3, {}, "This is not JSON.", "{"))
    assert found.flaws == (Flaw(None, "unreadable-row", "This is not JSON."),)


# ── dates without a time ─────────────────────────────────────────────────────────────────────


def test_a_date_without_a_time_is_read_with_a_warning_that_says_how() -> None:
    found = converted(Answered="2024/4/3")
    assert found.command is not None
    assert found.command.answer is not None
    assert found.command.answer.at == datetime(2024, 4, 3, 15, 59, 59, 999999, tzinfo=UTC)
    [warning] = found.warnings
    assert warning.model_dump() == {
        "row": 12,
        "column": "Answered",
        "text": "2024/4/3",
        "read_as": "2024-04-03T23:59:59.999999+08:00",
        "message": "A date without a time of day, read as the last moment of the day.",
    }


def test_a_recording_without_a_time_starts_with_its_day() -> None:
    found = converted(Received=datetime.fromisoformat("2024-04-01"))
    assert found.command is not None
    assert found.command.recorded_at == datetime(2024, 3, 31, 16, tzinfo=UTC)
    assert [(each.text, each.message.split(", ")[1]) for each in found.warnings] == [
        ("2024-04-01", "read as the first moment of the day.")
    ]


def test_an_answer_of_today_was_given_by_now_at_the_latest() -> None:
    found = converted(Answered="2026/5/4")
    assert found.command is not None
    assert found.command.answer is not None
    assert found.command.answer.at == NOW
    assert "since the day has not ended" in found.warnings[0].message


# ── constants, translations, attributes ──────────────────────────────────────────────────────


def test_constants_fill_every_case_and_words_are_translated() -> None:
    by = _translating()
    found = command(by, Who="投诉", Details="  street\nlamp ")
    assert found.kind is Kind.COMPLAINT
    assert found.channel == "hotline"
    assert found.attributes == {"customer": "school", "floors": 4, "lamp": "street lamp"}
    assert flaws(by, Who="谣言") == [("Who", "unknown-value")]


def _translating() -> Mapping:
    return mapping(
        "values: {kind: {投诉: complaint, 咨询: problem}}",
        """
        source: register
        time_zone: UTC
        constants: {channel: hotline, attributes.customer: school, attributes.floors: 4}
        columns: {"No.": external_id, Title: subject, Who: kind, Details: attributes.lamp}
        """,
    )


@pytest.mark.parametrize(
    ("cell", "kept"), [(3, 3), (3.0, 3), (3.5, "3.5"), (True, True), ("4", "4")]
)
def test_an_attribute_stays_a_number_or_a_yes_where_it_can(cell: object, kept: object) -> None:
    attribute = command(_translating(), Who="投诉", Details=cell).attributes["lamp"]
    assert (attribute, type(attribute)) == (kept, type(kept))


def test_who_answers_all_cases_has_not_answered_one_without_an_answer() -> None:
    by = mapping(text=MAPPING_WITH_OFFICE)
    answer = command(by).answer
    assert answer is not None
    assert answer.by == "office"
    assert command(by, Answer=None, Answered=None).answer is None


MAPPING_WITH_OFFICE = """
source: register
time_zone: Asia/Shanghai
time_formats: ["%Y/%m/%d %H:%M:%S"]
constants: {channel: message-board, answer.by: office}
columns:
  "No.": external_id
  Title: subject
  Received: recorded_at
  Answer: answer.text
  Answered: answer.at
"""


# ── what intake says ─────────────────────────────────────────────────────────────────────────


def test_a_problem_of_a_field_is_told_by_its_column() -> None:
    told = Converter(mapping(), NOW).flaw
    problem = Problem(field="informant.ref", code="c", message="Wrong.")
    assert told(problem) == Flaw("Who", "c", "Wrong.")
    problem = Problem(field="channel", code="c", message="Wrong.")
    assert told(problem) == Flaw(None, "c", "`constants.channel` in the mapping: Wrong.")
    problem = Problem(field="station", code="c", message="Missing.")
    assert told(problem) == Flaw(None, "c", "`station`, which no column fills: Missing.")
    assert told(Problem(field="", code="c", message="All wrong.")) == Flaw(None, "c", "All wrong.")


def test_a_row_with_a_bad_cell_is_told_what_intake_finds_in_the_others() -> None:
    asked: list[Submission] = []

    def check(submission: Submission) -> list[Problem]:
        asked.append(submission)
        fields = ("text", "informant.ref", "recorded_at")
        return [Problem(field=field, code="checked", message="No.") for field in fields]

    cells: dict[str, Any] = dict(zip(HEADERS, row(7, Received="soon", No=None), strict=True))
    found = Converter(mapping(), NOW, check).convert(Row(12, cells))
    assert [(flaw.column, flaw.code) for flaw in found.flaws] == [
        ("Received", "not-a-time"),
        ("No.", "missing"),
        ("Details", "checked"),
        ("Who", "checked"),
    ]
    # an answer cannot be compared with a recording whose time is not known
    assert [(each.external_id, each.answer) for each in asked] == [("-", None)]
