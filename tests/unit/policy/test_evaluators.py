"""Who may rate an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.aggregates import Actor, Handling
from shared.policy import CompiledPolicy, load_policy


def handling(**changes: Any) -> Handling:
    given: dict[str, Any] = {
        "case_id": "c1",
        "channel": "hotline",
        "unit": "repair",
        "level": "base",
    }
    return Handling.from_plain(given | changes)


def test_evaluators_come_in_the_order_of_the_roles(small: CompiledPolicy) -> None:
    asked = handling(informant_ref="i1", recorder="r1", station="south")
    assert list(small.evaluators(asked)) == [
        "informant:i1", "person:r1", "unit:south", "unit:north", "unit:house",
    ]  # fmt: skip


def test_an_informant_without_a_number_is_known_by_the_case(small: CompiledPolicy) -> None:
    assert small.evaluators(handling(informant_reachable=True))[0] == "informant:c1"
    assert not small.evaluators(handling())[0].startswith("informant")


def test_pairs_hold_in_both_directions(small: CompiledPolicy) -> None:
    assert "unit:north" in small.evaluators(handling(unit="south"))
    assert "unit:south" in small.evaluators(handling(unit="north"))


@pytest.mark.parametrize(
    ("changes", "barred"),
    [
        ({"unit": "south", "station": "south"}, "unit:south"),
        ({"station": "south", "replied_by": Actor(unit="south")}, "unit:south"),
        ({"recorder": "p", "replied_by": Actor(unit="repair", person="p")}, "person:p"),
        ({"recorder": "p", "assignee": "p"}, "person:p"),
        ({"informant_ref": "p", "assignee": "p"}, "informant:p"),
    ],
)
def test_whoever_handled_the_case_is_not_asked(
    small: CompiledPolicy, changes: dict[str, Any], barred: str
) -> None:
    assert barred not in small.evaluators(handling(**changes))


def test_a_level_that_the_policy_dropped_has_no_evaluators(small: CompiledPolicy) -> None:
    assert list(small.evaluators(handling(level="gone", informant_ref="i"))) == []


XIAOSHAN = load_policy(Path(__file__).parents[3] / "examples" / "policies" / "xiaoshan.yaml")
UNITS = sorted(XIAOSHAN.units)
PEOPLE = st.sampled_from([None, "p1", "p2"])


@given(
    people=st.tuples(PEOPLE, PEOPLE, PEOPLE, PEOPLE),
    unit=st.sampled_from(UNITS),
    replier=st.sampled_from(UNITS),
    station=st.sampled_from([None, *UNITS]),
    channel=st.sampled_from(["customer-hotline", "round-table"]),
)
def test_nobody_ever_rates_the_own_work(
    people: tuple[str | None, ...],
    unit: str,
    replier: str,
    station: str | None,
    channel: str,
) -> None:
    recorder, assignee, person, informant = people
    asked = handling(
        unit=unit, level=XIAOSHAN.units[unit].level, channel=channel, station=station,
        recorder=recorder, assignee=assignee, informant_ref=informant,
        replied_by=Actor(unit=replier, person=person),
    )  # fmt: skip
    found = list(XIAOSHAN.evaluators(asked))
    barred = {f"unit:{unit}", f"unit:{replier}"}
    for one in (assignee, person):
        barred |= {f"person:{one}", f"informant:{one}"}
    assert not barred.intersection(found)
    assert len(found) == len(set(found))


def test_every_unit_of_the_bureau_has_someone_who_rates_it() -> None:
    """Even where neither the informant nor the recorder is known, but for lone sub-stations."""
    lonely = []
    for unit in XIAOSHAN.units.values():
        asked = handling(unit=unit.id, level=unit.level, channel="round-table")
        if not XIAOSHAN.evaluators(asked):
            lonely.append(unit.id)
    assert lonely == []


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("bureau", "unit:marketing"),  # leaders: the units visited
        ("finance", "unit:suoqian"),  # departments: the branches tied to them
        ("linpu", "unit:linpu-villages"),  # branches: their members
        ("linpu-hall", "unit:linpu-companies"),  # members: whom they are paired with
    ],
)
def test_evaluation_goes_from_the_bottom_up(unit: str, expected: str) -> None:
    asked = handling(unit=unit, level=XIAOSHAN.units[unit].level, channel="round-table")
    assert expected in XIAOSHAN.evaluators(asked)
