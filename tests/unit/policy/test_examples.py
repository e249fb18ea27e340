"""The two policies that ship are complete, and do what their houses ask of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.aggregates import Handling
from shared.domain.case import Case, Kind, Submission
from shared.policy import CompiledPolicy
from shared.policy.deciding.rows import evaluator_table, triage_table
from shared.policy.trying.trial import differences

MakeCase = Callable[..., Case]


def test_the_bureau_has_17_stations_with_67_sub_stations(xiaoshan: CompiledPolicy) -> None:
    levels = Counter(unit.level for unit in xiaoshan.units.values())
    assert list(xiaoshan.levels) == ["leaders", "departments", "branches", "members"]
    assert levels["branches"] == 17
    assert levels["members"] == 67
    stations = {unit.id for unit in xiaoshan.units.values() if unit.level == "branches"}
    parents = {unit.parent for unit in xiaoshan.units.values() if unit.level == "members"}
    assert parents == stations


@pytest.mark.parametrize(
    ("side", "channels", "categories", "items"), [("inside", 7, 6, 82), ("outside", 5, 2, 55)]
)
def test_the_bureaus_catalogue_is_complete(
    xiaoshan: CompiledPolicy, side: str, channels: int, categories: int, items: int
) -> None:
    document = xiaoshan.document
    assert sum(channel.side == side for channel in document.channels) == channels
    own = [category for category in document.categories if category.side == side]
    assert len(own) == categories
    assert sum(len(category.items) for category in own) == items


def test_slips_are_answered_within_5_20_and_60_working_days(xiaoshan: CompiledPolicy) -> None:
    replies = {colour.id: colour.reply for colour in xiaoshan.document.colours}
    assert replies == {"red": 5, "orange": 20, "yellow": 60}
    assert list(replies) == list(xiaoshan.colours)


def test_everything_but_information_is_owed_an_answer(xiaoshan: CompiledPolicy) -> None:
    owed = {kind: part.answer_owed for kind, part in xiaoshan.document.kinds.items()}
    assert owed == {kind: kind is not Kind.INFORMATION for kind in Kind}


def chain(policy: CompiledPolicy, unit: str) -> list[str]:
    return list(policy.escalation(Handling(case_id="c1", unit=unit)).units)


def test_every_chain_of_escalation_ends_with_the_leaders(xiaoshan: CompiledPolicy) -> None:
    for unit in xiaoshan.units:
        assert [*chain(xiaoshan, unit), "bureau"][-1 if unit == "bureau" else -2] == "bureau"
    assert chain(xiaoshan, "guali-hall") == ["guali", "bureau"]
    assert chain(xiaoshan, "emergency-repair") == ["operations", "bureau"]


@pytest.mark.parametrize(
    ("changes", "colour", "unit"),
    [
        (
            {"category": "power-supply", "item": "planned-outage", "subject": "明天检修停电",
             "attributes": {"customer": "hospital"}},
            "red", "emergency-repair",
        ),
        ({"category": "grid-and-safety", "subject": "电线断了落在路上"}, "red", "emergency-repair"),
        ({"channel": "team-visit", "category": "workplace-safety", "subject": "有人触电受伤"},
         "red", "safety"),
        (
            {"category": "power-supply", "item": "unplanned-outage",
             "attributes": {"customers-affected": 99}, "kind": "problem"},
            "red", "emergency-repair",
        ),
        ({"channel": "staff-mailbox", "category": "management-and-style", "item": "integrity"},
         "orange", "discipline"),
        ({"channel": "round-table", "category": "life-and-care", "station": "bureau"},
         "orange", "party-affairs"),
        ({"category": "power-supply", "item": "low-voltage", "repeat_of": "c0"},
         "orange", "operations"),
        ({"category": "power-supply", "item": "bills", "kind": "complaint"}, "orange", "marketing"),
        ({"campaign": "summer-peak", "station": "guali-villages"}, "orange", "guali-villages"),
        ({"channel": "staff-survey", "category": "pay-and-benefits", "kind": "suggestion"},
         "yellow", "human-resources"),
        ({"station": "linpu-hall", "kind": "praise"}, "yellow", "linpu-hall"),
        ({}, "yellow", "marketing"),
    ],
)  # fmt: skip
def test_the_bureaus_slips_go_where_they_belong(
    xiaoshan: CompiledPolicy, case: MakeCase, changes: dict[str, Any], colour: str, unit: str
) -> None:
    given = {"channel": "customer-hotline", "category": "power-supply", "subject": "咨询"}
    decision = xiaoshan.triage(case(**(given | changes)))
    assert (decision.colour, decision.unit) == (colour, unit)
    assert decision.level == xiaoshan.units[unit].level


@pytest.mark.parametrize(
    ("channel", "subject", "found"),
    [
        ("customer-hotline", "昨晚停电到现在", ("power-supply", "unplanned-outage")),
        ("customer-hotline", "Power cut since last night", ("power-supply", "unplanned-outage")),
        ("web-message", "变压器噪音太大", ("grid-and-safety", "transformer-noise")),
        ("web-message", "你好", ("power-supply", None)),
        ("staff-mailbox", "食堂伙食太贵", ("working-conditions", "canteen")),
        ("staff-mailbox", "你好", ("management-and-style", None)),
    ],
)  # fmt: skip
def test_the_bureaus_texts_are_classified(
    xiaoshan: CompiledPolicy, channel: str, subject: str, found: tuple[str, str | None]
) -> None:
    given = Submission(source="t", external_id="1", channel=channel, subject=subject)
    assert xiaoshan.classify(given) == found


def test_the_message_board_has_fifteen_subjects_each_with_a_department(
    message_board: CompiledPolicy,
) -> None:
    categories = message_board.document.categories
    assert len(categories) == 15
    assert sum(len(category.items) for category in categories) == 118
    assert len({category.unit for category in categories}) == 15
    for category in categories:
        assert message_board.units[category.unit or ""].parent == "coordinating-office"


@pytest.mark.parametrize(
    ("subject", "category", "colour"),
    [
        ("请求修好村里的路灯", "construction", "yellow"),
        ("投诉小区物业乱收费", "construction", "orange"),
        ("咨询驾驶证换证", "justice", "yellow"),
        ("公交车能不能增加班次", "transport", "yellow"),
        ("举报村干部贪污", "discipline", "orange"),
        ("老师的工资什么时候发", "education", "yellow"),
        ("工厂夜里噪音扰民", "environment", "orange"),
        ("新农合报销的问题", "labour", "yellow"),
        ("山体滑坡危及村民生命", "land", "red"),
        ("你好", "government", "yellow"),
    ],
)  # fmt: skip
def test_messages_go_to_the_department_of_their_subject(
    message_board: CompiledPolicy, case: MakeCase, subject: str, category: str, colour: str
) -> None:
    given = Submission(source="t", external_id="1", channel="message-board", subject=subject)
    found, item = message_board.classify(given)
    decision = message_board.triage(
        case(channel="message-board", subject=subject, category=found, item=item)
    )
    assert (found, decision.colour) == (category, colour)


@pytest.mark.parametrize("name", ["xiaoshan", "message_board"])
def test_everything_that_people_see_has_a_title_in_both_languages(
    name: str, request: pytest.FixtureRequest
) -> None:
    policy: CompiledPolicy = request.getfixturevalue(name)
    things = [
        *policy.units.values(), *policy.levels.values(), *policy.colours.values(),
        *policy.scale.values(),
    ]  # fmt: skip
    for thing in things:
        assert all(thing.title[language].strip() for language in ("zh", "en")), thing.id


@pytest.mark.parametrize("name", ["xiaoshan", "message_board"])
def test_the_engine_agrees_with_the_reference_on_the_policies_that_ship(
    name: str, request: pytest.FixtureRequest
) -> None:
    document = request.getfixturevalue(name).document
    assert differences(triage_table(document)) == []
    assert differences(evaluator_table(document)) == []


def test_triage_is_quick_even_where_nothing_is_remembered(
    xiaoshan: CompiledPolicy, case: MakeCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above 10,000 a second on the development machine; the bound leaves room for slower ones."""
    engine = xiaoshan._triage.engine
    monkeypatch.setattr(engine, "_remembered", engine._rulesets.decide)
    cases = [case(channel="customer-hotline", attributes={"customers-affected": n})
             for n in range(500)]  # fmt: skip
    start = time.process_time()
    for one in cases:
        xiaoshan.triage(one)
    assert time.process_time() - start < 0.5
