"""How the times of a register are read."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from services.intake.importing.times import (
    DateOnly,
    Moment,
    NotATime,
    TimeReader,
    has_time_of_day,
    write_time,
)
from tests.support.registers import NOW

FORMATS = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d", "iso")
LOCAL = datetime.fromisoformat("2019-04-08 08:37:20")
DAY = datetime.fromisoformat("2018-04-24")
"""Dates of a spreadsheet, which knows no zones."""
SHANGHAI = ZoneInfo("Asia/Shanghai")


def read(cell: object, date_only: DateOnly = DateOnly.END_OF_DAY, *formats: str) -> Moment:
    return TimeReader(formats or FORMATS, SHANGHAI, date_only, NOW).read(cell)


@pytest.mark.parametrize(
    "cell",
    [
        "2019/4/8 8:37:20",
        " 2019/04/08 08:37:20\n",
        "2019-04-08T08:37:20",
        "2019-04-08T00:37:20Z",
        "2019-04-07T20:37:20-04:00",
        LOCAL,
        datetime(2019, 4, 8, 0, 37, 20, tzinfo=UTC),
    ],
)
def test_a_time_is_read_in_the_zone_of_the_register_unless_it_says_its_own(cell: object) -> None:
    assert read(cell) == Moment(datetime(2019, 4, 8, 0, 37, 20, tzinfo=UTC))


@pytest.mark.parametrize("cell", ["2018/4/24", "2018-04-24", DAY, date(2018, 4, 24)])
def test_a_date_without_a_time_is_the_end_or_the_start_of_its_day(cell: object) -> None:
    end = read(cell, DateOnly.END_OF_DAY)
    assert end.at == datetime(2018, 4, 24, 15, 59, 59, 999999, tzinfo=UTC)
    assert end.assumed is DateOnly.END_OF_DAY
    start = read(cell, DateOnly.START_OF_DAY)
    assert start.at == datetime(2018, 4, 23, 16, tzinfo=UTC)
    assert start.assumed is DateOnly.START_OF_DAY


def test_the_end_of_a_day_that_still_lasts_is_now() -> None:
    assert read("2026/5/4").at == NOW


def test_the_end_of_a_day_to_come_stays_in_the_future() -> None:
    assert read("2026/5/5").at > NOW


def test_a_date_without_a_time_is_refused_where_the_mapping_says_so() -> None:
    with pytest.raises(NotATime, match=r"time of day is missing.*`2019/11/23 21:38:47`"):
        read("2018/4/24", DateOnly.REFUSE)


@pytest.mark.parametrize("cell", [43563.359, 20190408, True])
def test_a_bare_number_is_no_time_and_the_column_is_to_be_formatted(cell: object) -> None:
    with pytest.raises(NotATime, match="format the column as a date"):
        read(cell)


@pytest.mark.parametrize(
    "cell", ["yesterday", "2019/2/30 10:00:00", "2019/4/8 25:00:00", "8.4.2019", "20190", "-"]
)
def test_what_fits_no_format_is_refused_with_an_example(cell: str) -> None:
    with pytest.raises(NotATime, match="`2019/11/23 21:38:47`"):
        read(cell)


@pytest.mark.parametrize("cell", [time(9, 30), ["2019"], b"2019"])
def test_what_is_no_date_at_all_is_refused(cell: object) -> None:
    with pytest.raises(NotATime, match="no date"):
        read(cell)


@pytest.mark.parametrize("cell", ["0001-01-01T00:00:00", "9999-12-31", "9999-12-31T23:59:59-12:00"])
def test_a_time_at_the_end_of_the_calendar_is_refused(cell: str) -> None:
    with pytest.raises(NotATime, match="outside the calendar"):
        read(cell)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("%H:%M", "year, month and day"),
        ("%Y/%m", "year, month and day"),
        ("%Y/%m/%d %I:%M", "morning from afternoon"),
        ("%Y/%m/%d %Q", "%Q|directive"),
        ("yyyy-mm-dd", "year, month and day"),
    ],
)
def test_a_format_that_leaves_something_open_cannot_be_used(form: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        has_time_of_day(form)


@pytest.mark.parametrize("at", [LOCAL, DAY])
@pytest.mark.parametrize("formats", [FORMATS, FORMATS[:2], ("iso",)])
def test_a_date_that_is_written_out_is_read_alike(at: datetime, formats: tuple[str, ...]) -> None:
    assert read(write_time(at, formats), DateOnly.END_OF_DAY, *formats) == read(at)
