"""How a year is scored, and what the policy file may say about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import PolicyError
from shared.domain.keeping import AssessmentRule, Measure
from shared.policy import parse_policy
from shared.policy.deciding.assess import Tally, assess

RULE = AssessmentRule(
    weights={
        Measure.ON_TIME: 40,
        Measure.SATISFACTION: 40,
        Measure.COMPLETION: 10,
        Measure.REPEATS: 10,
    },
    at_least=20,
)
YEAR = Tally(
    cases=20, closed=15, withdrawn=4, repeats=2, on_time=12, owed=16, rated=10, satisfied=5
)


def test_the_score_is_the_weighted_mean_of_the_measures() -> None:
    found = assess(YEAR, RULE)
    assert found.score == pytest.approx(
        40 * 12 / 16 + 40 * 5 / 10 + 10 * 15 / 16 + 10 * (1 - 2 / 20)
    )
    assert sum(part.points or 0 for part in found.measures.values()) == pytest.approx(found.score)


def test_a_measure_without_data_is_left_out_and_the_others_weigh_more() -> None:
    nobody_rated = Tally(cases=20, closed=20, repeats=0, on_time=10, owed=20)
    found = assess(nobody_rated, RULE)
    assert found.score == pytest.approx((40 * 0.5 + 10 + 10) / 60 * 100)
    silent, kept = found.measures[Measure.SATISFACTION], found.measures[Measure.ON_TIME]
    assert (silent.value, silent.weight, silent.points) == (None, 0, None)
    assert kept.weight == pytest.approx(100 * 40 / 60)


def test_too_few_cases_give_figures_and_no_score() -> None:
    found = assess(Tally(cases=19, closed=19, on_time=19, owed=19), RULE)
    assert (found.score, found.reason) == (None, "too-few-cases")
    assert found.measures[Measure.ON_TIME].value == 1
    assert found.measures[Measure.ON_TIME].points is None


def test_cases_without_any_data_for_what_is_weighed_give_no_score() -> None:
    rule = AssessmentRule(weights={Measure.SATISFACTION: 100})
    assert assess(Tally(cases=1), rule).reason == "no-data"


@given(
    st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50),
    st.dictionaries(st.sampled_from(list(Measure)), st.integers(1, 100), min_size=1),
)  # fmt: skip
def test_a_score_lies_between_0_and_100(
    closed: int, withdrawn: int, late: int, rated: int, weights: dict[Measure, int]
) -> None:
    tally = Tally(
        cases=closed + withdrawn + late,
        closed=closed,
        withdrawn=withdrawn,
        repeats=withdrawn,
        on_time=closed,
        owed=closed + late,
        rated=rated,
        satisfied=rated // 2,
    )
    found = assess(tally, AssessmentRule(weights=weights))
    assert (found.score is None) == (found.reason is not None)
    assert found.score is None or -1e-9 <= found.score <= 100 + 1e-9


def test_the_policy_says_what_weighs_how_much(small_text: str) -> None:
    section = "assessment: {weights: {on-time: 70, repeats: 30}, at_least: 5}\n"
    policy = parse_policy("small.yaml", (small_text + section).encode())
    weights = {Measure.ON_TIME: 70, Measure.REPEATS: 30}
    assert policy.assessment == AssessmentRule(weights=weights, at_least=5)
    policy.close()


def test_without_the_section_no_year_is_scored(small_text: str) -> None:
    policy = parse_policy("small.yaml", small_text.encode())
    assert policy.assessment is None
    policy.close()


@pytest.mark.parametrize(
    ("section", "path", "code", "help_"),
    [
        ("{weights: {on-time: 70, repeats: 20}}", "assessment.weights", "weights", "90 together"),
        ("{weights: {}}", "assessment.weights", "too-short", "at least 1"),
        ("{weights: {on-time: 100, repeats: 0}}",
         "assessment.weights.repeats", "greater-than-equal", "1"),
        ("{weights: {punctual: 100}}", "assessment.weights.punctual", "enum", "on-time"),
        ("{weights: {on-time: 100}, at_least: 0}",
         "assessment.at_least", "greater-than-equal", "1"),
        ("{weights: {on-time: 100}, least: 3}", "assessment.least", "extra-forbidden", "least"),
    ],
)  # fmt: skip
def test_a_mistake_about_scores_is_told_with_its_place(
    small_text: str, section: str, path: str, code: str, help_: str
) -> None:
    text = f"{small_text}assessment: {section}\n"
    with pytest.raises(PolicyError) as caught:
        parse_policy("small.yaml", text.encode())
    [problem] = caught.value.problems
    assert problem.field.startswith(f"line {text.count(chr(10))}, column ")
    assert (problem.field.partition(": ")[2], problem.code) == (path, code)
    assert help_ in problem.message
