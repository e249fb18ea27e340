"""The law of working time: what pauses and extensions do to a due date, in any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.deadline.plan import due_at, planned
from shared.domain.aggregates import (
    Actor,
    Clocks,
    Escalation,
    Extension,
    ExtensionState,
    Limits,
    Pause,
)
from shared.domain.calendar import WorkingCalendar
from shared.domain.clock_rules import Share
from shared.domain.errors import ConfigurationError
from shared.domain.working_time import (
    after_hours,
    hours_between,
    merged,
    nth_day,
    paused_days,
    still_days,
)
from tests.support.house import CALENDAR, ZONE, SmallPolicy, at

BY = Actor(unit="north")
START = at("2026-03-02 09:00")
OFFICE = ((8 * 60 + 30, 12 * 60), (13 * 60 + 30, 17 * 60))

moments = st.integers(0, 60 * 24 * 40).map(lambda minutes: START + timedelta(minutes=minutes))
pauses = st.builds(
    lambda begin, minutes: Pause(
        reason="r", by=BY, at=begin, until=begin + timedelta(minutes=minutes)
    ),
    moments,
    st.integers(0, 60 * 24 * 12),
)
extensions = st.builds(
    lambda days, state: Extension(days=days, reason="r", by=BY, at=START, state=state),
    st.integers(1, 20),
    st.sampled_from(ExtensionState),
)
limits = st.one_of(
    st.integers(1, 60).map(lambda days: Limits(reply=days)),
    st.integers(1, 200).map(lambda hours: Limits(reply_hours=hours)),
)
calendars = st.sampled_from([CALENDAR, WorkingCalendar(
    ZONE, CALENDAR.published_until, CALENDAR._ordinals, OFFICE
)])  # fmt: skip
law = settings(max_examples=150, deadline=None, derandomize=True)


def due(
    calendar: WorkingCalendar,
    limit: Limits,
    paused: list[Pause],
    extended: list[Extension],
    start: datetime = START,
) -> datetime:
    clocks = Clocks(
        case_id="c",
        started_at=start,
        limits=limit,
        pauses=tuple(paused),
        extensions=tuple(extended),
    )
    found = due_at(clocks, calendar)
    assert found is not None
    return found


@law
@given(calendars, limits, st.lists(pauses, max_size=3), st.lists(extensions, max_size=3))
def test_pauses_and_extensions_commute(
    calendar: WorkingCalendar, limit: Limits, paused: list[Pause], extended: list[Extension]
) -> None:
    found = {
        due(calendar, limit, list(some), list(others))
        for some in permutations(paused)
        for others in permutations(extended)
    }
    assert len(found) == 1


@law
@given(calendars, limits, st.lists(pauses, max_size=3), st.lists(extensions, max_size=3), pauses)
def test_no_pause_and_no_extension_ever_makes_a_due_date_earlier(
    calendar: WorkingCalendar,
    limit: Limits,
    paused: list[Pause],
    extended: list[Extension],
    further: Pause,
) -> None:
    without = due(calendar, limit, paused, extended)
    assert without >= due(calendar, limit, [], [])
    assert due(calendar, limit, [*paused, further], extended) >= without
    granted = Extension(days=1, reason="r", by=BY, at=START, state=ExtensionState.GRANTED)
    assert due(calendar, limit, paused, [*extended, granted]) > without


@law
@given(calendars, limits, st.lists(pauses, max_size=3), pauses)
def test_a_longer_pause_moves_at_least_as_far_and_a_repeated_one_no_further(
    calendar: WorkingCalendar, limit: Limits, paused: list[Pause], one: Pause
) -> None:
    longer = one.but(until=one.until + timedelta(hours=30))
    found = due(calendar, limit, [*paused, one], [])
    assert due(calendar, limit, [*paused, longer], []) >= found
    assert due(calendar, limit, [*paused, one, one], []) == found


@law
@given(st.integers(1, 60), st.lists(pauses, max_size=4))
def test_the_due_date_moves_by_exactly_the_working_days_paused(
    limit: int, paused: list[Pause]
) -> None:
    still = [pause.span for pause in paused]
    first, last = date(2026, 3, 2), nth_day(date(2026, 3, 2), limit, still, CALENDAR)
    left_out = paused_days(still, first, last, CALENDAR)
    assert CALENDAR.working_days_in(first, last) == limit + left_out
    spans = still_days(still, CALENDAR)
    assert not any(begin <= last < end for begin, end in spans)  # the last day is a counted one


@law
@given(calendars, st.integers(1, 200), st.lists(pauses, max_size=4), moments)
def test_a_limit_in_hours_takes_that_much_working_time_outside_the_pauses(
    calendar: WorkingCalendar, hours: int, paused: list[Pause], start: datetime
) -> None:
    still = [pause.span for pause in paused]
    end = after_hours(start, hours * 3600, still, calendar)
    assert hours_between(start, end, still, calendar) == pytest.approx(hours)
    assert hours_between(start, end, [], calendar) >= hours - 1e-6
    assert not any(begin < end < until for begin, until in merged(still))


@law
@given(st.integers(1, 60), moments, moments)
def test_who_starts_later_is_due_no_earlier(limit: int, one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))
    for given_limit in (Limits(reply=limit), Limits(reply_hours=limit)):
        assert due(CALENDAR, given_limit, [], [], first) <= due(
            CALENDAR, given_limit, [], [], second
        )


@law
@given(calendars, limits, st.lists(pauses, max_size=3), st.lists(extensions, max_size=2))
def test_warnings_come_before_the_breach_and_the_escalation_after_it(
    calendar: WorkingCalendar, limit: Limits, paused: list[Pause], extended: list[Extension]
) -> None:
    ended = [pause.but(ended_at=pause.until) for pause in paused]
    policy = replace(SmallPolicy(), calendar=calendar, warn={"red": (2, Share(50), Share(99))})
    known = Clocks(
        case_id="c",
        started_at=START,
        limits=limit,
        colour="red",
        unit="north-station",
        handled_round=1,
        escalation=Escalation(first=2, days=2, units=("north", "leaders")),
        pauses=tuple(ended),
        extensions=tuple(extended),
    )
    marks = planned(known, policy).marks
    assert list(marks) == sorted(marks, key=lambda mark: mark.at)
    kinds = [mark.kind for mark in marks]
    breach = kinds.index("overdue")
    assert set(kinds[:breach]) <= {"due-soon"}
    assert kinds[breach + 1 :] == ["escalate", "escalate"]
    assert all(mark.at < marks[breach].at for mark in marks[:breach])


def office(
    zone: str = "Asia/Shanghai", hours: tuple[tuple[int, int], ...] = OFFICE
) -> WorkingCalendar:
    return WorkingCalendar(ZoneInfo(zone), date(2026, 12, 31), CALENDAR._ordinals, hours)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-03-02 09:00", 2, "2026-03-02 11:00"),
        ("2026-03-02 11:00", 2, "2026-03-02 14:30"),  # over lunch
        ("2026-03-02 16:30", 1, "2026-03-03 09:00"),  # over the night
        ("2026-03-06 16:00", 4, "2026-03-09 11:30"),  # over the weekend
        ("2026-03-07 10:00", 1, "2026-03-09 09:30"),  # recorded on a Saturday
        ("2026-03-02 06:00", 7, "2026-03-02 17:00"),  # before the hours: the whole day
    ],
)
def test_hours_of_work_are_counted_within_the_hours_of_work(
    start: str, hours: int, end: str
) -> None:
    assert after_hours(at(start), hours * 3600, [], office()) == at(end)


def test_an_extension_of_a_limit_in_hours_is_a_day_of_work_each() -> None:
    granted = Extension(days=2, reason="r", by=BY, at=START, state=ExtensionState.GRANTED)
    limit = Limits(reply_hours=4)
    without = due(office(), limit, [], [])
    assert (without, due(office(), limit, [], [granted])) == (
        at("2026-03-02 14:30"),
        at("2026-03-04 14:30"),
    )


@pytest.mark.parametrize(
    ("start", "hours"),
    [
        (datetime(2026, 3, 27, 22, tzinfo=UTC), 72),  # Friday night in Berlin, before the change
        (datetime(2026, 10, 23, 22, tzinfo=UTC), 72),
    ],
)
def test_clocks_that_change_by_the_season_shift_the_wall_and_not_the_working_time(
    start: datetime, hours: int
) -> None:
    berlin = office("Europe/Berlin", ((0, 1440),))
    end = after_hours(start, hours * 3600, [], berlin)
    assert hours_between(start, end, [], berlin) == hours


def test_a_working_day_on_which_the_clocks_change_has_the_hours_that_it_has() -> None:
    sunday = date(2026, 3, 29)
    worked = WorkingCalendar.of(
        [sunday, sunday + timedelta(days=1)], ZoneInfo("Europe/Berlin"), date(2026, 12, 31)
    )
    begin = worked.start_of(sunday)
    assert hours_between(begin, worked.start_of(date(2026, 3, 30)), [], worked) == 23
    assert worked.end_of(sunday) == datetime(2026, 3, 29, 22, tzinfo=UTC) - timedelta(
        microseconds=1
    )


def test_hours_beyond_the_calendar_are_an_error_that_names_the_mend() -> None:
    with pytest.raises(ConfigurationError, match=r"10 hours of work.*widen"):
        after_hours(at("2029-12-31 20:00"), 36_000, [], CALENDAR)
    with pytest.raises(ConfigurationError, match=r"10 hours of work.*widen"):
        after_hours(at("1990-01-02 20:00"), 36_000, [], CALENDAR)


def test_many_at_once_are_reckoned_as_each_by_itself() -> None:
    days = [date(2026, 1, 1).toordinal() + number for number in range(400)]
    for limit in (1, 5, 60):
        assert CALENDAR.nth_working_days(days, limit) == [
            CALENDAR.nth_working_day(date.fromordinal(day), limit).toordinal() for day in days
        ]
    with pytest.raises(ConfigurationError, match="lie outside"):
        CALENDAR.nth_working_days([date(1990, 1, 1).toordinal()], 5)
    with pytest.raises(ConfigurationError, match="lie outside"):
        CALENDAR.nth_working_days([date(2029, 12, 28).toordinal()], 5)
