"""What a file can say beyond a list of rows: hit policies, routing, escalation, more conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.domain.aggregates import Handling
from shared.domain.case import Case
from shared.policy import CompiledPolicy, parse_policy
from shared.policy.engine.durable import Fault
from tests.unit.policy.samples import (
    COUNTED,
    COUNTS,
    ESCALATION,
    EVALUATORS,
    PRIORITY,
    ROUTED,
    UNIQUE,
    with_section,
)

MakeCase = Callable[..., Case]
Bend = Callable[..., CompiledPolicy]


@pytest.fixture
def bend(small_text: str) -> Iterator[Bend]:
    """Loads the small policy with one table written differently, and texts replaced."""
    made: list[CompiledPolicy] = []

    def bent(section: str = "", text: str = "", **replaced: str) -> CompiledPolicy:
        whole = with_section(small_text, section, text) if section else small_text
        for old, new in replaced.items():
            whole = whole.replace(f"{old}:", f"{new}\n{old}:", 1)
        made.append(parse_policy("bent.yaml", whole.encode()))
        return made[-1]

    yield bent
    for policy in made:
        policy.close()


def test_the_most_urgent_colour_wins_wherever_its_row_stands(bend: Bend, case: MakeCase) -> None:
    policy = bend("triage", PRIORITY)
    assert policy.triage(case(text="着火")).row == "danger"
    assert policy.triage(case()).row == "rest"


def test_what_no_row_takes_gets_the_outcome_that_is_named_for_it(
    bend: Bend, case: MakeCase
) -> None:
    decision = bend("triage", UNIQUE).triage(case(station="south"))
    assert (decision.row, decision.colour, decision.unit) == ("otherwise", "yellow", "south")


def test_an_overlap_at_run_time_is_decided_by_the_first_row_and_counted(
    small_text: str, case: MakeCase
) -> None:
    told: list[Fault] = []
    text = with_section(small_text, "triage", UNIQUE)
    policy = parse_policy("bent.yaml", text.encode(), told.append)
    assert policy.triage(case(attributes={"affected": 10})).row == "few"
    assert policy.triage(case(attributes={"affected": 11})).row == "many"
    assert (policy.conflicts, policy.fallbacks) == (1, 0)
    assert told == [Fault("overlap", "`few` and `many` of triage both match")]


def test_routing_decides_the_unit_where_triage_names_none(bend: Bend, case: MakeCase) -> None:
    policy = bend("triage", ROUTED)
    south = policy.triage(case(station="south"))
    assert (south.unit, south.row, south.routing_row) == ("north", "rest", "south")
    matter = policy.triage(case(category="power"))
    assert (matter.unit, matter.routing_row) == ("repair", "by matter")
    danger = policy.triage(case(station="south", text="着火"))
    assert (danger.unit, danger.routing_row) == ("repair", None)


@pytest.mark.parametrize(
    ("condition", "changes", "holds"),
    [
        ("station: {within: house}", {"station": "south"}, True),
        ("station: {within: north}", {"station": "south"}, False),
        ("station: {within: house}", {"station": "house"}, True),
        ("station: {within: [north, south]}", {"station": "south"}, True),
        ("station: {within: house, not: south}", {"station": "south"}, False),
        ("station: {within: house}", {}, False),
        ("item: {within: power}", {"item": "planned"}, True),
        ("item: {within: power}", {"item": "tariff"}, False),
        ("affected: {between: [2, 5]}", {"attributes": {"affected": 2}}, True),
        ("affected: {between: [2, 5]}", {"attributes": {"affected": 5}}, True),
        ("affected: {between: [2, 5]}", {"attributes": {"affected": 6}}, False),
        ("affected: {between: [2, 5], at_least: 4}", {"attributes": {"affected": 3}}, False),
        ("affected: {between: [2, 5], not: 3}", {"attributes": {"affected": 3}}, False),
    ],
)
def test_conditions_of_ranges_and_trees(
    bend: Bend, case: MakeCase, condition: str, changes: dict[str, Any], holds: bool
) -> None:
    rows = f"""
  - {{name: tested, when: {{{condition}}}, then: {{colour: red, unit: repair}}}}
  - {{name: rest, when: {{}}, then: {{colour: yellow, unit: station}}}}
