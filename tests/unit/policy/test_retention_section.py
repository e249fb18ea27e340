"""The section about erasure: what it means, and what is wrong with one."""

from __future__ import annotations

from datetime import datetime

import pytest

from shared.domain.case import Kind
from shared.domain.errors import PolicyError
from shared.domain.keeping import RetentionRule, kept_since
from shared.policy import load_policy, parse_policy
from tests.support.house import CALENDAR, at
from tests.unit.policy.places import POLICIES

TEXT = (POLICIES / "xiaoshan.yaml").read_text(encoding="utf-8")
SECTION = "retention: {days: 1095, kinds: {complaint: 1825}}"


def changed(section: str, text: str = TEXT) -> bytes:
    """The shipped policy with another section in the place of its own."""
    assert SECTION in text
    return text.replace(SECTION, section).encode()


def test_the_shipped_policies_keep_what_is_personal_for_three_and_five_years() -> None:
    ours = load_policy(POLICIES / "xiaoshan.yaml").retention
    assert ours == RetentionRule(days=1095, kinds={Kind.COMPLAINT: 1825})
    board = load_policy(POLICIES / "message-board.yaml").retention
    assert board == RetentionRule(days=1825)


def test_without_the_section_nothing_is_ever_erased() -> None:
    assert parse_policy("tests", changed("")).retention is None


def test_a_kind_can_differ_and_never_keeps_it_for_ever() -> None:
    section = "retention: {days: never, kinds: {praise: 365, complaint: never}}"
    rule = parse_policy("tests", changed(section)).retention
    assert rule is not None
    kept = {kind: rule.days_of(kind) for kind in (Kind.PRAISE, Kind.COMPLAINT, Kind.PROBLEM)}
    assert kept == {Kind.PRAISE: 365, Kind.COMPLAINT: None, Kind.PROBLEM: None}


@pytest.mark.parametrize(
    ("section", "place", "code", "said"),
    [
        ("retention: {}", "retention.days", "missing", "add it"),
        ("retention: {days: 0}", "retention.days", "greater-than-equal", "1"),
        ("retention: {days: 40000}", "retention.days", "less-than-equal", "36500"),
        ("retention: {days: 100, kinds: {query: 200}}", "retention.kinds.query", "enum", "problem"),
        ("retention: {days: 29}", "retention.days", "too-short", "`repeats.days` looks back 30"),
        (
            "retention: {days: 365, kinds: {praise: 29}}",
            "retention.kinds.praise",
            "too-short",
            "Give 30 or more",
        ),
        ("retention: {days: 100, years: 3}", "retention.years", "extra-forbidden", "not known"),
    ],
)
def test_a_mistake_is_told_at_its_place(section: str, place: str, code: str, said: str) -> None:
    with pytest.raises(PolicyError) as error:
        parse_policy("tests", changed(section))
    found = [each for each in error.value.problems if each.code == code]
    assert found, error.value.problems
    assert place in found[0].field
    assert said in found[0].message


def test_a_kind_that_the_house_does_not_take_in_is_a_mistake() -> None:
    praise = "  praise: {title: {zh: 表扬, en: Praise}, answer_owed: true}\n"
    assert praise in TEXT
    text = TEXT.replace(praise, "")
    with pytest.raises(PolicyError, match="There is no kind `praise` here"):
        parse_policy("tests", changed("retention: {days: 365, kinds: {praise: 100}}", text))


@pytest.mark.parametrize(
    ("now", "since"),
    [
        # kept for two days: what ended on the Monday goes with the beginning of the Thursday
        ("2026-03-04 23:59", "2026-03-02 00:00"),
        ("2026-03-05 00:00", "2026-03-03 00:00"),
    ],
)
def test_the_day_of_the_end_does_not_count(now: str, since: str) -> None:
    before: datetime = kept_since(at(now), 2, CALENDAR)
    assert before == at(since)
