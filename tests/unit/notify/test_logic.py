"""What notify decides: whom it still tells, when it tries, what stands in a list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest

from services.notify import day_list, logic
from services.notify.handlers import _told
from services.notify.notices import Notice, NoticeState, Outcome, Told, Watch
from shared.domain.aggregates import Clocks, Handling, Limits
from shared.domain.calendar import WorkingCalendar
from shared.domain.case import Standing, State
from shared.domain.errors import Conflict
from shared.domain.notices import Addressee, Happening, Messages, Quiet, Way, end_of_week
from tests.support.house import CALENDAR, ZONE, SmallPolicy, at, replied, routed, routing

NOW = at("2026-03-03 10:00").astimezone(UTC)
MAIL = Addressee(way=Way.MAIL, to="duty@house.example.org", role="unit", unit="north-station")
NIGHT = Quiet(start=time(20), end=time(7, 30), days_off=True, exempt=frozenset({"red"}))


def watch(handling: Handling, **changes: object) -> Watch:
    return logic.follow(Watch(case_id=handling.case_id), handling).but(**changes)


def told(event: str, handling: Handling | None = None) -> Told:
    handling = handling or routed()
    return Told(
        case_id=handling.case_id,
        event=event,
        colour=handling.colour,
        unit=handling.unit,
        round=handling.standing.round,
        answer_owed=handling.answer_owed,
    )


def notice(colour: str = "red", **changes: object) -> Notice:
    about = told("case.routed").but(colour=colour)
    made = logic.notice(MAIL, about, "event-1", NOW, NOW, SmallPolicy())
    return made.but(**changes)


# ── whom it still tells ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("event", ["case.routed", "case.due-soon", "case.overdue"])
def test_nobody_is_called_to_what_is_answered_closed_or_taken_back(event: str) -> None:
    open_, about = watch(routed()), told(event)
    assert logic.holds(about, open_)
    assert not logic.holds(about, logic.follow(open_, replied(routed(), NOW)))
    for state in (State.CLOSED, State.WITHDRAWN):
        assert not logic.holds(about, logic.settle(open_, Standing(state=state)))


def test_a_unit_that_has_handed_the_case_on_is_not_called_and_the_other_one_is() -> None:
    moved = routed().next(unit="south-station")
    assert not logic.holds(told("case.routed"), watch(moved))
    assert logic.holds(told("case.transferred", moved), watch(moved))


def test_a_warning_of_an_earlier_round_is_not_told() -> None:
    again = routed(version=5, standing=Standing(round=2))
    assert not logic.holds(told("case.overdue"), watch(again))
    assert logic.holds(told("case.overdue", again), watch(again))


def test_an_answer_and_a_close_are_told_after_the_fact() -> None:
    over = logic.settle(watch(replied(routed(), NOW)), Standing(state=State.CLOSED))
    assert logic.holds(told("case.replied"), over)
    assert logic.holds(told("case.closed"), over)


def test_where_no_answer_is_owed_the_unit_is_told_all_the_same() -> None:
    noted = routed(answer_owed=False)
    closed = logic.settle(watch(noted), Standing(state=State.CLOSED))
    assert logic.holds(told("case.routed", noted), closed)


def test_what_was_due_before_the_case_came_in_raises_no_alarm() -> None:
    policy = SmallPolicy(tells={"case.routed": (MAIL,)})
    ways = frozenset({"mail"})

    def addressed(handling: Handling) -> int:
        happening = Happening(event="case.routed", handling=handling)
        about = told("case.routed", handling)
        return len(logic.tell(happening, about, watch(handling), policy, ways))

    assert addressed(routed()) == 1
    assert addressed(routed(received_at=at("2026-03-06 09:00"))) == 1
    assert addressed(routed(received_at=at("2026-04-01 09:00"))) == 0
    assert addressed(routed(limits=Limits(), received_at=at("2026-04-01 09:00"))) == 1
    moved = routed(received_at=at("2026-04-01 09:00"))
    happening = Happening(event="case.routed", handling=moved)
    about = told("case.transferred", moved)
    assert logic.tell(happening, about, watch(moved), policy, ways)  # the transfer is of today


def test_events_in_any_order_leave_the_same_watch() -> None:
    clocks = Clocks(case_id="case-1", version=2, due_at=at("2026-03-09 23:59"))
    older = clocks.but(version=1, due_at=at("2026-03-08 23:59"))
    second = routed().next(unit="south-station")
    steps: list[Callable[[Watch], Watch]] = [
        lambda known: logic.follow(known, routed()),
        lambda known: logic.follow(known, second),
        lambda known: logic.keep_time(known, clocks),
        lambda known: logic.keep_time(known, older),
        lambda known: logic.keep_time(known, older, "north"),
    ]
    forth = back = Watch(case_id="case-1")
    for step in steps:
        forth = step(forth)
    for step in reversed(steps):
        back = step(back)
    assert forth == back
    assert (forth.due_at, forth.supervisors) == (clocks.due_at, ("north",))
    assert forth.handling == second


def test_a_new_round_has_no_supervisors_yet() -> None:
    up = logic.keep_time(watch(routed()), Clocks(case_id="case-1"), "north")
    assert logic.settle(up, Standing(round=2)).supervisors == ()


def test_a_subject_is_told_only_where_the_policy_shows_it() -> None:
    event, known = routing(routed()), watch(routed())
    assert _told(event, event.handling, known, shown=False).subject is None
    assert _told(event, event.handling, known, shown=True).subject == routed().subject


# ── when it tries ─────────────────────────────────────────────────────────────────────────────


def test_a_message_goes_through_the_whole_schedule_and_then_has_failed() -> None:
    known, pauses, now = notice(), [], NOW
    while known.state is NoticeState.WAITING:
        assert known.next_at is not None
        pauses.append(known.next_at - now)
        now = known.next_at
        known = logic.conclude(logic.lease(known, "me", now), Outcome(reason="no"), now, 0.5)
    assert pauses == [timedelta(), *logic.SCHEDULE]
    assert (known.state, known.tries, known.reason) == (NoticeState.FAILED, logic.TRIES, "no")
    assert sum(logic.SCHEDULE, timedelta()) > timedelta(days=3)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 4), (0.5, 5), (1.0, 6)])
def test_pauses_differ_by_a_fifth(chance: float, seconds: int) -> None:
    tried = logic.conclude(logic.lease(notice(), "me", NOW), Outcome(reason="no"), NOW, chance)
    assert tried.next_at == NOW + timedelta(seconds=seconds)
    assert tried.lease == ""


@pytest.mark.parametrize(("asked", "granted"), [(60, 60), (10**7, 86_400), (1, 5)])
def test_a_receiver_that_asks_for_a_pause_gets_it_up_to_a_day(asked: int, granted: int) -> None:
    busy = Outcome(reason="HTTP 503", wait=asked)
    tried = logic.conclude(logic.lease(notice(), "me", NOW), busy, NOW, 0.5)
    assert tried.next_at == NOW + timedelta(seconds=granted)


def test_the_same_event_and_address_make_the_same_id_and_others_another() -> None:
    def made(cause: str, to: str) -> str:
        one = MAIL.but(to=to)
        return logic.notice(one, told("case.routed"), cause, NOW, NOW, SmallPolicy()).id

    assert made("e", "a@x.example") == made("e", "a@x.example")
    assert len({made("e", "a@x.example"), made("f", "a@x.example"), made("e", "b@x.example")}) == 3


def test_only_what_has_failed_is_tried_again() -> None:
    failed = notice(state=NoticeState.FAILED, tries=10, next_at=None)
    assert (logic.again(failed, NOW).tries, logic.again(failed, NOW).next_at) == (0, NOW)
    for state in (NoticeState.WAITING, NoticeState.DELIVERED, NoticeState.DROPPED):
        with pytest.raises(Conflict):
            logic.again(notice(state=state), NOW)


# ── quiet hours ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-03-03 10:00", "2026-03-03 10:00"),
        ("2026-03-03 19:59", "2026-03-03 19:59"),
        ("2026-03-03 20:00", "2026-03-04 07:30"),
        ("2026-03-04 00:10", "2026-03-04 07:30"),
        ("2026-03-04 07:30", "2026-03-04 07:30"),
        ("2026-03-06 21:00", "2026-03-09 07:30"),  # Friday night to Monday
        ("2026-03-07 12:00", "2026-03-09 07:30"),
    ],
)
def test_quiet_hours_end_in_the_morning_of_a_working_day(moment: str, opens: str) -> None:
    assert NIGHT.opens(at(moment), "yellow", CALENDAR) == at(opens)
    assert NIGHT.opens(at(moment), "red", CALENDAR) == at(moment)


def test_beyond_the_calendar_nothing_waits_for_a_working_day() -> None:
    assert NIGHT.opens(at("2031-03-05 10:00"), "yellow", CALENDAR) == at("2031-03-05 10:00")
    assert NIGHT.opens(at("2031-03-05 21:00"), "yellow", CALENDAR) == at("2031-03-06 07:30")


def test_quiet_at_noon_ends_the_same_day_and_days_off_can_be_loud() -> None:
    noon = Quiet(start=time(12), end=time(14))
    assert noon.opens(at("2026-03-07 13:00"), "red", CALENDAR) == at("2026-03-07 14:00")
    assert noon.opens(at("2026-03-07 14:00"), "red", CALENDAR) == at("2026-03-07 14:00")


def test_a_message_about_a_yellow_case_waits_for_the_morning_and_a_red_one_does_not() -> None:
    policy, night = SmallPolicy(messages=Messages(quiet=NIGHT)), at("2026-03-03 23:00")
    made = {
        colour: logic.notice(
            MAIL,
            told("case.routed").but(colour=colour),
            "event-1",
            night,
            night,
            policy,
        )
        for colour in ("red", "yellow")
    }
    assert made["red"].planned_at == night
    assert made["yellow"].planned_at == made["yellow"].next_at == at("2026-03-04 07:30")
    assert (made["red"].urgency, made["yellow"].urgency) == (0, 1)


# ── the list of the morning ───────────────────────────────────────────────────────────────────

SATURDAY = date(2026, 3, 7)
MAKE_UP = WorkingCalendar.of(
    [*map(date.fromordinal, CALENDAR._ordinals), SATURDAY], ZONE, CALENDAR.published_until
)
MORNING = SmallPolicy(messages=Messages(digest_at=time(8), quiet=NIGHT))


@pytest.mark.parametrize(
    ("moment", "made"),
    [
        ("2026-03-06 07:59", False),
        ("2026-03-06 08:00", True),
        ("2026-03-06 19:00", True),  # down in the morning
        ("2026-03-06 20:00", False),  # quiet
        ("2026-03-07 08:00", False),  # Saturday
    ],
)
def test_lists_are_made_on_working_days_at_their_time(moment: str, made: bool) -> None:
    assert (day_list.day_due(MORNING, at(moment)) is not None) is made


def test_a_saturday_that_is_worked_has_its_list_and_belongs_to_its_week() -> None:
    policy = SmallPolicy(messages=MORNING.messages, calendar=MAKE_UP)
    assert day_list.day_due(policy, at("2026-03-07 08:00")) == SATURDAY
    assert day_list.day_due(policy, at("2026-03-08 08:00")) is None
    assert end_of_week(at("2026-03-04 08:00"), MAKE_UP) == MAKE_UP.end_of(SATURDAY)
    assert end_of_week(at("2026-03-04 08:00"), CALENDAR) == CALENDAR.end_of(date(2026, 3, 6))


def test_a_list_names_what_is_overdue_due_today_and_later_in_the_week() -> None:
    due = {"a": "2026-03-02", "b": "2026-03-04", "c": "2026-03-06"}
    cases = [
        watch(routed(name), due_at=CALENDAR.end_of(date.fromisoformat(day)))
        for name, day in due.items()
    ]
    morning = at("2026-03-04 08:00")
    [made] = day_list.notices(cases, MORNING, morning)
    assert (made.to, made.case_id) == ("north-station@house.example.org", "")
    found = made.day_list
    assert found is not None
    listed = [[each.case_id for each in part] for part in (found.overdue, found.today, found.week)]
    assert listed == [["a"], ["b"], ["c"]]
    assert found.overdue[0].subject is None
    again = list(day_list.notices(cases, MORNING, morning + timedelta(hours=1)))
    assert [each.id for each in again] == [made.id]


def test_a_long_list_is_cut_and_says_so() -> None:
    many = [
        watch(routed(f"case-{number}"), due_at=at("2026-03-02 23:00"))
        for number in range(day_list.LISTED + 7)
    ]
    [made] = day_list.notices(many, MORNING, at("2026-03-04 08:00"))
    assert made.day_list is not None
    assert (len(made.day_list.overdue), made.day_list.more) == (day_list.LISTED, 7)


def test_moments_are_kept_in_utc() -> None:
    known = notice("yellow")
    assert known.planned_at.utcoffset() == timedelta()
    assert isinstance(known.planned_at, datetime)
