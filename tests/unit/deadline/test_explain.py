"""Every day from the start to the end is accounted for, in both languages; the forecast's sums."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from services.deadline import acts, logic
from services.deadline.explain import DayKind, Explanation, Outcome, explain
from services.deadline.forecast import forecast
from services.deadline.words import Language, text
from shared.domain.aggregates import Actor, Clocks, Limits
from shared.domain.calendar import WorkingCalendar
from shared.domain.case import Standing, State
from shared.domain.commands import PauseClock, RequestExtension
from shared.domain.errors import Conflict
from tests.support.house import CALENDAR, ZONE, SmallPolicy, at, replied, routed

FESTIVAL = date(2026, 3, 6)
MADE_UP = date(2026, 3, 7)
DAYS = (set(map(date.fromordinal, CALENDAR._ordinals)) - {FESTIVAL}) | {MADE_UP}
NAMES = {FESTIVAL.toordinal(): {"zh": "节", "en": "Festival"}}
POLICY = replace(
    SmallPolicy(),
    calendar=replace(WorkingCalendar.of(DAYS, ZONE, CALENDAR.published_until), names=NAMES),
)
WEDNESDAY = at("2026-03-04 10:00")


def clocks(limits: Limits | None = None) -> Clocks:
    handling = routed(limits=limits or Limits(accept=1, reply=5))
    return logic.follow(Clocks(case_id="case-1"), handling, POLICY)


def lived() -> Clocks:
    """Paused over the night of Wednesday, with two days more."""
    pausing = PauseClock(case_id="case-1", unit="north-station", reason="waiting-for-informant")
    known = acts.pause(clocks(), pausing, POLICY, WEDNESDAY)
    known = acts.resume(known, Actor(unit="north-station"), POLICY, at("2026-03-05 08:00"))
    asking = RequestExtension(case_id="case-1", unit="north-station", days=2, reason="parts")
    known = acts.request(known, asking, POLICY, at("2026-03-05 09:00"))
    north = Actor(unit="north")
    return acts.decide(known, north, POLICY, at("2026-03-05 10:00"), granted=True, note="")


def explained(known: Clocks, now: datetime = WEDNESDAY) -> Explanation:
    return explain(known, POLICY.calendar, now, POLICY.rating_days)


def test_each_day_says_why_it_counts_or_not() -> None:
    found = explained(lived())
    assert [(day.day.day, day.kind.value, day.number, day.extended) for day in found.days] == [
        (2, "received", None, False),
        (3, "counted", 1, False),
        (4, "paused", None, False),
        (5, "counted", 2, False),
        (6, "holiday", None, False),
        (7, "make-up", 3, False),
        (8, "weekend", None, False),
        (9, "counted", 4, False),
        (10, "counted", 5, False),
        (11, "counted", 6, True),
        (12, "counted", 7, True),
    ]
    assert (found.extended_by, found.paused_days, found.rating_days) == (2, 1, 10)
    assert found.days[4].name["en"] == "Festival"
    assert sum(found.counts.values()) == len(found.days)
    assert found.original_due_at == at("2026-03-10 00:00") - timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", ["case-1 · red · north-station · answer awaited",
                ("from 2026-03-02 09:00 · 5 working days, 2 more were granted,"
                 " 1 paused, not counted"),
                "due 2026-03-12 24:00", "originally 2026-03-09 24:00",
                "to be accepted by 2026-03-03 24:00", "the rating link lives 10 working days",
                "2026-03-04  Wed          paused, not counted",
                "2026-03-06  Fri          holiday: Festival",
                "2026-03-07  Sat   3      make-up working day",
                "2026-03-11  Wed   6      working day: extended"]),
        ("zh", ["起算 2026-03-02 09:00 · 5 个工作日，延长 2 个工作日，暂停 1 个工作日不计",
                "2026-03-06  周五         节假日：节", "2026-03-07  周六  3      调休上班"]),
    ],
)  # fmt: skip
def test_the_table_says_the_same_in_words(language: Language, lines: list[str]) -> None:
    shown = text(explained(lived()), language).splitlines()
    assert [line for line in lines if line not in shown] == []
    assert shown[-1].startswith({"en": "11 days = ", "zh": "共 11 天 = "}[language])


def test_hours_are_shown_by_day() -> None:
    found = explained(clocks(Limits(reply_hours=20)))
    assert [(day.day.day, day.kind, day.hours) for day in found.days] == [
        (2, DayKind.COUNTED, 15.0),
        (3, DayKind.COUNTED, 5.0),
    ]
    assert "2026-03-03  Tue   5 h    working day" in text(found, "en")


@pytest.mark.parametrize(
    ("known", "now", "outcome"),
    [
        (clocks(), WEDNESDAY, Outcome.AWAITED),
        (clocks(), at("2026-04-01 09:00"), Outcome.OVERDUE),
        (logic.follow(clocks(), replied(routed(), WEDNESDAY), POLICY), WEDNESDAY, Outcome.IN_TIME),
        (logic.follow(clocks(), replied(routed(), at("2026-04-01")), POLICY), WEDNESDAY,
         Outcome.LATE),
        (logic.settle(clocks(), Standing(state=State.WITHDRAWN)), WEDNESDAY, Outcome.ENDED),
    ],
)  # fmt: skip
def test_the_outcome_is_told(known: Clocks, now: datetime, outcome: Outcome) -> None:
    assert explained(known, now).outcome is outcome


def test_where_no_answer_is_owed_there_is_nothing_to_explain() -> None:
    free = routed(answer_owed=False, limits=Limits())
    with pytest.raises(Conflict, match="no answer is owed"):
        explained(logic.follow(Clocks(case_id="case-1"), free, POLICY))


def due(day: str) -> datetime:
    return at(f"{day} 00:00") + timedelta(days=1, microseconds=-1)


def test_the_forecast_adds_up_along_the_queue() -> None:
    now = at("2026-03-02 09:00")  # a Monday
    queue = [("a", due("2026-02-27"), 2), ("a", due("2026-03-03"), 3), ("a", due("2026-03-05"), 4),
             ("b", due("2026-03-05"), 1)]  # fmt: skip
    found = forecast(queue, {"a": 30, "b": 20}, CALENDAR, now)
    a, b = found.units
    assert (found.breaches, a.breaches, b.breaches) == (5, 5, 0)
    assert (a.open, a.overdue, a.per_day) == (9, 2, 1.5)
    # Three answers until Tuesday: two overdue ones and one of three. Six until Thursday: of the
    # four that are due then, at the places 6 to 9, one.
    assert [(s.days_left, s.can_answer, s.queue, s.breaches) for s in a.steps] == [
        (2, 3, 5, 2),
        (4, 6, 9, 3),
    ]


def test_a_unit_that_answers_nothing_breaches_everything_that_is_still_to_come() -> None:
    queue = [("a", due("2026-02-27"), 2), ("a", due("2026-03-03"), 3)]
    [unit] = forecast(queue, {}, CALENDAR, at("2026-03-02 09:00")).units
    assert (unit.breaches, unit.overdue, unit.open) == (3, 2, 5)
