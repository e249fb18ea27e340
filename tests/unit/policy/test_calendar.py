"""Working days from the library, against days that everybody in China remembers."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from chinese_calendar import is_workday

from shared.domain.calendar import WorkingCalendar
from shared.policy.schema.clocks import CalendarPart
from shared.policy.time.calendar import UnknownPlace, build

ZONE = ZoneInfo("Asia/Shanghai")


def calendar(**changes: object) -> WorkingCalendar:
    given = {"country": "CN", "years": (2012, 2030)}
    return build(CalendarPart.model_validate(given | changes), ZONE)


@pytest.fixture(scope="module")
def china() -> WorkingCalendar:
    return calendar()


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2014, 1, 26), True),  # Sunday made up for the spring festival of 2014
        (date(2014, 1, 31), False),
        (date(2014, 2, 6), False),
        (date(2014, 2, 8), True),
        (date(2015, 2, 15), True),
        (date(2015, 2, 18), False),
        (date(2015, 2, 28), True),
        (date(2015, 9, 3), False),  # the one holiday for the 70th anniversary
        (date(2015, 9, 6), True),
        (date(2016, 2, 6), True),
        (date(2016, 2, 12), False),
        (date(2016, 2, 14), True),
        (date(2017, 1, 22), True),
        (date(2017, 2, 2), False),
        (date(2018, 2, 11), True),
        (date(2018, 2, 21), False),
        (date(2018, 2, 24), True),
        (date(2019, 2, 2), True),
        (date(2019, 5, 2), False),  # extended late, by a notice of March
        (date(2019, 5, 5), True),
        (date(2020, 1, 19), True),  # a Sunday
        (date(2020, 1, 31), False),  # the festival that the epidemic extended
        (date(2020, 10, 8), False),
        (date(2020, 10, 10), True),
        (date(2020, 6, 20), False),
    ],
)
def test_make_up_days_are_worked_and_holidays_are_not(
    china: WorkingCalendar, day: date, worked: bool
) -> None:
    assert china.is_working_day(day) is worked


def days_of(first: int, last: int) -> list[date]:
    start, end = date(first, 1, 1).toordinal(), date(last, 12, 31).toordinal()
    return [date.fromordinal(number) for number in range(start, end + 1)]


def test_years_of_china_have_between_245_and_253_working_days(china: WorkingCalendar) -> None:
    for year in range(2012, 2027):
        worked = sum(map(china.is_working_day, days_of(year, year)))
        assert 245 <= worked <= 253, year


def test_published_until_ends_the_last_year_with_make_up_days(china: WorkingCalendar) -> None:
    made_up = [
        day for day in days_of(2012, 2030) if day.weekday() >= 5 and china.is_working_day(day)
    ]
    assert china.published_until == date(max(made_up).year, 12, 31)
    assert china.published_until >= date(2026, 12, 31)


def test_a_country_whose_holidays_follow_from_law_is_known_to_the_end() -> None:
    assert calendar(country="DE", years=(2020, 2030)).published_until == date(2030, 12, 31)


def test_a_year_in_which_nothing_is_published_is_provisional_from_its_first_day() -> None:
    assert calendar(years=(2029, 2030)).published_until == date(2028, 12, 31)


def test_days_of_the_file_outrank_the_library() -> None:
    own = calendar(
        holidays=["2027-03-01"], working_days=["2027-03-06"], published_until="2027-12-31"
    )
    assert not own.is_working_day(date(2027, 3, 1))
    assert own.is_working_day(date(2027, 3, 6))
    assert own.published_until == date(2027, 12, 31)


def test_a_place_that_the_library_does_not_know_is_refused() -> None:
    with pytest.raises(UnknownPlace):
        calendar(country="QQ")
    with pytest.raises(UnknownPlace):
        calendar(country="DE", subdivision="XX")


def test_every_day_and_every_limit_agrees_with_another_library() -> None:
    """`chinesecalendar` has the notices of the State Council, typed in by others."""
    china = calendar(years=(2011, 2027))
    days = days_of(2012, 2026)
    worked = [day.toordinal() for day in days if is_workday(day)]
    assert [day.toordinal() for day in days if china.is_working_day(day)] == worked
    first, last = days[0].toordinal(), days[-1].toordinal()
    for limit in range(1, 61):
        begins = [
            day
            for day in range(first, last + 1)
            if bisect_right(worked, day) + limit <= len(worked)
        ]
        expected = [worked[bisect_right(worked, day) + limit - 1] for day in begins]
        assert china.nth_working_days(begins, limit) == expected
        assert [
            china.nth_working_day(date.fromordinal(day), limit).toordinal() for day in begins[::50]
        ] == expected[::50]


def test_days_off_have_their_names_in_both_languages(china: WorkingCalendar) -> None:
    new_year = china.names[date(2024, 2, 10).toordinal()]
    assert new_year == {"zh": "春节", "en": "Chinese New Year (Spring Festival)"}
    assert date(2024, 2, 18).toordinal() not in china.names  # a Sunday that was worked
    assert china.weekend == {5, 6}


def test_a_place_that_speaks_another_language_is_told_in_the_languages_that_there_are() -> None:
    german = calendar(country="DE", years=(2024, 2025))
    assert german.names[date(2024, 10, 3).toordinal()]["en"] == "German Unity Day"
    assert german.names[date(2024, 10, 3).toordinal()]["zh"] == "Tag der Deutschen Einheit"


def test_two_calendars_have_the_same_digest_only_if_they_lead_to_the_same_due_dates() -> None:
    assert calendar().digest == calendar().digest
    others = (
        calendar(holidays=["2027-03-01"]),
        calendar(business_hours=["09:00-17:00"]),
        calendar(published_until="2027-12-31"),
    )
    assert len({calendar().digest, *(each.digest for each in others)}) == 4
