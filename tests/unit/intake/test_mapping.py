"""The mapping file: what it says, and what is wrong with it, by line and field."""

from pathlib import Path

import pytest

from services.intake.importing.mapping import load_mapping, parse_mapping
from services.intake.importing.times import DateOnly
from shared.domain.errors import ConfigurationError
from tests.support.registers import MAPPING, mapping

EXAMPLES = Path(__file__).parents[3] / "examples" / "mappings"


def refusal(text: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        parse_mapping(text.encode(), Path("mapping.yaml"))
    return str(refused.value)


def test_a_policy_path_starts_at_the_mapping_file(tmp_path: Path) -> None:
    found = mapping("policy: ../policies/own.yaml", folder=tmp_path)
    assert found.policy == tmp_path / "../policies/own.yaml"
    assert mapping(f"policy: {tmp_path}/own.yaml").policy == tmp_path / "own.yaml"


def test_a_date_without_a_time_is_read_against_the_house_unless_the_file_says_otherwise() -> None:
    assert mapping().reading_of_dates("recorded_at") is DateOnly.START_OF_DAY
    assert mapping().reading_of_dates("answer.at") is DateOnly.END_OF_DAY
    found = mapping("date_only: {answer.at: refuse}")
    assert found.reading_of_dates("answer.at") is DateOnly.REFUSE


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_every_example_can_be_used_and_its_policy_exists(path: Path) -> None:
    found = load_mapping(path)
    assert found.policy is not None
    assert found.policy.is_file()


@pytest.mark.parametrize(
    ("line", "place", "mend"),
    [
        ("sources: x", "line 14, column 1: sources", "did you mean `source`"),
        ("time_zone: Asia/Tokyo", "line 14, column 1", "'time_zone' stands here a second time"),
        ("format: {sheets: A}", "line 14, column 18: format.sheets", "did you mean `sheet`"),
        ("format: {delimiter: ab}", "format.delimiter", "give one character"),
        ("format: {encodings: [utf-9]}", "format.encodings[0]", "is no encoding"),
        ("format: {encodings: [base64]}", "format.encodings[0]", "is no encoding"),
        ("format: {header_row: 0}", "format.header_row", "greater than or equal to 1"),
        ("format: {kind: ods}", "format.kind", "'xlsx', 'csv' or 'jsonl'"),
        ("date_only: {answer.at: noon}", "date_only.answer.at", "'end-of-day'"),
        ("date_only: {subject: end-of-day}", "date_only.subject", "holds no time"),
        ("values: {category: {a: b}}", "values.category", "No column fills `category`"),
    ],
)
def test_a_mistake_is_named_with_line_field_and_mend(line: str, place: str, mend: str) -> None:
    told = refusal(f"{MAPPING.strip()}\n{line}\n")
    for part in (*place.split(": "), mend):
        assert part in told


@pytest.mark.parametrize(
    ("old", "new", "place", "mend"),
    [
        ("source: register", "", "source", "This is required: add it"),
        ("Asia/Shanghai", "Mars/Base", "line 2, column 1: time_zone", "is no time zone"),
        ("%Y/%m/%d %H", "%Y %H", "line 3, column 16: time_formats[0]", "year, month and day"),
        ("Who: informant.ref", "Who: informant.reff", "line 8", "did you mean `informant.ref`"),
        ("Who: informant.ref", "Who: subject", "line 9", "filled by the column `Who` already"),
        ("Who: informant.ref", "Who: attributes.", "line 8", "no field `attributes.`"),
        ('"No.": external_id', "", "columns", "Every case needs `external_id`"),
        ("  Answered: answer.at", "", "columns", "needs both `answer.text` and `answer.at`"),
        ("channel: message-board", "kind: rumour", "constants.kind", "information"),
        ("channel: message-board", "channel: 1.5", "constants.channel", "give a text"),
        ("channel: message-board", "subject: All alike", "constants.subject", "filled by"),
        ("channel: message-board", "channel:", "line 5", "give a text"),
    ],
)
def test_what_a_mapping_needs_is_asked_for(old: str, new: str, place: str, mend: str) -> None:
    told = refusal(MAPPING.strip().replace(old, new))
    for part in (*place.split(": "), mend):
        assert part in told


def test_the_id_of_a_case_cannot_be_the_same_for_all() -> None:
    told = refusal(
        MAPPING.replace('"No.": external_id', "").replace(
            "channel: message-board", "channel: message-board\n  external_id: 7"
        )
    )
    assert "name its column" in told


def test_all_mistakes_are_told_at_once() -> None:
    told = refusal("source: ''\ntime_zone: Mars\ncolumns: {A: subjekt}\nextra: 1\n")
    assert [name for name in ("source", "time_zone", "columns.A", "extra") if name in told] == [
        "source",
        "time_zone",
        "columns.A",
        "extra",
    ]


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("", "A mapping file has keys"),
        ("- a\n- b\n", "A mapping file has keys"),
        ("source: [", "This is not YAML"),
        ("source: a\n---\nsource: b\n", "A mapping file is one YAML document"),
    ],
)
def test_what_is_no_mapping_at_all_is_said_so(text: str, mend: str) -> None:
    assert mend in refusal(text)


def test_a_mapping_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.yaml cannot be read"):
        load_mapping(tmp_path / "absent.yaml")
