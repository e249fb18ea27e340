"""Why, why not, what if: explanations of cases that nobody recorded."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.domain.aggregates import Actor
from shared.domain.case import Kind
from shared.domain.errors import ConfigurationError
from shared.policy import CompiledPolicy
from shared.policy.deciding.sections import sections
from shared.policy.engine.table import FactType, Predicate, Row, Table
from shared.policy.explaining.explain import Explanation, explain, explain_recorded, explain_table
from shared.policy.explaining.hypothetical import Hypothetical, case_of, handling_of
from shared.policy.explaining.narrate import narrate
from shared.policy.explaining.whatif import changed
from shared.policy.explaining.words import WORDS

HOUSEHOLD = Hypothetical(
    channel="customer-hotline", kind=Kind.SUGGESTION, subject="停电",
    recorded_at=datetime(2026, 3, 2, 1, 30, tzinfo=UTC), attributes={"customer": "household"},
)  # fmt: skip


def _triage(explained: Explanation) -> tuple[str, ...]:
    return explained.tables[0].rows


def test_the_row_that_decided_is_named_with_its_conditions_and_the_facts(
    xiaoshan: CompiledPolicy,
) -> None:
    hospital = changed(HOUSEHOLD, ["customer=hospital"], xiaoshan)
    explained = explain(hospital, xiaoshan)
    assert _triage(explained) == ("outage at a place that cannot wait",)
    assert explained.decision.row == "outage at a place that cannot wait"
    why = {asked.fact: (asked.value, asked.holds) for asked in explained.tables[0].why}
    assert why == {"item": ("unplanned-outage", True), "customer": ("hospital", True)}
    assert explained.tables[0].facts["side"] == "outside"
    assert (explained.category, explained.item) == ("power-supply", "unplanned-outage")
    assert explained.due_at is not None
    assert xiaoshan.calendar.local_day(explained.due_at).isoformat() == "2026-03-09"


def test_the_nearest_rows_say_what_would_have_to_differ(xiaoshan: CompiledPolicy) -> None:
    """And each of them decides, once just that is otherwise."""
    explained = explain(HOUSEHOLD, xiaoshan)
    assert _triage(explained) == ("everything else",)
    near = {row.row: row for row in explained.tables[0].nearly}
    assert [asked.fact for asked in near["outage"].differs] == ["kind"]
    assert near["outage of many customers"].differs[0].at_least == 100
    for change, row in {
        "kind=problem": "outage",
        "customers-affected=100": "outage of many customers",
        "customer=school": "outage at a place that cannot wait",
    }.items():
        assert _triage(explain(changed(HOUSEHOLD, [change], xiaoshan), xiaoshan)) == (row,)


def test_rows_that_match_too_late_and_rows_behind_are_told_apart(xiaoshan: CompiledPolicy) -> None:
    case = Hypothetical(channel="customer-hotline", kind=Kind.COMPLAINT, category="power-supply",
                        item="bills", repeat_of="earlier")  # fmt: skip
    triage = explain(case, xiaoshan).tables[0]
    assert triage.rows == ("the same matter again",)
    assert triage.behind == ("complaint", "everything else")
    places = {row.name: place for place, row in enumerate(sections(xiaoshan.document)[0].rows)}
    for near in triage.nearly:
        assert near.late == (places[near.row] > places["the same matter again"])


def test_who_rates_is_told_role_by_role(xiaoshan: CompiledPolicy) -> None:
    case = Hypothetical(
        channel="station-reception", category="power-supply", item="new-connection",
        station="beigan", place="Beigan", recorder="member-3", attributes={"customer": "company"},
        answered_by=Actor(unit="beigan", person="member-3"),
    )  # fmt: skip
    explained = explain(case, xiaoshan)
    reached = {role.role: role.reached for role in explained.roles}
    assert reached["informant"] == ()
    assert reached["recorder"] == ()  # who answers does not rate
    assert len(reached["children"]) == 4
    assert explained.evaluators == reached["children"]


def test_what_intake_would_refuse_is_said_first(xiaoshan: CompiledPolicy) -> None:
    explained = explain(Hypothetical(channel="door-visit"), xiaoshan)
    assert {problem.field for problem in explained.refused} == {"station", "place"}
    assert narrate(explained, xiaoshan, "en")[0] == WORDS["refused"]["en"]


@pytest.mark.parametrize(
    ("case", "field"),
    [
        ({"channel": "customer-hotine"}, "channel"),
        ({"channel": "customer-hotline", "category": "power-suply", "item": "x"}, "category"),
        ({"channel": "customer-hotline", "station": "guaili"}, "station"),
        ({"channel": "customer-hotline", "answered_by": {"unit": "nobody"}}, "answered_by.unit"),
    ],
)
def test_whatever_is_wrong_with_a_case_is_told_and_explained_as_far_as_it_goes(
    xiaoshan: CompiledPolicy, case: dict[str, object], field: str
) -> None:
    explained = explain(Hypothetical.model_validate(case), xiaoshan)
    assert field in {problem.field for problem in explained.refused}
    assert narrate(explained, xiaoshan, "zh")


def test_a_moment_at_the_end_of_all_calendars_has_no_due_date(xiaoshan: CompiledPolicy) -> None:
    late = HOUSEHOLD.model_copy(update={"recorded_at": datetime(9999, 12, 31, 23, 59, tzinfo=UTC)})
    assert explain(late, xiaoshan).due_at is None


def test_a_recorded_decision_is_explained_from_its_facts_alone(xiaoshan: CompiledPolicy) -> None:
    """The text is not kept with the decision, and is not needed."""
    case = case_of(HOUSEHOLD, xiaoshan)
    decision = xiaoshan.triage(case)
    handling = handling_of(case, decision, xiaoshan).but(started_at=case.recorded_at)
    assert explain_recorded(decision, handling, xiaoshan) == explain(HOUSEHOLD, xiaoshan)


def test_explanations_are_told_in_both_languages(xiaoshan: CompiledPolicy) -> None:
    explained = explain(changed(HOUSEHOLD, ["kind=problem"], xiaoshan), xiaoshan)
    english, chinese = (narrate(explained, xiaoshan, language) for language in ("en", "zh"))
    assert english[0].startswith("Red (red), to Emergency repair")
    assert chinese[0].startswith("红色 (red)，交 抢修服务中心党支部")
    assert len(english) == len(chinese)
    assert any("which asks that customers-affected" in line for line in english)
    assert any("不少于 100" in line for line in chinese)
    assert all(words.keys() == {"en", "zh"} for words in WORDS.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("custmer=hospital", "did you mean `customer`"),
        ("customer", "lacks a value"),
        ("kind=rumour", "cannot be set so"),
    ],
)
def test_a_wrong_change_is_refused_with_its_mend(
    xiaoshan: CompiledPolicy, change: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        changed(HOUSEHOLD, [change], xiaoshan)


def test_an_empty_value_takes_a_fact_away(xiaoshan: CompiledPolicy) -> None:
    assert changed(HOUSEHOLD, ["customer=", "repeat=true"], xiaoshan).attributes == {}
    assert changed(HOUSEHOLD, ["repeat=true"], xiaoshan).repeat_of


def test_a_table_without_a_row_for_the_case_says_so() -> None:
    table = Table.of("triage", {"kind": FactType.TEXT}, (Row("a", (Predicate("kind", ("x",)),)),))
    told = explain_table(table, {"kind": "problem"})
    assert told.rows == ()
    assert not told.nearly[0].late
