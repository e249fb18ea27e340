"""Pauses and extensions: what they move, who may, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.deadline import acts, logic
from shared.domain.aggregates import Actor, Clocks, ExtensionState, Handling, Limits
from shared.domain.case import Standing, State
from shared.domain.commands import DecideExtension, PauseClock, RequestExtension
from shared.domain.errors import Conflict, NotFound, Refusal
from shared.domain.events import CaseDueSoon, CaseOverdue, CaseResumed
from tests.support.house import SmallPolicy, at, replied, routed

POLICY = SmallPolicy()
STATION = Actor(unit="north-station")
NORTH = Actor(unit="north")
WEDNESDAY = at("2026-03-04 10:00")
MOMENT = timedelta(microseconds=1)


def clocks(*handlings: Handling) -> Clocks:
    known = Clocks(case_id="case-1")
    for handling in handlings or (routed(),):
        known = logic.follow(known, handling, POLICY)
    return known


def pausing(
    reason: str = "waiting-for-informant", until: datetime | None = None, unit: str = STATION.unit
) -> PauseClock:
    return PauseClock(case_id="case-1", unit=unit, reason=reason, until=until)


def paused(known: Clocks, when: datetime = WEDNESDAY, until: datetime | None = None) -> Clocks:
    return acts.pause(known, pausing(until=until), POLICY, when)


def asking(days: int = 3, unit: str = STATION.unit) -> RequestExtension:
    return RequestExtension(case_id="case-1", unit=unit, days=days, reason="parts on their way")


def extended(known: Clocks, days: int = 3, when: datetime = WEDNESDAY) -> Clocks:
    asked = acts.request(known, asking(days), POLICY, when)
    return acts.decide(asked, NORTH, POLICY, when, granted=True, note="")


def end_of(day: str) -> datetime:
    return at(f"{day} 00:00") + timedelta(days=1) - MOMENT


def refusal(act: object, *args: object, **kwargs: object) -> Refusal:
    assert callable(act)
    with pytest.raises(Refusal) as caught:
        act(*args, **kwargs)
    assert len(caught.value.problems) == 1
    return caught.value


def code(refused: Refusal) -> str:
    return refused.problems[0].code


def test_a_pause_over_nights_moves_the_due_date_by_the_working_days_that_it_took() -> None:
    still = paused(clocks())
    going = acts.resume(still, STATION, POLICY, at("2026-03-09 08:00"))  # over a weekend
    assert going.due_at == end_of("2026-03-12")  # Wednesday, Thursday and Friday were lost
    assert going.original_due_at == end_of("2026-03-09")
    assert logic.days_paused(going, POLICY.calendar) == 3
    assert (going.version, going.pauses[0].ended_by) == (3, STATION)


def test_a_pause_within_a_day_costs_nothing() -> None:
    going = acts.resume(paused(clocks()), STATION, POLICY, WEDNESDAY + timedelta(hours=9))
    assert going.due_at == clocks().due_at
    assert going.marks == clocks().marks


def test_while_the_clocks_stand_still_they_wait_for_nothing_but_the_end_of_the_pause() -> None:
    still = paused(clocks())
    assert [(mark.kind, mark.at) for mark in still.marks] == [
        ("resume", end_of("2026-03-18"))  # ten working days, as the policy bounds it
    ]
    assert logic.speak(still, POLICY, at("2026-03-18 23:00")) == []


def test_a_pause_that_nobody_ends_ends_by_itself_and_the_clocks_go_on() -> None:
    still = paused(clocks(), until=at("2026-03-06 12:00"))
    [resumed, *later] = logic.speak(still, POLICY, at("2026-03-12 08:00"))
    assert isinstance(resumed, CaseResumed)
    assert (resumed.pause.ended_at, resumed.pause.ended_by) == (at("2026-03-06 12:00"), None)
    assert resumed.paused_days == 2
    assert resumed.clocks.due_at == end_of("2026-03-11")
    assert [type(event) for event in later] == [CaseDueSoon, CaseDueSoon, CaseOverdue]


def test_days_left_leave_out_the_days_of_the_pause() -> None:
    still = paused(clocks(), until=at("2026-03-06 12:00"))
    assert logic.working_days_left(clocks(), POLICY.calendar, WEDNESDAY) == 3
    # Wednesday and Thursday are left out: Friday, and Monday to Wednesday, are left.
    assert logic.working_days_left(still, POLICY.calendar, WEDNESDAY) == 4


def test_an_answer_ends_the_pause_and_counts_from_where_the_clock_stood() -> None:
    handling = routed()
    still = paused(clocks(handling))
    answered = logic.follow(still, replied(handling, at("2026-03-17 09:00")), POLICY)
    assert not logic.is_overdue(answered, at("2026-03-17 09:00"))
    [event] = logic.news(still, answered, POLICY.calendar)
    assert isinstance(event, CaseResumed)
    assert event.pause.ended_at == at("2026-03-17 09:00")
    assert answered.pause is None


def test_an_extension_moves_the_due_date_and_the_original_one_stays_visible() -> None:
    more = extended(clocks(), days=3)
    assert (more.original_due_at, more.due_at) == (end_of("2026-03-09"), end_of("2026-03-12"))
    [granted] = more.extensions
    assert (granted.state, granted.by, granted.decided_by) == (
        ExtensionState.GRANTED,
        STATION,
        NORTH,
    )


def test_a_refused_extension_moves_nothing() -> None:
    asked = acts.request(clocks(), asking(), POLICY, WEDNESDAY)
    refused = acts.decide(asked, NORTH, POLICY, WEDNESDAY, granted=False, note="no need")
    assert (refused.due_at, refused.marks) == (clocks().due_at, clocks().marks)
    assert refused.extensions[0].state is ExtensionState.REFUSED


def test_warnings_are_given_again_before_the_new_due_date() -> None:
    [*_, last] = logic.speak(clocks(), POLICY, at("2026-03-06 08:00"))
    more = extended(last.clocks, 3, at("2026-03-06 09:00"))
    warned = [mark.at for mark in more.marks if mark.kind == "due-soon"]
    assert warned == [at("2026-03-10 00:00"), at("2026-03-11 00:00")]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (pausing("holiday"), "unknown-reason"),
        (pausing(unit="south"), "not-entitled"),
        (pausing("planned-outage"), "not-entitled"),
        (pausing(until=WEDNESDAY), "in-the-past"),
        (pausing(until=at("2026-03-19 00:00")), "too-long"),
    ],
)
def test_a_pause_is_refused_where_the_policy_does_not_have_it(
    command: PauseClock, expected: str
) -> None:
    assert code(refusal(acts.pause, clocks(), command, POLICY, WEDNESDAY)) == expected


def test_whoever_has_no_right_is_told_who_has_it() -> None:
    refused = refusal(acts.pause, clocks(), pausing("planned-outage"), POLICY, WEDNESDAY)
    assert str(refused).endswith(
        "'north-station' may not pause for 'planned-outage'; who may: 'north'"
    )
    still = acts.pause(clocks(), pausing("planned-outage", unit="north"), POLICY, WEDNESDAY)
    assert still.pause is not None
    assert still.pause.by == NORTH


def test_at_the_top_of_the_house_there_is_no_parent_to_ask() -> None:
    top = clocks(routed(unit="leaders"))
    refused = refusal(acts.pause, top, pausing("planned-outage", unit="leaders"), POLICY, WEDNESDAY)
    assert "who may: nobody" in str(refused)


def test_a_second_pause_and_a_second_end_are_conflicts() -> None:
    still = paused(clocks())
    assert code(refusal(acts.pause, still, pausing(), POLICY, WEDNESDAY)) == "already-paused"
    going = acts.resume(still, STATION, POLICY, WEDNESDAY)
    assert code(refusal(acts.resume, going, STATION, POLICY, WEDNESDAY)) == "not-paused"


STOPPED = clocks(routed(), replied(routed(), at("2026-03-03 10:00")))
OVER = logic.settle(clocks(), Standing(state=State.WITHDRAWN))
FREE = clocks(routed(answer_owed=False, limits=Limits()))
FUTURE = clocks(routed(started_at=at("2026-03-05 09:00")))
AFTER = at("2026-03-10 00:00")


@pytest.mark.parametrize(
    ("known", "now", "expected"),
    [
        (Clocks(case_id="case-1"), WEDNESDAY, "unknown-case"),
        (STOPPED, WEDNESDAY, "clock-stopped"),
        (OVER, WEDNESDAY, "case-withdrawn"),
        (FREE, WEDNESDAY, "no-clock"),
        (FUTURE, WEDNESDAY, "not-started"),
        (clocks(), AFTER, "deadline-passed"),
    ],
)
def test_neither_pause_nor_extension_where_no_clock_runs_to_its_end(
    known: Clocks, now: datetime, expected: str
) -> None:
    paused_ = refusal(acts.pause, known, pausing(), POLICY, now)
    asked = refusal(acts.request, known, asking(), POLICY, now)
    assert code(paused_) == code(asked) == expected
    assert isinstance(paused_, NotFound if expected == "unknown-case" else Conflict)


def test_nothing_is_granted_after_the_end_but_it_can_still_be_refused() -> None:
    asked = acts.request(clocks(), asking(), POLICY, WEDNESDAY)
    late = refusal(acts.decide, asked, NORTH, POLICY, AFTER, granted=True, note="")
    assert code(late) == "deadline-passed"
    refused = acts.decide(asked, NORTH, POLICY, AFTER, granted=False, note="too late")
    assert refused.extensions[0].state is ExtensionState.REFUSED


def test_extensions_are_asked_one_at_a_time_and_only_so_often() -> None:
    asked = acts.request(clocks(), asking(), POLICY, WEDNESDAY)
    assert code(refusal(acts.request, asked, asking(), POLICY, WEDNESDAY)) == "already-asked"
    twice = extended(extended(clocks(), 1), 1)
    assert code(refusal(acts.request, twice, asking(), POLICY, WEDNESDAY)) == "no-more-extensions"
    none = replace(POLICY, clocks=replace(POLICY.clocks, extension=None))
    assert code(refusal(acts.request, clocks(), asking(), none, WEDNESDAY)) == "no-extensions"


def test_the_unit_itself_cannot_grant_what_its_parent_decides() -> None:
    asked = acts.request(clocks(), asking(), POLICY, WEDNESDAY)
    own = refusal(acts.decide, asked, STATION, POLICY, WEDNESDAY, granted=True, note="")
    assert "who may: 'north'" in str(own)
    nothing = refusal(acts.decide, clocks(), NORTH, POLICY, WEDNESDAY, granted=True, note="")
    assert code(nothing) == "nothing-asked"
    long = refusal(acts.request, clocks(), asking(11), POLICY, WEDNESDAY)
    assert code(long) == "too-large"


@pytest.mark.parametrize("days", [0, -1, 10_000, 2.5, "5"])
def test_days_of_an_extension_that_make_no_sense_are_refused_as_such(days: object) -> None:
    given = {"case_id": "case-1", "unit": "north", "days": days, "reason": "more"}
    with pytest.raises(ValueError, match="days"):
        RequestExtension.model_validate(given)


def test_a_pause_until_a_time_without_zone_is_refused() -> None:
    given = {"case_id": "c", "unit": "north", "reason": "waiting", "until": "2026-03-06T12:00:00"}
    with pytest.raises(ValueError, match="timezone"):
        PauseClock.model_validate(given)


def test_a_decision_says_whether_it_grants() -> None:
    with pytest.raises(ValueError, match="granted"):
        DecideExtension.model_validate({"case_id": "c", "unit": "north"})


def test_a_new_round_begins_without_the_pauses_and_extensions_of_the_one_before() -> None:
    first = routed()
    answered = replied(first, at("2026-03-05 10:00"))
    known = logic.follow(extended(paused(clocks(first))), answered, POLICY)
    again = answered.next(
        started_at=at("2026-03-16 09:00"),
        replied_at=None,
        replied_by=None,
        standing=Standing(round=2),
    )
    anew = logic.follow(known, again, POLICY)
    assert (anew.pauses, anew.extensions, anew.due_at) == ((), (), end_of("2026-03-23"))
