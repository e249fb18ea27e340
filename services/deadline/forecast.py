"""How many open cases will breach at the present pace, reckoned so that anyone can follow it.

A unit answers its cases in the order of their due dates, as many a working day as it did over the
last working days. The case at place k of its queue is then answered after k ÷ rate working days; it
breaches where fewer are left until its due day, today included. What is overdue already stands at
the head of the queue and costs time, but is not counted again. Nothing new comes in: so this is
the least that is to be expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from shared.domain.calendar import WorkingCalendar
from shared.domain.model import View

WINDOW = 20
"""Working days before today over which a unit's pace is observed: about a month."""


class Step(View):
    """The cases of a unit that are due on one day."""

    due_day: date
    cases: int
    queue: int
    """Cases that are due until then, those of the day and the overdue ones included."""
    days_left: int
    """Working days until then, today included."""
    can_answer: int
    """Cases that the unit answers in these days at its pace."""
    breaches: int


class UnitForecast(View):
    """What is to be expected of one unit."""

    unit: str
    open: int
    """Cases that owe an answer."""
    overdue: int
    answered: int
    """Answers on the working days of the window."""
    per_day: float
    """Answers on one working day."""
    breaches: int
    """Cases that will breach and have not yet."""
    steps: tuple[Step, ...]
    """The reckoning, by due day."""


class Forecast(View):
    """What is to be expected of the house."""

    today: date
    window_from: date
    """The first day of the window; it ends before today."""
    window_days: int
    breaches: int
    units: tuple[UnitForecast, ...]
    """Most breaches first."""


Awaited = tuple[str, datetime, int]
"""A unit, a due moment, and how many of its cases are due then."""


def window(calendar: WorkingCalendar, now: datetime) -> date:
    """The first day of the window; raises `ConfigurationError` where the calendar is too short."""
    return calendar.nth_working_day(calendar.local_day(now), -WINDOW)


def forecast(
    awaited: Iterable[Awaited],
    answered: Mapping[str, int],
    calendar: WorkingCalendar,
    now: datetime,
) -> Forecast:
    """The forecast from the open cases and the answers of the window, by unit."""
    queues: dict[str, list[tuple[datetime, int]]] = {}
    for unit, due, cases in awaited:
        queues.setdefault(unit, []).append((due, cases))
    units = [
        _unit(unit, sorted(queue), answered.get(unit, 0), calendar, now)
        for unit, queue in queues.items()
    ]
    return Forecast(
        today=calendar.local_day(now),
        window_from=window(calendar, now),
        window_days=WINDOW,
        breaches=sum(unit.breaches for unit in units),
        units=tuple(sorted(units, key=lambda unit: (-unit.breaches, unit.unit))),
    )


def _unit(
    unit: str,
    queue: list[tuple[datetime, int]],
    answered: int,
    calendar: WorkingCalendar,
    now: datetime,
) -> UnitForecast:
    overdue = sum(cases for due, cases in queue if due < now)
    by_day: dict[date, int] = {}
    for due, cases in queue:
        if due >= now:
            day = calendar.local_day(due)
            by_day[day] = by_day.get(day, 0) + cases
    steps, place = [], overdue
    for day, cases in sorted(by_day.items()):
        left = _days_left(day, calendar, now)
        can = answered * left // WINDOW
        place += cases
        breaches = max(0, place - max(place - cases, can))
        steps.append(
            Step(
                due_day=day,
                cases=cases,
                queue=place,
                days_left=left,
                can_answer=can,
                breaches=breaches,
            )
        )
    return UnitForecast(
        unit=unit,
        open=place,
        overdue=overdue,
        answered=answered,
        per_day=answered / WINDOW,
        breaches=sum(step.breaches for step in steps),
        steps=tuple(steps),
    )


def _days_left(day: date, calendar: WorkingCalendar, now: datetime) -> int:
    today = calendar.local_day(now)
    return calendar.working_days_in(today, day) + calendar.is_working_day(today)
