"""The section about the monthly review: what it means, and what is wrong with one."""

from __future__ import annotations

import pytest

from shared.domain.errors import PolicyError
from shared.domain.reviews import ReviewRules
from shared.policy import load_policy, parse_policy
from tests.unit.policy.places import POLICIES

TEXT = (POLICIES / "xiaoshan.yaml").read_text(encoding="utf-8")
SECTION = "review: {levels: [branches], days: 5, by: [parent]}"


def refused(section: str) -> list[tuple[str, str, str]]:
    """Field, code and message of each problem of the policy with this section instead."""
    assert SECTION in TEXT
    with pytest.raises(PolicyError) as error:
        parse_policy("tests", TEXT.replace(SECTION, section).encode())
    return [(each.field, each.code, each.message) for each in error.value.problems]


@pytest.mark.parametrize(
    ("file", "level"), [("xiaoshan", "branches"), ("message-board", "departments")]
)
def test_the_shipped_policies_review_one_level_by_the_unit_above(file: str, level: str) -> None:
    policy = load_policy(POLICIES / f"{file}.yaml")
    assert policy.review == ReviewRules((level,), 5, ("parent",))


def test_without_the_section_nobody_is_reviewed() -> None:
    policy = parse_policy("tests", TEXT.replace(SECTION, "").encode())
    assert policy.review is None


@pytest.mark.parametrize(
    ("section", "code", "said"),
    [
        ("review: {levels: [stations]}", "unknown-level", "there is no level `stations`"),
        ("review: {levels: [branches], by: [handler]}", "unknown-unit", "`handler`"),
        ("review: {levels: [leaders], by: [parent]}", "nobody", "review of `bureau`"),
        ("review: {levels: [leaders], by: [bureau]}", "nobody", "review of `bureau`"),
        ("review: {levels: [branches], days: 0}", "greater-than-equal", "1"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_column(section: str, code: str, said: str) -> None:
    [(field, found, message)] = refused(section)
    line = TEXT[: TEXT.index(SECTION)].count("\n") + 1
    assert field.startswith(f"line {line}, column ")
    assert found == code
    assert said in message


def test_the_top_is_reviewed_where_somebody_else_is_named() -> None:
    other = TEXT.replace(SECTION, "review: {levels: [leaders], by: [parent, discipline]}")
    policy = parse_policy("tests", other.encode())
    assert policy.review == ReviewRules(("leaders",), 5, ("parent", "discipline"))
