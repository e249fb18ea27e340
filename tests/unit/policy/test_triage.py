"""Triage: which row decides, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.case import Case
from shared.policy import CompiledPolicy, parse_policy

MakeCase = Callable[..., Case]


@pytest.mark.parametrize(
    ("changes", "row"),
    [
        ({"text": "电线着火了"}, "danger"),
        ({"subject": "有人触电", "attributes": {"affected": 500}}, "danger"),
        ({"item": "outage", "attributes": {"customer": "school"}}, "hospital"),
        ({"item": "outage", "attributes": {"customer": "home"}}, "rest"),
        ({"attributes": {"affected": 100}}, "many"),
        ({"attributes": {"affected": 1000}}, "many"),
        ({"attributes": {"affected": 99}}, "rest"),
        ({"attributes": {"affected": 1001}}, "rest"),
        ({"attributes": {"affected": "250"}}, "many"),
        ({"attributes": {"affected": 10**30}}, "rest"),
        ({"attributes": {"customer": "hospital"}}, "not at home"),
        ({"attributes": {"customer": "embassy"}}, "not at home"),
        ({"attributes": {"customer": 7}}, "rest"),
        ({}, "rest"),
    ],
)
def test_the_first_row_that_matches_decides(
    small: CompiledPolicy, case: MakeCase, changes: dict[str, Any], row: str
) -> None:
    assert small.triage(case(**changes)).row == row


@pytest.mark.parametrize(
    ("limits", "subject", "text", "holds"),
    [
        ("within: subject", "触电", "", True),
        ("within: subject", "你好", "触电", False),
        ("at_least: 2", "触电", "触电，又触电", False),
        ("at_least: 2", "触电", "着火", True),
        ("at_least: 2, within: subject", "触电", "着火", False),
    ],
)
def test_a_mention_can_ask_for_the_subject_and_for_several_words(
    small_text: str, case: MakeCase, limits: str, subject: str, text: str, holds: bool
) -> None:
    bent = small_text.replace("keywords: [触电, 着火]", f"keywords: [触电, 着火], {limits}")
    policy = parse_policy("bent.yaml", bent.encode())
    assert policy.triage(case(subject=subject, text=text)).facts["danger"] is holds


def test_a_decision_names_its_version_row_and_facts(small: CompiledPolicy, case: MakeCase) -> None:
    decision = small.triage(case(item="outage", attributes={"customer": "hospital", "x": 1}))
    assert decision.policy_version == small.version
    assert (decision.table, decision.row) == ("triage", "hospital")
    assert decision.facts == {
        "item": "outage", "customer": "hospital", "affected": None, "danger": False,
    }  # fmt: skip


def test_a_decision_carries_the_colours_limits(small: CompiledPolicy, case: MakeCase) -> None:
    decision = small.triage(case(text="触电"))
    assert (decision.colour, decision.limits.reply, decision.limits.accept) == ("red", 5, 1)


def test_no_clock_runs_where_no_answer_is_owed(small: CompiledPolicy, case: MakeCase) -> None:
    decision = small.triage(case(kind="information"))
    assert not decision.answer_owed
    assert decision.limits.reply is None


def test_a_kind_that_the_policy_dropped_is_answered_all_the_same(
    small: CompiledPolicy, case: MakeCase
) -> None:
    assert small.triage(case(kind="praise")).answer_owed


@pytest.mark.parametrize(("station", "unit"), [("south", "south"), (None, "house"), ("x", "house")])
def test_unit_station_is_where_the_case_was_recorded_or_the_default(
    small: CompiledPolicy, case: MakeCase, station: str | None, unit: str
) -> None:
    assert small.triage(case(station=station)).unit == unit


@pytest.mark.parametrize(
    ("category", "item", "unit"),
    [("power", None, "repair"), ("power", "planned", "north"), ("bills", "tariff", "house")],
)
def test_category_unit_is_the_items_unit_then_the_categorys_then_the_default(
    small: CompiledPolicy, case: MakeCase, category: str, item: str | None, unit: str
) -> None:
    asked = case(category=category, item=item, attributes={"customer": "school"})
    assert small.triage(asked).unit == unit


def test_the_level_is_that_of_the_unit(small: CompiledPolicy, case: MakeCase) -> None:
    assert small.triage(case()).level == "top"
    assert small.triage(case(station="south")).level == "base"


def test_ids_of_the_case_change_nothing(small: CompiledPolicy, case: MakeCase) -> None:
    decisions = {small.triage(case(id=f"{n}", external_id=f"{n}")).row for n in range(2000)}
    assert decisions == {"rest"}
    assert small.fallbacks == 0


def test_warnings_are_the_earliest_first(small: CompiledPolicy) -> None:
    assert list(small.warnings("red")) == [2, 1]
    assert list(small.warnings("yellow")) == []


def test_escalation_climbs_the_tree_unless_the_unit_says_otherwise(small: CompiledPolicy) -> None:
    assert list(small.escalation("north")) == ["house"]
    assert list(small.escalation("south")) == ["north", "house"]
    assert list(small.escalation("house")) == []
    assert list(small.escalation("gone")) == []


def test_scale_colours_and_levels_keep_the_order_of_the_file(small: CompiledPolicy) -> None:
    assert list(small.scale) == ["good", "bad"]
    assert list(small.colours) == ["red", "yellow"]
    assert list(small.levels) == ["top", "base"]
    assert small.units["north"].title == {"zh": "北", "en": "North"}
    assert small.units["north"].parent == "house"
    assert (small.rating_days, small.rounds, small.repeat_days) == (10, 3, 30)
    rule = small.clocks.escalation
    assert (rule.first, rule.days, rule.repeat) == (None, 2, False)
