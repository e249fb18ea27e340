"""Explanations and scenarios of a policy that uses the whole language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from shared.domain.aggregates import Actor, Handling
from shared.policy import CompiledPolicy, parse_policy
from shared.policy.engine.table import Hit
from shared.policy.explaining.explain import (
    Explanation,
    TableExplanation,
    explain,
    explain_recorded,
)
from shared.policy.explaining.hypothetical import Hypothetical, case_of, handling_of
from shared.policy.explaining.narrate import narrate
from shared.policy.explaining.whatif import changed
from shared.policy.trying.scenarios import Run, run
from tests.unit.policy.samples import UNIQUE, rich, with_section

MONDAY = datetime(2020, 1, 6, 9, tzinfo=UTC)  # 17:00 in Shanghai


def _compiled(text: str) -> Iterator[CompiledPolicy]:
    policy = parse_policy("small.yaml", text.encode())
    yield policy
    policy.close()


MORE = """repeats: {days: 30}
pauses:
  parts: {title: {zh: 等件, en: waiting for parts}, by: [parent]}
extensions: {decided_by: [parent, house]}
"""


def _in_hours(text: str) -> str:
    hours = "business_hours: ['08:30-12:00', '13:30-17:30']"
    for old, new in (
        ("years: [2018, 2021]}", f"years: [2018, 2021], {hours}}}"),
        ("reply: 5, accept: 1, warn: [1, 2]", "reply: {hours: 4}, accept: {hours: 1}"),
        ("reply: 60}", "reply: 60, levels: {base: {reply: 30, accept: 2}}}"),
        ("repeats: {days: 30}\n", MORE),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def whole(small_text: str) -> Iterator[CompiledPolicy]:
    yield from _compiled(_in_hours(rich(small_text)))


def _case(**given: object) -> Hypothetical:
    return Hypothetical.model_validate(
        {"channel": "hotline", "category": "power", "recorded_at": MONDAY, **given}
    )


def _table(explained: Explanation, name: str) -> TableExplanation:
    return next(table for table in explained.tables if table.table == name)


def test_routing_is_explained_by_the_colour_that_triage_gave(whole: CompiledPolicy) -> None:
    explained = explain(_case(station="south", recorder="me"), whole)
    assert [table.table for table in explained.tables] == [
        "triage", "routing", "evaluators", "escalation",
    ]  # fmt: skip
    triage, routing = _table(explained, "triage"), _table(explained, "routing")
    assert (triage.rows, triage.otherwise, triage.hit) == ((), True, Hit.ANY)
    assert routing.rows == ("south",)
    assert routing.facts == {"station": "south", "colour": "yellow"}
    assert (explained.decision.row, explained.decision.unit) == ("otherwise", "north")
    often = changed(_case(station="south", recorder="me"), ["counts.again=3"], whole)
    # Its row names the unit: routing is not asked.
    assert "routing" not in [table.table for table in explain(often, whole).tables]


def test_rows_that_decide_together_are_each_explained(whole: CompiledPolicy) -> None:
    urgent = _case(counts={"again": 3}, item="outage", answered_by={"unit": "north"})
    explained = explain(urgent, whole)
    escalation = _table(explained, "escalation")
    assert escalation.rows == ("red", "base")
    assert [also.row for also in escalation.also] == ["base"]
    assert explained.escalation == ("house", "repair", "south")
    assert explained.clocks is not None
    assert (explained.clocks.pace.first, explained.clocks.pace.days) == (1, 1)
    # All roles of a set stand in the product's order, whichever row names them.
    assert [role.role for role in explained.roles] == ["informant", "recorder", "parent"]
    calm = _table(explain(_case(answered_by={"unit": "north"}), whole), "escalation")
    # It would decide along: no row of such a table is too late.
    assert [(near.row, near.late) for near in calm.nearly] == [("red", False)]


def test_rows_that_overlap_though_they_must_not_are_named(small_text: str) -> None:
    for policy in _compiled(with_section(small_text, "triage", UNIQUE)):
        explained = explain(_case(attributes={"affected": 10}), policy)
        triage = _table(explained, "triage")
        assert triage.conflict == ("few", "many")
        assert (triage.rows, triage.behind) == (("few",), ("many",))
        told = narrate(explained, policy, "en")
        assert any("“few” and “many” match, which `unique` excludes" in line for line in told)
        assert any("is from 1 to 10" in line for line in told)


def test_limits_in_hours_and_of_levels_are_told_with_their_ends(whole: CompiledPolicy) -> None:
    red = explain(_case(counts={"again": 3}, item="outage"), whole)
    assert red.clocks is not None
    # Half an hour is left of Monday: three and a half of Tuesday follow, up to noon.
    assert red.due_at == datetime(2020, 1, 7, 4, tzinfo=UTC)
    assert red.clocks.accept_due_at == datetime(2020, 1, 7, 1, tzinfo=UTC)
    english = narrate(red, whole, "en")
    assert "To be answered within 4 hours of work, by 2020-01-07 12:00." in english
    assert "To be accepted within 1 hour of work, by 2020-01-07 09:00." in english
    yellow = narrate(explain(_case(), whole), whole, "en")
    assert any(line.startswith("To be answered within 30 working days, by") for line in yellow)
    assert "To be accepted within 2 working days, by 2020-01-08." in yellow


def test_who_may_move_the_clocks_is_told(whole: CompiledPolicy) -> None:
    at_base = explain(_case(), whole)
    assert at_base.clocks is not None
    assert at_base.clocks.rights.pause == {"parts": ("house",)}
    assert at_base.clocks.rights.decide == ("house",)
    at_the_top = narrate(explain(_case(answered_by={"unit": "house"}), whole), whole, "en")
    assert "May pause its clocks for waiting for parts: nobody" in at_the_top
    assert "May decide on more time: House (house)" in at_the_top


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_climbs_as_the_tree_says_is_told_so(whole: CompiledPolicy, language: str) -> None:
    told = "\n".join(narrate(explain(_case(), whole), whole, "en" if language == "en" else "zh"))
    assert {"en": "so it climbs as `days` and the tree say", "zh": "按 `days` 和组织树上报"}[
        language
    ] in told
    assert {"en": "First 4 working days after the breach (after 2020-0",
            "zh": "逾期 4 个工作日后首次上报"}[language] in told  # fmt: skip


def test_the_acceptance_of_a_case_that_moved_counts_from_its_coming(whole: CompiledPolicy) -> None:
    case = case_of(_case(), whole)
    decision = whole.triage(case)
    later = datetime(2020, 1, 9, 1, tzinfo=UTC)
    moved = handling_of(case, decision, whole, Actor(unit="south")).but(
        started_at=MONDAY, given_at=later
    )
    accept_due = _accept_day(whole, moved)
    assert accept_due.isoformat() == "2020-01-13"  # a Monday: two working days after Thursday


def _accept_day(policy: CompiledPolicy, handling: Handling) -> date:
    decision = policy.triage(case_of(_case(), policy))
    explained = explain_recorded(decision, handling, policy)
    assert explained.clocks is not None
    assert explained.clocks.accept_due_at is not None
    return policy.calendar.local_day(explained.clocks.accept_due_at)


SCENARIOS = """\
scenarios:
  - name: by its station
    case:
      channel: hotline
      category: power
      station: south
      recorder: me
      recorded_at: 2020-01-06T17:00:00+08:00
    expect:
      row: otherwise
      routing_row: south
      unit: north
      accept_due: 2020-01-08
      escalation_row: base
      escalation: [repair, south]
      evaluator_row: base
  - name: in hours
    case:
      channel: hotline
      category: power
      item: outage
      counts: {again: 4}
      recorded_at: 2020-01-06T17:00:00+08:00
    expect:
      row: again
      unit: repair
      due: 2020-01-07
      due_at: 2020-01-07T12:00:00+08:00
      accept_due_at: 2020-01-07T09:00:00+08:00
      escalation: [house]
      escalation_row: red
      first_step: 2020-01-08
      routing_row: south
"""


def _run(policy: CompiledPolicy, tmp_path: Path) -> Run:
    path = tmp_path / "whole.scenarios.yaml"
    path.write_text(SCENARIOS, encoding="utf-8")
    return run(policy, path)


def test_scenarios_expect_routing_hours_acceptance_and_steps(
    whole: CompiledPolicy, tmp_path: Path
) -> None:
    done = _run(whole, tmp_path)
    first, second = done.results
    assert first.differences == ()
    # The row of triage names the unit: no row of routing was asked.
    assert [(one.what, one.came) for one in second.differences] == [("routing_row", "none")]


def test_rows_of_all_tables_and_what_is_left_over_are_to_be_reached(
    whole: CompiledPolicy, tmp_path: Path
) -> None:
    done = _run(whole, tmp_path)
    assert done.unreached == {
        "triage": ("often",), "routing": ("otherwise",), "evaluators": ("otherwise",),
    }  # fmt: skip
    assert (done.rows, done.reached) == (10, 7)
