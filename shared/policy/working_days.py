"""Print the working days of a country's years: run as a program, by `calendar.py`.

The `holidays` library knows 250 countries and takes 17 MB to tell of one. In a process of its own
that memory is given back when the days have been told.
"""

import json
import sys
from datetime import date, timedelta
from typing import Any

import holidays


def working_days(
    country: str, subdivision: str | None, first: int, last: int
) -> tuple[list[int], int]:
    """The working days of the years, and the last day for which they are known for certain.

    Both as proleptic Gregorian ordinals. Where weekends are worked to make up for holidays (China),
    the government publishes them year by year, and the library repeats that: beyond the last year
    with such a day it only guesses. Where it knows no such days, holidays follow from the law and
    are taken as certain. Raises NotImplementedError where it does not know the place.
    """
    known: Any = holidays.country_holidays(
        country, subdiv=subdivision, years=range(first, last + 1)
    )
    end = date(last, 12, 31)
    span = (end - date(first, 1, 1)).days + 1
    every = (date(first, 1, 1) + timedelta(days=day) for day in range(span))
    days = [day.toordinal() for day in every if known.is_working_day(day)]
    if not known.has_substituted_holidays:
        return days, end.toordinal()
    # The library also notes a few such days of years that it was not asked for.
    made_up = (day.year for day in known.weekend_workdays if day.year >= first)
    return days, date(max(made_up, default=first - 1), 12, 31).toordinal()


if __name__ == "__main__":
    place, part, begin, until = sys.argv[1:]
    try:
        sys.stdout.write(json.dumps(working_days(place, part or None, int(begin), int(until))))
    except NotImplementedError as unknown:
        sys.stderr.write(f"{unknown}")
        sys.exit(3)
