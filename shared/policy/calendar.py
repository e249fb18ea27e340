"""The working days of the policy's place, from the `holidays` library and the file's own days."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.calendar import WorkingCalendar
from shared.policy.schema import CalendarPart


class UnknownPlace(LookupError):
    """The library knows no such country or subdivision."""


def build(part: CalendarPart, zone: ZoneInfo) -> WorkingCalendar:
    """The calendar of a policy.

    Raises:
        UnknownPlace: the library does not know the country or the subdivision.
    """
    days, published = _days(part.country, part.subdivision, *part.years)
    own = days.difference(part.holidays).union(part.working_days)
    return WorkingCalendar.of(own, zone, part.published_until or published)


@lru_cache(maxsize=8)
def _days(
    country: str, subdivision: str | None, first: int, last: int
) -> tuple[frozenset[date], date]:
    """The working days of the years, and the last day for which they are known for certain.

    Where weekends are worked to make up for holidays (China), the government publishes them year
    by year, and the library repeats that: beyond the last year with such a day it only guesses.
    Where it knows no such days, holidays follow from the law and are taken as certain.
    """
    # Imported here: it costs 0.15 s, which only a process that loads a policy should pay.
    import holidays  # noqa: PLC0415

    try:
        known: Any = holidays.country_holidays(
            country, subdiv=subdivision, years=range(first, last + 1)
        )
    except NotImplementedError as error:
        raise UnknownPlace(f"{error}") from error
    span = (date(last, 12, 31) - date(first, 1, 1)).days + 1
    every = (date(first, 1, 1) + timedelta(days=day) for day in range(span))
    days = frozenset(day for day in every if known.is_working_day(day))
    if not known.has_substituted_holidays:
        return days, date(last, 12, 31)
    # The library also notes a few such days of years that it was not asked for.
    made_up = (day.year for day in known.weekend_workdays if day.year >= first)
    return days, date(max(made_up, default=first - 1), 12, 31)
