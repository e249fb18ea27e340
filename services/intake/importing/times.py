"""Reading the times of a register: accepted formats, the place's zone, dates without a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

ISO = "iso"
"""The name of ISO 8601 among the formats, such as `2026-05-04T09:30:00+08:00`."""

_SAMPLE = datetime(2019, 11, 23, 21, 38, 47, tzinfo=UTC)


class DateOnly(StrEnum):
    """How a date without a time of day is read."""

    START_OF_DAY = "start-of-day"
    END_OF_DAY = "end-of-day"
    """One microsecond before the next day begins, as deadlines end; now, while the day lasts."""
    REFUSE = "refuse"


class NotATime(ValueError):
    """A cell that holds no time in any of the accepted formats; the message says the mend."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as it was read."""

    at: datetime
    assumed: DateOnly | None = None
    """How the time of day was found, where the cell holds only a date."""


def has_time_of_day(form: str) -> bool:
    """Whether a format for `strptime` holds a time of day, or only a date.

    Raises ValueError where it is no such format, or does not tell the day or the hour for certain.
    """
    if form == ISO:
        return True
    read = datetime.strptime(_SAMPLE.strftime(form), form)  # noqa: DTZ007 - compared as local time
    if read.date() != _SAMPLE.date():
        raise ValueError("it must hold year, month and day")
    if read.hour == _SAMPLE.hour:
        return True
    if read.time() == time():
        return False
    raise ValueError("it does not tell morning from afternoon: add `%p`, or use `%H`")


class TimeReader:
    """Reads the cells of one column."""

    def __init__(
        self, formats: tuple[str, ...], zone: ZoneInfo, date_only: DateOnly, now: datetime
    ) -> None:
        self._zone = zone
        self._date_only = date_only
        self._now = now
        self._iso = ISO in formats
        plain = [form for form in formats if form != ISO]
        self._with_time = [form for form in plain if has_time_of_day(form)]
        self._days = [form for form in plain if not has_time_of_day(form)]
        self._example = _example(self._with_time, iso=self._iso)

    def read(self, cell: object) -> Moment:
        """The moment that a cell names, in UTC.

        Raises `NotATime`.
        """
        found = self._local(cell)
        try:
            if isinstance(found, datetime):
                aware = found if found.tzinfo else found.replace(tzinfo=self._zone)
                return Moment(aware.astimezone(UTC))
            return self._assume(found)
        except OverflowError as error:
            raise NotATime("This time lies outside the calendar: correct it.") from error

    def _assume(self, day: date) -> Moment:
        if self._date_only is DateOnly.REFUSE:
            raise NotATime(f"The time of day is missing: write it such as {self._example}.")
        start = datetime.combine(day, time(), self._zone).astimezone(UTC)
        if self._date_only is DateOnly.START_OF_DAY:
            return Moment(start, DateOnly.START_OF_DAY)
        midnight = datetime.combine(day + timedelta(days=1), time(), self._zone)
        end = midnight.astimezone(UTC) - timedelta(microseconds=1)
        # the day that still lasts has no end yet, and a later day is refused as it stands
        end = self._now if start <= self._now < end else end
        return Moment(end, DateOnly.END_OF_DAY)

    def _local(self, cell: object) -> datetime | date:
        """A local or aware time, or a date without a time."""
        if isinstance(cell, datetime):
            # A spreadsheet keeps a date as its midnight: nobody writes that down to the second.
            return cell if cell.tzinfo or cell.time() != time() else cell.date()
        if isinstance(cell, date):
            return cell
        if isinstance(cell, bool | int | float):
            raise NotATime(
                "This is a bare number: format the column as a date in the spreadsheet, or write"
                f" the time such as {self._example}."
            )
        if not isinstance(cell, str):
            raise NotATime(f"This is no date: write date and time such as {self._example}.")
        return self._text(cell.strip())

    def _text(self, text: str) -> datetime | date:
        for form in self._with_time:
            try:
                return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is added by `read`
            except ValueError:
                continue
        for form in self._days:
            try:
                return datetime.strptime(text, form).date()  # noqa: DTZ007 - as above
            except ValueError:
                continue
        if self._iso:
            try:
                return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
            except ValueError:
                pass
        raise NotATime(
            "This is no time in any of the accepted formats: correct it, write it such as"
            f" {self._example}, or add its format to `time_formats` in the mapping."
        )


def write_time(at: datetime, formats: tuple[str, ...]) -> str:
    """A spreadsheet's date as a text that a `TimeReader` of these formats reads alike."""
    bare = at.time() == time() and at.tzinfo is None
    fitting = [form for form in formats if form != ISO and has_time_of_day(form) is not bare]
    if fitting:
        return at.strftime(fitting[0])
    return at.date().isoformat() if bare else at.isoformat(sep=" ")


def _example(formats: list[str], *, iso: bool) -> str:
    """How a time can be written."""
    if formats:
        return f"`{_SAMPLE.strftime(formats[0])}`"
    return f"`{_SAMPLE.isoformat()}`" if iso else "a date and a time"
