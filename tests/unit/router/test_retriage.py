"""Deciding an open case anew: what changes with the decision, and what is kept of what was done."""

from __future__ import annotations

import pytest

from services.router import logic
from shared.domain.aggregates import Decision, Handling, HandlingState, Limits
from shared.domain.case import Standing, State
from shared.domain.errors import Conflict, NotFound
from tests.support.house import at, replied, routed

NOW = at("2026-03-04 09:00")


def decided(**changes: object) -> Decision:
    known = Decision(
        colour="yellow",
        unit="north-station",
        level="branches",
        answer_owed=True,
        limits=Limits(reply=20),
        table="triage",
        row="anew",
        policy_version="small@111111111111",
    )
    return known.but(**changes)


ACCEPTED = routed(
    version=2,
    state=HandlingState.ACCEPTED,
    assignee="clerk",
    accepted_at=at("2026-03-02 10:00"),
    supervisors=("north",),
)


def test_the_unit_that_has_the_case_goes_on_with_it() -> None:
    anew = logic.retriage(ACCEPTED, decided(), NOW)
    assert (anew.version, anew.colour, anew.limits.reply) == (3, "yellow", 20)
    assert (anew.state, anew.assignee, anew.unit) == (
        HandlingState.ACCEPTED,
        "clerk",
        "north-station",
    )
    assert anew.policy_version == "small@111111111111"
    assert anew.started_at == ACCEPTED.started_at
    assert anew.supervisors == ("north",)


def test_another_unit_begins_with_it_and_may_return_it() -> None:
    anew = logic.retriage(ACCEPTED, decided(unit="south-station"), NOW)
    assert (anew.state, anew.assignee, anew.accepted_at) == (HandlingState.ROUTED, None, None)
    assert (anew.came_from, anew.given_at) == ("north-station", NOW)
    assert anew.started_at == ACCEPTED.started_at


def test_what_is_owed_no_answer_any_more_is_noted() -> None:
    anew = logic.retriage(ACCEPTED, decided(answer_owed=False, limits=Limits()), NOW)
    assert (anew.state, anew.answer_owed) == (HandlingState.NOTED, False)


def test_the_same_decision_by_the_same_version_changes_nothing() -> None:
    anew = logic.retriage(ACCEPTED, decided(), NOW)
    assert logic.retriage(anew, decided(), NOW) is anew


@pytest.mark.parametrize(
    ("known", "code"),
    [
        (replied(routed(), at("2026-03-03 09:00")), "case-replied"),
        (routed(state=HandlingState.NOTED), "case-noted"),
        (routed(standing=Standing(state=State.WITHDRAWN)), "case-withdrawn"),
    ],
)
def test_what_is_decided_for_good_is_refused(known: Handling, code: str) -> None:
    assert not logic.is_undecided(known)
    with pytest.raises(Conflict) as caught:
        logic.check_undecided(known)
    assert caught.value.problems[0].code == code


def test_a_case_that_nobody_knows_is_refused() -> None:
    with pytest.raises(NotFound):
        logic.check_undecided(Handling(case_id="nobody"))
