"""Problems say where, what and how to mend it, and repeat no value."""

import msgspec
import pytest
from pydantic import ValidationError

from shared.domain.case import Submission
from shared.domain.events import CaseRecorded
from shared.domain.problems import problem_of, problems_of

GOOD = {"source": "95598", "external_id": "1", "channel": "hotline", "subject": "停电"}


def found(**changes: object) -> list[tuple[str, str, str]]:
    given = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    with pytest.raises(ValidationError) as refused:
        Submission.model_validate(given)
    return [(one.field, one.code, one.message) for one in problems_of(refused.value)]


@pytest.mark.parametrize(
    ("field", "value", "code", "message"),
    [
        ("source", ..., "missing", "Missing: add this field."),
        ("source", "", "too-short", "Too short: give at least 1 character(s)."),
        ("source", "x" * 201, "too-long", "Too long: give at most 200 character(s)."),
        ("source", 3, "wrong-type", "Give text."),
        (
            "source",
            "a\nb",
            "forbidden-characters",
            "Remove line breaks and other control characters.",
        ),
        (
            "kind",
            "rumour",
            "unknown-value",
            (
                "Not one of the possible values: use 'information', 'suggestion', 'problem', "
                "'complaint' or 'praise'."
            ),
        ),
        (
            "recorded_at",
            "soon",
            "wrong-type",
            "Give a date and time, such as 2026-05-04T09:30:00+08:00.",
        ),
        (
            "recorded_at",
            "2026-05-04T09:30:00",
            "no-time-zone",
            "Add the time zone, such as 2026-05-04T09:30:00+08:00.",
        ),
        ("informant", "me", "wrong-type", "Give an object with named fields."),
        (
            "attributes",
            {str(number): 1 for number in range(51)},
            "too-many",
            "Too many entries: give at most 50.",
        ),
    ],
)
def test_each_mistake_is_named_in_plain_words(
    field: str, value: object, code: str, message: str
) -> None:
    assert found(**{field: value}) == [(field, code, message)]


def test_the_path_leads_into_the_input() -> None:
    assert [
        one[:2] for one in found(informant={"contact": 7, "fax": "1"}, answer={"text": "x"})
    ] == [
        ("informant.contact", "wrong-type"),
        ("informant.fax", "unknown-field"),
        ("answer.at", "missing"),
    ]


@pytest.mark.parametrize("name", ["floor", "str", "int"])
@pytest.mark.parametrize("value", [1.5, None, []])
def test_a_value_of_several_possible_types_is_one_problem(name: str, value: object) -> None:
    assert found(attributes={name: value}) == [
        (f"attributes.{name}", "wrong-type", "Give text, or a whole number, or true or false.")
    ]


def test_a_bad_name_of_an_attribute_is_a_problem_of_the_attributes() -> None:
    assert found(attributes={"": "x"}) == [
        (
            "attributes",
            "too-short",
            "One of the names in it: Too short: give at least 1 character(s).",
        )
    ]


def test_a_senders_own_field_name_is_cut_short() -> None:
    ((field, code, _),) = found(**{"x" * 1000: 1})
    assert (len(field), code) == (60, "unknown-field")


NOW = "2026-05-04T09:30:00Z"
CASE = {
    "id": "c",
    "source": "95598",
    "external_id": "1",
    "channel": "hotline",
    "kind": "problem",
    "category": "lights",
    "subject": "停电",
    "text": "",
    "recorded_at": NOW,
    "received_at": NOW,
}


@pytest.mark.parametrize(
    ("given", "field", "code", "message"),
    [
        ({"subject": ...}, "subject", "missing", "Missing: add this field."),
        ({"subject": 7}, "subject", "wrong-type", "Give text."),
        ({"item": ["SECRET"]}, "item", "wrong-type", "Give text."),
        ({"kind": "SECRET"}, "kind", "unknown-value", "Not one of the possible values."),
        (
            {"kind": "SECRET' - at `$.SECRET`"},
            "kind",
            "unknown-value",
            "Not one of the possible values.",
        ),
        (
            {"informant": "SECRET"},
            "informant",
            "wrong-type",
            "Give an object with named fields.",
        ),
        (
            {"attributes": {"SECRET": 1.5}},
            "attributes",
            "wrong-type",
            "Give true or false, or a whole number, or text.",
        ),
        ({"counts": {"SECRET": "SECRET"}}, "counts", "wrong-type", "Give a whole number."),
        (
            {"recorded_at": "SECRET"},
            "recorded_at",
            "wrong-type",
            "Give a date and time, such as 2026-05-04T09:30:00+08:00.",
        ),
        (
            {"recorded_at": NOW[:-1]},
            "recorded_at",
            "no-time-zone",
            "Add the time zone, such as 2026-05-04T09:30:00+08:00.",
        ),
        ({"answer": {"text": "SECRET"}}, "answer.at", "missing", "Missing: add this field."),
    ],
)
def test_a_mistake_in_a_value_of_ours_is_named_in_the_same_words(
    given: dict[str, object], field: str, code: str, message: str
) -> None:
    case = {name: value for name, value in {**CASE, **given}.items() if value is not ...}
    with pytest.raises(msgspec.ValidationError) as refused:
        CaseRecorded.from_plain({"case_id": "c", "record": {"case_id": "c", "case": case}})

    problem = problem_of(refused.value)
    assert (problem.field, problem.code) == (f"record.case.{field}", code)
    assert problem.message == message


def test_a_place_in_a_list_and_a_bad_name_are_found_in_a_value_of_ours() -> None:
    for model, given, field, message in [
        (list[tuple[int, ...]], [[1], [2, "SECRET"]], "1.1", "Give a whole number."),
        (dict[int, str], {"SECRET": "x"}, "", "Give a whole number."),
        (int, {"SECRET": 1}, "", "Give a whole number."),
        (tuple[int, ...], "SECRET", "", "Give a list."),
        (bytes, 7, "", "Not of the form that is expected here."),
    ]:
        with pytest.raises(msgspec.ValidationError) as refused:
            msgspec.convert(given, model)
        problem = problem_of(refused.value)
        assert (problem.field, problem.message) == (field, message)
