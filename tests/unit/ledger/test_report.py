"""The report adds up counts, and its rates cannot read better than the house is."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from services.ledger.figures import Report
from services.ledger.queries import Figures, Group, Votes
from services.ledger.reading import period_of
from services.ledger.report import Frame, make, on_time, percent, satisfaction
from shared.domain.errors import Refusal
from shared.domain.model import micros
from tests.support.house import SmallPolicy, at

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def group(**parts: str) -> Group:
    known = {
        "colour": "red",
        "unit": "north",
        "channel": "hotline",
        "category": "power",
        "item": "outage",
        "version": "small@1",
    }
    return tuple({**known, **parts}.values())


def report(figures: dict[Group, Figures], votes: dict[Group, Votes] | None = None) -> Report:
    return make(Frame(NOW, None, None, SmallPolicy()), figures, votes or {})


def test_cases_that_rot_open_lower_the_rate() -> None:
    assert on_time(Figures(on_time=9, late=1)).rate == 0.9
    assert on_time(Figures(on_time=9, late=1, open_overdue=8)).rate == 0.5


def test_where_nothing_counts_there_is_no_rate() -> None:
    assert on_time(Figures(cases=3, open=3)).rate is None
    assert satisfaction(Votes(asked=3)).rate is None


def test_satisfaction_is_a_share_of_those_who_rated_not_of_those_who_were_asked() -> None:
    assert satisfaction(Votes(asked=10, rated=4, satisfied=3)).rate == 0.75


def test_all_is_the_sum_of_the_colours() -> None:
    found = report(
        {
            group(): Figures(cases=4, closed=3, open=1, on_time=2, late=1, open_overdue=1),
            group(colour="yellow"): Figures(cases=2, closed=2, on_time=2),
        }
    )
    assert found.cases == 6
    assert found.on_time["red"].rate == 0.5
    assert found.on_time["yellow"].rate == 1.0
    assert found.on_time["all"].on_time == 4
    assert found.on_time["all"].rate == pytest.approx(4 / 6)


def test_every_colour_and_level_of_the_policy_is_shown_in_its_order_before_all() -> None:
    found = report({})
    assert list(found.on_time) == ["red", "yellow", "all"]
    assert list(found.satisfaction) == ["leaders", "departments", "branches", "all"]
    assert found.on_time["all"].rate is None


def test_a_colour_that_the_policy_has_dropped_still_counts() -> None:
    found = report({group(colour="blue"): Figures(cases=1, closed=1, on_time=1)})
    assert list(found.on_time) == ["red", "yellow", "blue", "all"]
    assert found.on_time["all"].on_time == 1


def test_a_case_that_is_not_routed_yet_is_a_case_but_has_no_colour_nor_unit() -> None:
    found = report({group(colour="", unit="", version=""): Figures(cases=1, open=1)})
    assert (found.cases, found.open) == (1, 1)
    assert "" not in found.on_time
    assert found.units == []
    assert found.policy_versions == {}


def test_the_repeat_rate_is_the_share_of_all_cases() -> None:
    assert report({group(): Figures(cases=200, repeats=5)}).repeat_rate == 0.025
    assert report({}).repeat_rate is None


def test_units_have_their_own_figures_and_judgements() -> None:
    found = report(
        {
            group(unit="north"): Figures(cases=1, on_time=1),
            group(unit="south"): Figures(cases=3, late=1),
            group(unit="north", colour="yellow"): Figures(cases=1, late=1),
        },
        {("branches", "north", "power"): Votes(asked=2, rated=2, satisfied=1)},
    )
    south, north = found.units
    assert (south.id, south.cases, north.id, north.cases) == ("south", 3, "north", 2)
    assert north.on_time.rate == 0.5
    assert north.satisfaction is not None
    assert north.satisfaction.rate == 0.5
    assert found.channels[0].satisfaction is None


def test_the_top_needs_are_what_most_cases_are_about() -> None:
    found = report(
        {
            group(item="outage"): Figures(cases=2, open=1, open_overdue=1),
            group(item="outage", colour="yellow"): Figures(cases=2),
            group(item="bill"): Figures(cases=3),
            group(category="water", item=""): Figures(cases=1),
        }
    )
    needs = [(need.category, need.item, need.cases) for need in found.top_needs]
    assert needs == [("power", "outage", 4), ("power", "bill", 3), ("water", None, 1)]
    assert found.top_needs[0].open_overdue == 1


def test_the_top_dissatisfaction_is_where_most_judgements_were_bad() -> None:
    found = report(
        {},
        {
            ("branches", "north", "power"): Votes(asked=9, rated=9, satisfied=9),
            ("branches", "south", "power"): Votes(asked=9, rated=8, satisfied=5),
            ("branches", "south", "water"): Votes(asked=5, rated=5, satisfied=0),
        },
    )
    worst = [(one.unit, one.category, one.dissatisfied) for one in found.top_dissatisfaction]
    assert worst == [("south", "water", 5), ("south", "power", 3)]


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (None, "–"),
        (0.0, "0.0 %"),
        (1.0, "100.0 %"),
        (999_999 / 1_000_000, "99.9 %"),
        (0.29, "29.0 %"),
        (2 / 3, "66.6 %"),
    ],
)
def test_a_rate_reads_100_percent_only_if_it_is(rate: float | None, shown: str) -> None:
    assert percent(rate) == shown


def test_a_period_is_of_whole_days_on_the_wall_of_the_house() -> None:
    period = period_of(SmallPolicy(), date(2026, 3, 2), date(2026, 3, 3))
    assert period.start == micros(at("2026-03-02 00:00"))
    assert period.end == (micros(at("2026-03-04 00:00")) or 0) - 1


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (date(2026, 3, 3), date(2026, 3, 2), "from"),
        (date(1, 1, 1), None, "from"),
        (None, date(9999, 12, 31), "to"),
    ],
)
def test_an_impossible_period_is_refused(start: date | None, end: date | None, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        period_of(SmallPolicy(), start, end)
    assert refused.value.problems[0].field == field
