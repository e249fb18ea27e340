"""Who is told what outside the ledger, and when: the policy's answer, as values."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum

from shared.domain.aggregates import Handling
from shared.domain.calendar import WorkingCalendar
from shared.domain.errors import ConfigurationError
from shared.domain.model import Value


class Way(StrEnum):
    """How somebody is told."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class Happening(Value):
    """What happened to a case, as far as the policy asks when it decides who is told."""

    event: str
    """The event's type, such as `case.routed`."""
    handling: Handling
    """With all the units to which the case has been escalated."""
    clock: str = "reply"
    """Which clock spoke: `reply`, or `accept` where the case was not accepted in time."""
    step: int | None = None
    """Which warning or which step of the escalation, from 1."""
    days_left: int | None = None
    """Working days until the due date, of a warning."""


class Addressee(Value):
    """One address that is told."""

    way: Way
    to: str
    """A mail address, or the id of a webhook's endpoint."""
    role: str
    """As what: `unit`, `parent`, `supervisors`, `station` or `recorder`."""
    unit: str = ""
    """The unit whose address it is; empty for a person."""
    row: str = ""
    """The row of the policy that says so."""


class Quiet(Value):
    """Hours in which nobody is told, by the clock on the wall of the place."""

    start: time
    end: time
    days_off: bool = False
    """Whether days that are no working days are quiet from midnight to midnight."""
    exempt: frozenset[str] = frozenset()
    """Colours that wait for nothing."""

    def opens(self, at: datetime, colour: str, calendar: WorkingCalendar) -> datetime:
        """The first moment from `at` on, in the zone of `at`, at which somebody may be told."""
        if colour in self.exempt:
            return at
        wall = at.astimezone(calendar.zone)
        for _ in range(_LONGEST_HOLIDAY):
            later = self._end_of_quiet(wall, calendar)
            if later is None:
                break
            wall = later
        return wall.astimezone(at.tzinfo)

    def _end_of_quiet(self, wall: datetime, calendar: WorkingCalendar) -> datetime | None:
        """When the quiet ends in which the moment lies; None where it lies in none."""
        day, moment = wall.date(), wall.timetz().replace(tzinfo=None)
        known = calendar.first <= day <= calendar.last  # beyond it nothing is held back for ever
        if self.days_off and known and not calendar.is_working_day(day):
            return datetime.combine(day + timedelta(days=1), time(), calendar.zone)
        over_midnight = self.start > self.end
        if moment < self.end and (over_midnight or self.start <= moment):
            return datetime.combine(day, self.end, calendar.zone)
        if over_midnight and moment >= self.start:
            return datetime.combine(day + timedelta(days=1), self.end, calendar.zone)
        return None


_LONGEST_HOLIDAY = 60
"""Steps from one quiet to the next, days off and nights: beyond that the calendar knows nothing."""


class Messages(Value):
    """How messages look, and when they go out."""

    languages: tuple[str, ...] = ("zh", "en")
    shows_subject: bool = False
    """Whether a case's subject may leave the ledger: it can name people."""
    quiet: Quiet | None = None
    digest_at: time | None = None
    """When each unit gets its list on working days; None sends none."""

    def opens(self, at: datetime, colour: str, calendar: WorkingCalendar) -> datetime:
        """The first moment from `at` on at which somebody may be told about such a case."""
        return self.quiet.opens(at, colour, calendar) if self.quiet else at


def end_of_week(at: datetime, calendar: WorkingCalendar) -> datetime:
    """The end of the last working day of the ISO week of `at`, of the day itself at the earliest.

    A weekend that is worked to make up for a holiday belongs to the week in which it lies.
    """
    day = calendar.local_day(at)
    sunday = day + timedelta(days=6 - day.weekday())
    while sunday > day and not calendar.is_working_day(sunday):
        sunday -= timedelta(days=1)
    return calendar.end_of(sunday)


def is_lost_before(handling: Handling, calendar: WorkingCalendar) -> bool:
    """Whether the answer was due before the case came in: the past raises no alarms."""
    started, received = handling.started_at, handling.received_at
    if started is None or received is None or handling.limits.reply is None:
        return False
    try:
        return calendar.due(started, handling.limits.reply) < received
    except ConfigurationError:  # beyond the calendar: the deadline service says so
        return False
