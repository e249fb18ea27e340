"""Print the working days of a country's years: run as a program, by `calendar.py`.

The `holidays` library knows 250 countries and takes 17 MB to tell of one. In a process of its own
that memory is given back when the days have been told.
"""

import json
import sys
from datetime import date, timedelta
from typing import Any

import holidays


def told(country: str, subdivision: str | None, first: int, last: int) -> dict[str, Any]:
    """The working days of the years, and what is known about the others.

    `days`: the working days; `published`: the last day for which they are known for certain;
    `names`: what days off are called, by language; `weekend`: the days of the week on which nobody
    works, from Monday's 0. Days are proleptic Gregorian ordinals. Where weekends are worked to make
    up for holidays (China), the government publishes them year by year, and the library repeats
    that: beyond the last year with such a day it only guesses. Where it knows no such days,
    holidays follow from the law and are taken as certain. Raises NotImplementedError where it does
    not know the place.
    """
    years = range(first, last + 1)
    known: Any = holidays.country_holidays(country, subdiv=subdivision, years=years)
    end = date(last, 12, 31)
    span = (end - date(first, 1, 1)).days + 1
    every = (date(first, 1, 1) + timedelta(days=day) for day in range(span))
    days = [day.toordinal() for day in every if known.is_working_day(day)]
    published = end.toordinal()
    if known.has_substituted_holidays:
        # The library also notes a few such days of years that it was not asked for.
        made_up = (day.year for day in known.weekend_workdays if day.year >= first)
        published = date(max(made_up, default=first - 1), 12, 31).toordinal()
    languages = {language: _language(known, language) for language in ("zh", "en")}
    return {
        "days": days,
        "published": published,
        "names": {
            language: {
                day.toordinal(): name
                for day, name in holidays.country_holidays(
                    country, subdiv=subdivision, years=years, language=spoken
                ).items()
            }
            for language, spoken in languages.items()
        },
        "weekend": sorted(known.weekend),
    }


def _language(known: Any, wanted: str) -> str | None:
    """The library's name of a language, or of the place's own where it does not speak that one."""
    spoken = sorted(known.supported_languages or ())
    close = (one for one in spoken if one.startswith(wanted))
    preferred = {"zh": "zh_CN", "en": "en_US"}[wanted]
    return preferred if preferred in spoken else next(close, known.default_language)


if __name__ == "__main__":
    place, part, begin, until = sys.argv[1:]
    try:
        sys.stdout.write(json.dumps(told(place, part or None, int(begin), int(until))))
    except NotImplementedError as unknown:
        sys.stderr.write(f"{unknown}")
        sys.exit(3)
