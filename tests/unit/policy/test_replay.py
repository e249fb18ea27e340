"""A candidate over the past: every case whose outcome changes, and what promises become."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from services.cli.replaying import CHUNK, Policies, replay_lines
from shared.domain.case import Case, GivenAnswer, Informant, Kind, Submission
from shared.domain.commands import SubmitCase
from shared.policy import parse_policy
from shared.policy.trying.replay import ADMITTED, ASPECTS, Past, Replay, as_json, replay

MONDAY = datetime(2020, 1, 6, 9, tzinfo=UTC)
LATER = MONDAY + timedelta(days=200)


def case(name: str, item: str = "outage", **changes: object) -> Case:
    known = Case(
        id=name,
        source="tests",
        external_id=name,
        channel="hotline",
        kind=Kind.PROBLEM,
        category="power",
        item=item,
        subject="No light",
        text="",
        recorded_at=MONDAY,
        received_at=MONDAY,
        station="north",
        informant=Informant(ref="somebody"),
    )
    return known.but(**changes)


def past(each: Case, answered: int | None = None, *, withdrawn: bool = False) -> Past:
    """The case, answered so many days after it was recorded."""
    submission = Submission.model_construct(
        **{name: getattr(each, name) for name in Submission.model_fields}
    )
    at = None if answered is None else each.recorded_at + timedelta(days=answered)
    return Past(each, each, submission, at, withdrawn)


def run(text: str, changed: Sequence[tuple[str, str]], *cases: Past) -> Replay:
    new = text
    for old, instead in changed:
        assert old in new
        new = new.replace(old, instead)
    policies = parse_policy("old", text.encode()), parse_policy("new", new.encode())
    return replay(cases, *policies, LATER)


def test_the_same_policy_changes_nothing(small_text: str) -> None:
    found = run(small_text, [], past(case("1"), 3), past(case("2", attributes={"affected": 200})))
    assert found.cases == 2
    assert found.changed == []
    assert found.before == found.after


def test_a_changed_colour_changes_colour_and_deadline(small_text: str) -> None:
    red = "  - {name: outages, when: {item: outage}, then: {colour: red, unit: station}}\ntriage"
    new = [("triage:\n", "triage:\n" + red.removesuffix("triage"))]
    cases = past(case("1"), 3), past(case("2", item="planned"), 3), past(case("3"), 30)
    found = run(small_text, new, *cases)
    assert [one["id"] for one in found.changed] == ["1", "3"]
    assert {tuple(one["changed"]) for one in found.changed} == {("colour", "deadline")}
    assert found.changed[0]["after"]["row"] == "outages"
    assert found.groups["colour", "yellow", "red"] == 2
    assert found.groups["deadline", "60 working days", "5 working days"] == 2
    assert found.examples["colour", "yellow", "red"] == ["1", "3"]
    assert (found.before.all.on_time, found.before.all.late) == (3, 0)
    assert (found.after.all.on_time, found.after.all.late) == (2, 1)
    assert found.after.all.rate == 2 / 3
    assert found.after.colours["red"].cases == 2


@pytest.mark.parametrize(
    ("old", "new", "aspect"),
    [
        ("then: {colour: yellow, unit: station}", "then: {colour: yellow, unit: south}", "unit"),
        ("reply: 60", "reply: 59", "deadline"),
        (
            "ask: [informant, recorder, station, tied, paired, parent]",
            "ask: [recorder, parent]",
            "evaluator",
        ),
        ("side: outside, requires: [place]}", "side: outside}", ""),
        (
            "{id: hotline, title: {zh: 热线, en: Hotline}, side: outside}",
            "{id: hotline, title: {zh: 热线, en: Hotline}, side: outside, requires: [place]}",
            "admission",
        ),
    ],
)
def test_each_aspect_is_told_alone(small_text: str, old: str, new: str, aspect: str) -> None:
    found = run(small_text, [(old, new)], past(case("1", recorder="clerk")))
    assert [one["changed"] for one in found.changed] == ([[aspect]] if aspect else [])
    assert aspect in {"", *ASPECTS}


def test_a_holiday_more_changes_the_deadline_though_the_limit_stays(small_text: str) -> None:
    found = run(
        small_text,
        [("years: [2018, 2021]}", "years: [2018, 2021], holidays: [2020-01-08]}")],
        past(case("1")),
    )
    [one] = found.changed
    assert one["changed"] == ["deadline"]
    assert one["before"]["due"] < one["after"]["due"]


def test_what_is_withdrawn_or_owed_nothing_breaks_no_promise(small_text: str) -> None:
    told = case("2", kind=Kind.INFORMATION)
    found = run(small_text, [], past(case("1"), withdrawn=True), past(told), past(case("3")))
    assert (found.before.all.cases, found.before.all.overdue) == (3, 1)
    assert found.before.all.rate == 0


def test_a_case_outside_a_calendar_is_told_and_stops_nothing(small_text: str) -> None:
    old = case("1", recorded_at=datetime(2018, 6, 1, tzinfo=UTC))
    found = run(small_text, [("years: [2018, 2021]", "years: [2019, 2021]")], past(old))
    [one] = found.changed
    assert one["after"]["deadline"] == "60 working days, outside the calendar"


def test_many_processes_find_what_one_finds_in_the_same_order(small_text: str) -> None:
    lines = []
    for number in range(2 * CHUNK + 7):
        submission = SubmitCase(
            source="tests",
            external_id=f"{number}",
            channel="hotline",
            subject="停电" if number % 3 else "电价",
            recorded_at=MONDAY,
            answer=GivenAnswer(text="Done", at=MONDAY + timedelta(days=number % 20)),
        )
        head = {"id": submission.about, "repeat_of": None}
        lines.append(f'{json.dumps(head)[:-1]},"submission":{submission.model_dump_json()}}}')
    new = small_text.replace(
        "triage:\n",
        "triage:\n  - {name: r, when: {item: outage}, then: {colour: red, unit: house}}\n",
        1,
    )
    policies = Policies(small_text.encode(), new.encode(), LATER)
    done: list[int] = []
    alone = replay_lines(lines, policies, processes=1)
    together = replay_lines(lines, policies, done.append, processes=2)
    assert as_json(together, {}) == as_json(alone, {})
    assert len(alone.changed) == sum(1 for number in range(2 * CHUNK + 7) if number % 3)
    assert all(one["before"]["admission"] == ADMITTED for one in alone.changed)
    assert done[-1] == 2 * CHUNK + 7
