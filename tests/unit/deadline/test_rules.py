"""Acceptance, shares, hours, repeated escalation, another colour, another calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from services.deadline import acts, logic
from shared.domain.aggregates import Clocks, Escalation, Handling, Limits
from shared.domain.calendar import WorkingCalendar
from shared.domain.clock_rules import Share
from shared.domain.commands import PauseClock
from shared.domain.events import (
    CaseEscalated,
    CaseOverdue,
    CaseResumed,
    ClocksEvent,
    DeadlineMoved,
    DeadlineSet,
)
from tests.support.house import CALENDAR, ZONE, SmallPolicy, at, replied, routed

POLICY = SmallPolicy()
BOTH = Limits(accept=1, reply=5)
MOMENT = timedelta(microseconds=1)


def clocks(*handlings: Handling, policy: SmallPolicy = POLICY) -> Clocks:
    known = Clocks(case_id="case-1")
    for handling in handlings:
        known = logic.follow(known, handling, policy)
    return known


def escalating(pace: Escalation) -> SmallPolicy:
    return replace(POLICY, pace=pace)


def acceptance(known: Clocks) -> list[datetime]:
    return [mark.at for mark in known.marks if mark.clock == "accept"]


def steps(events: list[ClocksEvent]) -> list[tuple[int, str]]:
    return [(each.step, each.to_unit) for each in events if isinstance(each, CaseEscalated)]


def test_a_case_that_nobody_accepts_in_time_is_overdue_by_the_acceptance_clock() -> None:
    known = clocks(routed(limits=BOTH))
    assert known.accept_due_at == at("2026-03-04 00:00") - MOMENT
    [breach] = logic.speak(known, POLICY, at("2026-03-04 00:00"))
    assert isinstance(breach, CaseOverdue)
    assert (breach.clock, breach.late_by) == ("accept", None)
    assert not logic.is_overdue(breach.clocks, at("2026-03-04 00:00"))
    assert "escalate" in {mark.kind for mark in breach.clocks.marks}


def test_acceptance_or_the_answer_stops_the_acceptance_clock() -> None:
    handling = routed(limits=BOTH)
    taken = handling.next(accepted_at=at("2026-03-03 09:00"))
    assert acceptance(clocks(handling, taken)) == []
    assert clocks(handling, replied(handling, at("2026-03-03 09:00"))).marks == ()


def test_at_a_transfer_the_acceptance_clock_starts_anew_and_the_reply_clock_goes_on() -> None:
    handling = routed(limits=BOTH)
    taken = handling.next(accepted_at=at("2026-03-03 09:00"))
    moved = taken.next(unit="south-station", given_at=at("2026-03-05 10:00"), accepted_at=None)
    known = clocks(handling, taken, moved)
    assert acceptance(known) == [at("2026-03-07 00:00")]
    assert known.due_at == clocks(handling).due_at
    rule = replace(POLICY, clocks=replace(POLICY.clocks, at_transfer="goes-on"))
    assert acceptance(clocks(handling, taken, moved, policy=rule)) == []  # it had passed


def test_an_old_case_that_is_imported_late_raises_no_alarm_about_its_acceptance() -> None:
    known = clocks(routed(limits=BOTH, received_at=at("2026-03-05 10:00")))
    assert acceptance(known) == []


@pytest.mark.parametrize(
    ("warn", "limits", "expected"),
    [
        ((Share(50),), Limits(reply=5), ["2026-03-06 00:00"]),  # three of five days are over
        ((Share(80), 2), Limits(reply=5), ["2026-03-05 00:00", "2026-03-07 00:00"]),
        ((Share(50),), Limits(reply=1), []),  # no time for a warning
        ((Share(50), 1), Limits(reply_hours=10), ["2026-03-02 14:00", "2026-03-02 18:00"]),
        ((12,), Limits(reply_hours=10), []),
    ],
)
def test_warnings_come_days_before_the_due_date_or_after_a_share_of_the_time(
    warn: tuple[int | Share, ...], limits: Limits, expected: list[str]
) -> None:
    policy = replace(POLICY, warn={"red": warn})
    known = clocks(routed(limits=limits), policy=policy)
    assert [mark.at for mark in known.marks if mark.kind == "due-soon"] == [*map(at, expected)]


def test_a_limit_in_hours_ends_at_its_minute() -> None:
    office = ((8 * 60, 12 * 60), (13 * 60, 17 * 60))
    calendar = WorkingCalendar(ZONE, CALENDAR.published_until, CALENDAR._ordinals, office)
    policy = replace(POLICY, calendar=calendar, warn={})
    known = clocks(routed(limits=Limits(reply_hours=4)), policy=policy)
    assert (known.due_at, known.working_days) == (at("2026-03-02 14:00"), None)
    assert not logic.speak(known, policy, at("2026-03-02 14:00"))
    overdue = logic.speak(known, policy, at("2026-03-02 14:00") + MOMENT)
    assert isinstance(overdue[0], CaseOverdue)


def test_the_escalation_has_a_pace_of_its_own() -> None:
    policy = escalating(Escalation(first=1, days=3))
    marks = clocks(routed(), policy=policy).marks
    assert [mark.at for mark in marks if mark.kind == "escalate"] == [
        at("2026-03-11 00:00"),
        at("2026-03-14 00:00"),
    ]


def test_the_end_of_the_chain_is_told_again_until_the_case_is_answered() -> None:
    policy = escalating(Escalation(first=2, days=2, repeat=True))
    handling = routed()
    known, told = clocks(handling, policy=policy), []
    for day in range(10, 25):
        said = logic.speak(known, policy, at(f"2026-03-{day} 08:00"))
        told += said
        known = said[-1].clocks if said else known
    assert steps(told) == [(0, "north"), (1, "leaders"), (2, "leaders"), (3, "leaders"),
                           (4, "leaders")]  # fmt: skip
    assert [mark.step for mark in known.marks] == [5]
    answered = logic.follow(known, replied(handling, at("2026-03-25 09:00")), policy)
    assert answered.marks == ()


def test_repetitions_that_were_missed_are_not_caught_up_one_by_one() -> None:
    policy = escalating(Escalation(first=2, days=2, repeat=True))
    long_after = at("2026-12-01 12:00")
    said = logic.speak(clocks(routed(), policy=policy), policy, long_after)
    assert len(steps(said)) == 2
    left = said[-1].clocks
    assert left.marks[0].at > long_after
    assert logic.speak(left, policy, long_after) == []


def test_where_nobody_is_above_nothing_is_repeated() -> None:
    policy = escalating(Escalation(first=2, days=2, repeat=True))
    said = logic.speak(clocks(routed(unit="leaders"), policy=policy), policy, at("2026-12-01"))
    assert steps(said) == []


def test_the_unit_that_handles_a_case_is_never_whom_it_is_escalated_to() -> None:
    policy = replace(POLICY, chains={"north": ("north", "leaders")})
    assert [mark.to_unit for mark in clocks(routed(unit="north"), policy=policy).marks][3:] == [
        "leaders"
    ]


def test_the_chain_and_its_pace_are_those_of_the_moment_at_which_the_handling_was_heard() -> None:
    known = clocks(routed())
    other = replace(escalating(Escalation(first=7, days=7)), chains={})
    assert logic.recalculated(known, other, at("2026-03-03 09:00")).marks == known.marks
    moved = logic.follow(known, routed(version=2, given_at=at("2026-03-03 09:00")), other)
    assert [mark.kind for mark in moved.marks] == ["due-soon", "due-soon", "overdue"]


def test_what_is_said_late_says_by_how_much() -> None:
    known = clocks(routed())
    said = logic.speak(known, POLICY, at("2026-03-10 02:00"))
    assert [each.late_by for each in said if not isinstance(each, DeadlineSet)][-1:] == [7200]  # type: ignore[attr-defined]
    said = logic.speak(known, POLICY, at("2026-03-05 00:00") + timedelta(seconds=59))
    assert [each.late_by for each in said] == [None]  # type: ignore[attr-defined]


def test_while_the_moment_is_in_doubt_nothing_is_said_that_cannot_be_taken_back() -> None:
    known = clocks(routed())
    doubtful = logic.speak(known, POLICY, at("2026-06-01 00:00"), certain=False)
    assert [event.type for event in doubtful] == ["case.due-soon", "case.due-soon"]
    sure = logic.speak(doubtful[-1].clocks, POLICY, at("2026-06-01 00:00"))
    assert [event.type for event in sure] == ["case.overdue", "case.escalated", "case.escalated"]


def test_while_the_moment_is_in_doubt_no_pause_ends() -> None:
    pausing = PauseClock(case_id="case-1", unit="north-station", reason="waiting-for-informant")
    still = acts.pause(clocks(routed()), pausing, POLICY, at("2026-03-04 10:00"))
    assert logic.speak(still, POLICY, at("2026-06-01 00:00"), certain=False) == []
    [resumed, *_] = logic.speak(still, POLICY, at("2026-06-01 00:00"))
    assert isinstance(resumed, CaseResumed)


def test_another_colour_is_reckoned_from_the_recording_and_loses_nothing_that_was_said() -> None:
    handling = routed()
    said = logic.speak(clocks(handling), POLICY, at("2026-03-05 08:00"))
    known = said[-1].clocks
    yellow = handling.next(colour="yellow", limits=Limits(reply=20))
    anew = logic.follow(known, yellow, POLICY)
    assert anew.due_at == at("2026-03-31 00:00") - MOMENT
    assert anew.said == known.said
    [moved] = logic.news(known, anew, POLICY.calendar)
    assert isinstance(moved, DeadlineMoved)
    assert (moved.moved_from, moved.moved_to, moved.why) == (known.due_at, anew.due_at, "re-triage")
    back = logic.follow(anew, yellow.next(colour="red", limits=Limits(reply=5)), POLICY)
    assert (back.due_at, back.marks) == (known.due_at, known.marks)


def test_a_case_that_becomes_urgent_too_late_is_overdue_at_once() -> None:
    handling = routed(colour="yellow", limits=Limits(reply=20))
    red = handling.next(colour="red", limits=Limits(reply=5))
    known = clocks(handling, red)
    said = logic.speak(known, POLICY, at("2026-03-10 08:00"))
    assert [event.type for event in said] == ["case.due-soon", "case.due-soon", "case.overdue"]


def test_another_calendar_moves_what_has_not_passed_and_nothing_else() -> None:
    days = set(map(date.fromordinal, CALENDAR._ordinals)) - {date(2026, 3, 9)}
    closed = replace(POLICY, calendar=WorkingCalendar.of(days, ZONE, CALENDAR.published_until))
    known = clocks(routed())
    anew = logic.recalculated(known, closed, at("2026-03-04 08:00"))
    assert (anew.due_at, anew.version) == (at("2026-03-11 00:00") - MOMENT, known.version + 1)
    passed = at("2026-03-10 08:00")
    assert logic.recalculated(known, closed, passed) == known
    answered = clocks(routed(), replied(routed(), at("2026-03-03 08:00")))
    assert logic.recalculated(answered, closed, at("2026-03-04 08:00")) == answered
    assert logic.recalculated(known, POLICY, at("2026-03-04 08:00")) == known


def test_a_publication_makes_a_provisional_date_certain_without_a_word() -> None:
    late = at("2026-12-28 09:00")
    known = clocks(routed(started_at=late, received_at=late))
    days = map(date.fromordinal, CALENDAR._ordinals)
    published = WorkingCalendar.of(days, ZONE, date(2027, 12, 31))
    anew = logic.recalculated(known, replace(POLICY, calendar=published), late)
    assert (known.provisional, anew.provisional) == (True, False)
    assert (anew.due_at, anew.version) == (known.due_at, known.version)


def test_clocks_of_an_earlier_release_are_read_and_go_on() -> None:
    old = {
        "case_id": "case-1", "version": 1, "standing": {"state": "open", "round": 1},
        "started_at": "2026-03-02T01:00:00Z", "due_at": "2026-03-09T15:59:59.999999Z",
        "working_days": 5, "colour": "red", "unit": "north-station", "handling_version": 1,
        "marks": [{"at": "2026-03-09T16:00:00Z", "kind": "overdue", "step": 0, "to_unit": None}],
        "said": [],
    }  # fmt: skip
    known = Clocks.from_plain(old)
    assert logic.recalculated(known, POLICY, at("2026-03-03 08:00")).due_at == known.due_at
    [overdue] = logic.speak(known, POLICY, at("2026-03-10 08:00"))
    assert isinstance(overdue, CaseOverdue)
    assert overdue.clock == "reply"