"""
    row = bend("triage", rows).triage(case(**changes)).row
    assert row == ("tested" if holds else "rest")


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("I got an ELECTRIC\n  shock!", True),
        ("an electrics shock", False),
        ("他 触　电了", False),
        ("他触电了", True),
    ],
)
def test_a_phrase_is_found_over_line_breaks(
    small_text: str, case: MakeCase, text: str, holds: bool
) -> None:
    bent = small_text.replace("keywords: [触电, 着火]", "keywords: [触电, electric shock]")
    policy = parse_policy("bent.yaml", bent.encode())
    assert policy.triage(case(text=text)).facts["danger"] is holds


def test_counts_are_facts_that_come_with_the_case_or_are_handed_in(
    small_text: str, case: MakeCase
) -> None:
    text = with_section(with_section(small_text, "triage", COUNTED), "counts", COUNTS)
    policy = parse_policy("bent.yaml", text.encode())
    assert {name: (count.of, count.days) for name, count in policy.counts.items()} == {
        "again": ("same-matter", 30)
    }
    assert policy.triage(case(counts={"again": 3})).row == "often"
    assert policy.triage(case(counts={"again": 2})).row == "rest"
    assert policy.triage(case(), {"again": 4}).facts["again"] == 4
    unknown = policy.triage(case())
    assert (unknown.row, unknown.facts["again"]) == ("rest", None)


@pytest.mark.parametrize(
    ("hit", "asked"),
    [
        ("first", ["unit:house", "informant:i1"]),
        ("rule-order", ["unit:house", "informant:i1", "person:r1"]),
        ("collect", ["informant:i1", "person:r1", "unit:house"]),
    ],
)
def test_all_rows_that_match_can_name_evaluators(bend: Bend, hit: str, asked: list[str]) -> None:
    policy = bend("evaluators", EVALUATORS.format(hit=hit))
    handled = Handling(case_id="c1", channel="hotline", unit="south", level="base",
                       informant_ref="i1", recorder="r1")  # fmt: skip
    assert policy.evaluators(handled) == asked
    top = Handling(case_id="c1", channel="visit", unit="house", level="top")
    assert policy.evaluators(top) == ["unit:repair", "unit:north", "unit:south"]


@pytest.mark.parametrize(
    ("hit", "colour", "unit", "days", "units"),
    [
        ("first", "red", "south", 1, ["house"]),
        ("first", "yellow", "south", 2, ["repair"]),
        ("first", "yellow", "repair", 4, ["house"]),
        ("rule-order", "red", "north", 1, ["house", "repair", "south"]),
        ("collect", "red", "north", 1, ["repair", "south", "house"]),
    ],
)
def test_pace_and_chain_of_the_escalation_can_depend_on_the_case(
    bend: Bend, hit: str, colour: str, unit: str, days: int, units: list[str]
) -> None:
    policy = bend("escalation", ESCALATION.format(hit=hit))
    climb = policy.escalation(Handling(case_id="c1", colour=colour, unit=unit))
    assert (climb.days, list(climb.units)) == (days, units)


def test_without_rows_all_cases_climb_as_the_tree_says(small: CompiledPolicy) -> None:
    climb = small.escalation(Handling(case_id="c1", colour="red", unit="south"))
    assert (climb.days, climb.units) == (2, ("north", "house"))


@pytest.mark.parametrize("word", ["опасно", "خطر", "อันตราย", "危險", "🔥🔥", "χάος"])
def test_words_of_other_scripts_are_found_as_they_stand(
    small_text: str, case: MakeCase, word: str
) -> None:
    bent = small_text.replace("keywords: [触电, 着火]", f"keywords: [{word}]")
    policy = parse_policy("bent.yaml", bent.encode())
    assert policy.triage(case(text=f"… {word.upper()} !")).row == "danger"
    assert policy.triage(case(text="…")).row == "rest"
