"""The working days of the policy's place, from the `holidays` library and the file's own days."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from shared.domain.calendar import WHOLE_DAY, Names, WorkingCalendar
from shared.domain.errors import ConfigurationError
from shared.policy.schema.clocks import CalendarPart, minutes

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
    told = _told(part.country, part.subdivision, *part.years)
    own = told.days.difference(part.holidays).union(part.working_days)
    return WorkingCalendar(
        zone,
        part.published_until or told.published,
        tuple(sorted(day.toordinal() for day in own)),
        tuple(map(minutes, part.business_hours)) or WHOLE_DAY,
        told.weekend,
        told.names,
    )


@dataclass(frozen=True)
class _Told:
    """What the library says about the days of a place's years."""

    days: frozenset[date]
    published: date
    weekend: frozenset[int]
    names: Names


@lru_cache(maxsize=8)
def _told(country: str, subdivision: str | None, first: int, last: int) -> _Told:
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
    read = json.loads(told.stdout)
    return _Told(
        frozenset(map(date.fromordinal, read["days"])),
        date.fromordinal(read["published"]),
        frozenset(read["weekend"]),
        _names(read["names"]),
    )


def _names(read: dict[str, dict[str, str]]) -> Names:
    """By day; a name that comes back every year is kept once."""
    found: dict[int, dict[str, str]] = {}
    for language, names in read.items():
        for ordinal, name in names.items():
            found.setdefault(int(ordinal), {})[language] = sys.intern(name)
    return found
