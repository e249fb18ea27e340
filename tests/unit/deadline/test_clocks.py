"""When a clock is set, what it says, and what stops it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from services.deadline import logic
from shared.domain.aggregates import Clocks, Handling, Limits
from shared.domain.case import Standing, State
from shared.domain.errors import ConfigurationError
from shared.domain.events import CaseDueSoon, CaseEscalated, CaseOverdue
from tests.support.house import SmallPolicy, at, replied, routed, weekdays

POLICY = SmallPolicy()
LONG_AFTER = at("2026-12-01 00:00")


def clocks_of(*handlings: Handling, policy: SmallPolicy = POLICY) -> Clocks:
    clocks = Clocks(case_id="case-1")
    for handling in handlings:
        clocks = logic.follow(clocks, handling, policy)
    return clocks


def schedule(clocks: Clocks) -> list[tuple[str, datetime, str | None]]:
    return [(mark.kind, mark.at, mark.to_unit) for mark in clocks.marks]


def test_the_day_of_receipt_does_not_count_and_the_last_day_counts_to_its_end() -> None:
    clocks = clocks_of(routed())  # Monday; five working days
    assert clocks.due_at == at("2026-03-10 00:00") - timedelta(microseconds=1)
    assert (clocks.version, clocks.working_days, clocks.provisional) == (1, 5, False)


def test_a_clock_warns_then_is_overdue_then_goes_up_the_chain_step_by_step() -> None:
    assert schedule(clocks_of(routed())) == [
        ("due-soon", at("2026-03-05 00:00"), None),
        ("due-soon", at("2026-03-06 00:00"), None),
        ("overdue", at("2026-03-10 00:00"), None),
        ("escalate", at("2026-03-12 00:00"), "north"),
        ("escalate", at("2026-03-14 00:00"), "leaders"),
    ]


def test_every_mark_is_said_once_in_order_however_late() -> None:
    known = clocks_of(routed())
    said = logic.speak(known, POLICY, LONG_AFTER)
    assert [type(event) for event in said] == [
        CaseDueSoon,
        CaseDueSoon,
        CaseOverdue,
        CaseEscalated,
        CaseEscalated,
    ]
    assert [event.version for event in said] == [2, 3, 4, 5, 6]
    left = said[-1].clocks
    assert left.marks == ()
    assert left.said == known.marks
    assert logic.speak(left, POLICY, LONG_AFTER) == []


def test_a_mark_that_is_not_reached_is_not_said() -> None:
    clocks = clocks_of(routed())
    just_before = at("2026-03-10 00:00") - timedelta(microseconds=1)
    assert len(logic.speak(clocks, POLICY, just_before)) == 2
    assert len(logic.speak(clocks, POLICY, at("2026-03-10 00:00"))) == 3


@pytest.mark.parametrize(
    ("now", "left"),
    [("2026-03-05 08:00", 2), ("2026-03-06 08:00", 1), ("2026-03-09 08:00", 0), ("2026-04-09", 0)],
)
def test_a_warning_says_how_many_working_days_are_left_when_it_is_given(
    now: str, left: int
) -> None:
    warning = logic.speak(clocks_of(routed()), POLICY, at(now))[0]
    assert isinstance(warning, CaseDueSoon)
    assert warning.working_days_left == left


def test_what_passed_before_the_case_came_in_raises_no_alarm() -> None:
    imported = routed(started_at=at("2014-05-05 09:00"), received_at=at("2026-03-02 09:00"))
    clocks = clocks_of(imported)
    assert clocks.due_at == at("2014-05-13 00:00") - timedelta(microseconds=1)
    assert clocks.marks == ()
    assert logic.is_overdue(clocks, LONG_AFTER)


def test_of_a_case_that_came_in_late_the_steps_still_to_come_are_taken() -> None:
    imported = routed(received_at=at("2026-03-12 15:00"))
    assert schedule(clocks_of(imported)) == [("escalate", at("2026-03-14 00:00"), "leaders")]


def test_a_reply_stops_the_clock_without_a_word() -> None:
    handling = routed()
    clocks = clocks_of(handling, replied(handling, at("2026-03-04 10:00")))
    assert (clocks.version, clocks.marks) == (1, ())
    assert clocks.stopped_at == at("2026-03-04 10:00")
    assert not logic.is_overdue(clocks, LONG_AFTER)


def test_a_late_reply_stays_late() -> None:
    handling = routed()
    clocks = clocks_of(handling, replied(handling, at("2026-03-10 00:00")))
    assert logic.is_overdue(clocks, at("2026-03-10 00:00"))


def test_a_reply_that_is_seen_first_still_gets_its_due_date() -> None:
    clocks = clocks_of(replied(routed(), at("2026-03-04 10:00")))
    assert clocks.due_at == at("2026-03-10 00:00") - timedelta(microseconds=1)
    assert (clocks.version, clocks.marks) == (1, ())


def test_a_transfer_keeps_the_due_date_and_changes_the_chain() -> None:
    handling = routed()
    before = clocks_of(handling)
    after = logic.follow(before, handling.next(unit="south-station"), POLICY)
    assert (after.version, after.due_at, after.unit) == (1, before.due_at, "south-station")
    assert schedule(after)[:3] == schedule(before)[:3]
    assert [mark.to_unit for mark in after.marks[3:]] == ["south", "leaders"]


def test_a_transfer_does_not_repeat_what_was_said() -> None:
    handling = routed()
    said = logic.speak(clocks_of(handling), POLICY, at("2026-03-12 08:00"))
    after = logic.follow(said[-1].clocks, handling.next(unit="south-station"), POLICY)
    assert schedule(after) == [("escalate", at("2026-03-14 00:00"), "leaders")]


def test_where_no_answer_is_owed_there_is_no_deadline() -> None:
    clocks = clocks_of(routed(answer_owed=False, limits=Limits()))
    assert (clocks.version, clocks.due_at, clocks.marks) == (0, None, ())
    assert clocks.handling_version == 1
    assert logic.working_days_left(clocks, POLICY.calendar, LONG_AFTER) is None


@pytest.mark.parametrize("state", [State.CLOSED, State.WITHDRAWN])
def test_a_case_that_is_over_is_silent_and_owes_nothing_more(state: State) -> None:
    clocks = logic.settle(clocks_of(routed()), Standing(state=state))
    assert (clocks.version, clocks.marks) == (1, ())
    assert clocks.due_at is not None
    assert not logic.is_overdue(clocks, LONG_AFTER)


def test_a_withdrawal_that_overtakes_the_routing_silences_it_all_the_same() -> None:
    withdrawn = logic.settle(Clocks(case_id="case-1"), Standing(state=State.WITHDRAWN))
    clocks = logic.follow(withdrawn, routed(), POLICY)
    assert clocks == logic.settle(clocks_of(routed()), Standing(state=State.WITHDRAWN))


def test_a_case_that_was_taken_back_before_it_was_routed_is_never_awaited() -> None:
    clocks = clocks_of(routed(standing=Standing(state=State.WITHDRAWN)))
    assert clocks.due_at is not None
    assert clocks.marks == ()


def test_a_further_round_gets_a_clock_of_its_own() -> None:
    first = routed()
    answered = replied(first, at("2026-03-04 10:00"))
    again = answered.next(
        started_at=at("2026-03-16 09:00"),
        replied_at=None,
        replied_by=None,
        standing=Standing(round=2),
    )
    clocks = clocks_of(first, answered, again)
    assert clocks.due_at == at("2026-03-24 00:00") - timedelta(microseconds=1)
    assert (clocks.version, clocks.stopped_at, len(clocks.marks)) == (2, None, 5)


def test_the_closing_of_an_earlier_round_does_not_silence_a_later_one() -> None:
    again = routed(version=5, started_at=at("2026-03-16 09:00"), standing=Standing(round=2))
    clocks = clocks_of(again)
    assert logic.settle(clocks, Standing(state=State.CLOSED, round=1)) == clocks


def test_what_comes_late_from_a_round_before_does_not_wake_its_clock() -> None:
    first = routed()
    reopened = logic.settle(clocks_of(first), Standing(round=2))
    assert reopened.marks == ()
    assert logic.follow(reopened, first.next(unit="south-station"), POLICY).marks == ()
    unknown = logic.settle(Clocks(case_id="case-1"), Standing(round=2))
    assert logic.follow(unknown, first, POLICY).marks == ()


def test_a_due_date_beyond_the_published_holidays_is_provisional() -> None:
    late = at("2026-12-28 09:00")
    assert clocks_of(routed(started_at=late, received_at=late)).provisional


def test_a_date_outside_the_calendar_is_an_error_that_names_the_mend() -> None:
    with pytest.raises(ConfigurationError, match=r"2012-01-02 to 2029-12-31.*widen"):
        clocks_of(routed(started_at=at("1998-01-05 09:00")))


def test_an_old_case_at_the_very_start_of_the_calendar_needs_no_day_before_it() -> None:
    policy = replace(POLICY, calendar=weekdays(date(2026, 2, 20), date(2026, 12, 31)))
    policy = replace(policy, warn={"red": (30,)})
    old = routed(started_at=at("2026-02-20 09:00"), received_at=at("2026-06-01 09:00"))
    assert clocks_of(old, policy=policy).due_at == at("2026-02-28 00:00") - timedelta(
        microseconds=1
    )


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("2026-03-02 12:00", 5),
        ("2026-03-07 12:00", 1),  # a Saturday
        ("2026-03-09 23:59", 0),
        ("2026-03-10 00:00", -1),
        ("2026-03-13 12:00", -4),
    ],
)
def test_working_days_left_are_counted_from_tomorrow_and_below_zero_when_overdue(
    now: str, left: int
) -> None:
    assert logic.working_days_left(clocks_of(routed()), POLICY.calendar, at(now)) == left
