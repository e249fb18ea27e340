"""The working days of the policy's place, from the `holidays` library and the file's own days."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from shared.domain.calendar import WorkingCalendar
from shared.domain.errors import ConfigurationError
from shared.policy.schema import CalendarPart

PROGRAM = Path(__file__).with_name("working_days.py")

PATIENCE = 60.0
"""Seconds for a program that takes a third of one."""

UNKNOWN_PLACE = 3
"""Its exit code for a place that the library does not know."""


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
    """The working days of the years, and the last day for which they are known for certain."""
    # -P: the folder of the program holds modules that are called like the standard library's.
    command = [
        sys.executable,
        "-P",
        str(PROGRAM),
        country,
        subdivision or "",
        f"{first}",
        f"{last}",
    ]
    told = subprocess.run(  # noqa: S603 - our own program; the arguments are data to it
        command, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if told.returncode == UNKNOWN_PLACE:
        raise UnknownPlace(told.stderr.strip())
    if told.returncode != 0:
        raise ConfigurationError(
            f"The working days of {country} could not be reckoned; what Python says of it:\n"
            f"{told.stderr.strip()}\nIs the installation complete? Install it again."
        )
    days, published = json.loads(told.stdout)
    return frozenset(map(date.fromordinal, days)), date.fromordinal(published)
