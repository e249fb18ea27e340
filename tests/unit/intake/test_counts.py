"""How many cases came before with the same words, or from the same informant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake import counts
from services.intake.counts import KEPT, Sightings
from shared.domain.case import Submission
from shared.domain.policy import Count

NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)
DAY = timedelta(days=1)
WORDS, PERSON = Count(of="same-matter", days=30), Count(of="same-informant", days=30)
OPEN = Count(of="open-cases-of-unit")


def submission(**changes: Any) -> Submission:
    given = {"source": "s", "external_id": "1", "channel": "hotline", "subject": "Dark lamp"}
    return Submission.model_validate(given | changes)


def key(count: Count = PERSON, **changes: Any) -> str | None:
    return counts.keys_of(submission(**changes), {"n": count}).get("n")


@given(moments=st.lists(st.integers(0, 100), max_size=30), at=st.integers(0, 100))
def test_in_whatever_order_cases_come_in_the_earlier_ones_are_counted(
    moments: list[int], at: int
) -> None:
    seen = Sightings(key="k")
    for moment in moments:
        seen = counts.enter(seen, NOW + moment * DAY)
    expected = sum(at - 30 <= moment <= at for moment in moments)
    assert counts.earlier(seen, NOW + at * DAY, 30) == expected


@pytest.mark.parametrize(
    ("ago", "counted"),
    [(timedelta(0), 1), (30 * DAY, 1), (30 * DAY + timedelta(seconds=1), 0), (-DAY, 0)],
)
def test_the_days_are_counted_to_the_moment(ago: timedelta, counted: int) -> None:
    seen = counts.enter(Sightings(key="k"), NOW - ago)
    assert counts.earlier(seen, NOW, 30) == counted


def test_counts_end_where_the_memory_does() -> None:
    seen = Sightings(key="k")
    for number in range(KEPT + 50):
        seen = counts.enter(seen, NOW + number * timedelta(seconds=1))
    assert len(seen.moments) == KEPT
    assert counts.earlier(seen, NOW + DAY, 30) == KEPT


def test_an_informant_is_known_by_the_source_and_its_number_else_by_the_contact() -> None:
    assert key(informant={"ref": "7"}) == key(informant={"ref": "7", "contact": "a@example.org"})
    assert key(informant={"ref": "7"}) != key(informant={"ref": "7"}, source="another")
    by_contact = key(informant={"contact": "a@example.org"})
    assert by_contact == key(informant={"contact": "a@example.org"}, source="another")
    assert "example" not in f"{by_contact}"


def test_what_cannot_be_told_apart_is_not_counted() -> None:
    assert key(informant={"name": "Zhang Wei"}) is None
    assert key(WORDS, subject="???") is None
    assert key(OPEN) is None


def test_words_are_the_same_as_for_repeats() -> None:
    assert key(WORDS, subject="Dark  lamp!") == key(WORDS)
    assert key(WORDS, subject="Dark lamps") != key(WORDS)


def test_two_counts_of_the_same_thing_share_their_sightings() -> None:
    wanted = {"month": WORDS, "week": Count(of="same-matter", days=7)}
    seen = {name: Sightings(key=key) for name, key in counts.keys_of(submission(), wanted).items()}
    [entered] = counts.entered(seen.values(), NOW)
    later = dict.fromkeys(wanted, entered)
    assert counts.tally(later, wanted, NOW + 10 * DAY) == {"month": 1, "week": 0}
