"""A case that was decided anew has another due date, reckoned from where its round began."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.deadline import logic
from shared.domain.aggregates import Clocks, Handling, Limits
from shared.domain.events import CaseOverdue
from tests.support.house import SmallPolicy, at, replied, routed

POLICY = SmallPolicy()
RED = routed()
YELLOW = routed(version=2, colour="yellow", limits=Limits(reply=20))


def follow(*handlings: Handling, said_until: datetime | None = None) -> Clocks:
    clocks = logic.follow(Clocks(case_id="case-1"), handlings[0], POLICY)
    if said_until is not None:
        clocks = logic.speak(clocks, POLICY, said_until)[-1].clocks
    for handling in handlings[1:]:
        clocks = logic.follow(clocks, handling, POLICY)
    return clocks


def test_a_longer_limit_moves_the_due_date_and_all_marks() -> None:
    known = follow(RED)
    anew = follow(RED, YELLOW)
    assert anew.version == known.version + 1
    assert (anew.started_at, anew.working_days, anew.colour) == (known.started_at, 20, "yellow")
    assert anew.due_at == POLICY.calendar.due(at("2026-03-02 09:00"), 20)
    assert [mark.kind for mark in anew.marks] == ["due-soon", "overdue", "escalate", "escalate"]


def test_a_limit_that_has_passed_already_is_overdue_at_once() -> None:
    began = YELLOW.but(version=1)
    tightened = routed(version=2, limits=Limits(reply=1))
    anew = follow(began, tightened)
    [overdue] = [
        event
        for event in logic.speak(anew, POLICY, at("2026-03-04 00:00"))
        if isinstance(event, CaseOverdue)
    ]
    assert overdue.clocks.due_at == POLICY.calendar.due(at("2026-03-02 09:00"), 1)


def test_what_was_said_stays_said_and_is_not_said_again() -> None:
    overdue = at("2026-03-10 12:00")
    tightened = routed(version=2, limits=Limits(reply=4))
    anew = follow(RED, tightened, said_until=overdue)
    assert [mark.kind for mark in anew.said] == ["due-soon", "due-soon", "overdue"]
    assert [mark.kind for mark in anew.marks] == ["escalate", "escalate"]


def test_a_promise_that_was_broken_and_extended_can_be_broken_again() -> None:
    anew = follow(RED, YELLOW, said_until=at("2026-03-10 12:00"))
    assert [mark.kind for mark in anew.said] == ["due-soon", "due-soon", "overdue"]
    assert anew.marks[1].kind == "overdue"
    assert anew.due_at is not None
    assert anew.marks[1].at == anew.due_at + timedelta(microseconds=1)


def test_a_case_that_is_owed_no_answer_any_more_has_no_clock() -> None:
    noted = routed(version=2, answer_owed=False, limits=Limits())
    anew = follow(RED, noted)
    assert (anew.due_at, anew.working_days, anew.marks) == (None, None, ())
    assert anew.version == follow(RED).version + 1, "the ledger hears of it"


def test_an_answered_case_says_nothing_by_another_promise() -> None:
    answered = replied(RED, at("2026-03-03 09:00"))
    anew = follow(RED, answered, answered.but(version=3, colour="yellow"))
    assert anew.marks == ()


def test_a_transfer_is_no_other_promise() -> None:
    moved = routed(version=2, unit="south-station")
    assert follow(RED, moved).version == follow(RED).version
