"""When a case repeats an earlier one."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations

import pytest

from services.intake.repeats import WORDLESS, Matter, enter
from shared.domain.case import Submission

DAY_0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAYS = 30


def entered(*days: float) -> list[str | None]:
    """Which case each one repeats, entered in this order; a case is called by its day."""
    matter, found = Matter(fingerprint="same"), []
    for day in days:
        matter, repeat_of = enter(matter, f"{day}", DAY_0 + timedelta(days=day), DAYS)
        found.append(repeat_of)
    return found


def words(subject: str, text: str) -> str:
    given = Submission(source="s", external_id="1", channel="c", subject=subject, text=text)
    return given.matter


def test_the_same_words_within_the_days_repeat_the_earliest_case() -> None:
    assert entered(0, 10, 30) == [None, "0", "0"]


def test_a_chain_of_repeats_leads_back_to_its_first_case() -> None:
    assert entered(0, 25, 50, 75) == [None, "0", "0", "0"]


def test_the_same_words_after_the_days_are_a_new_matter() -> None:
    assert entered(0, 30.5, 40) == [None, None, "30.5"]


def test_an_older_case_that_comes_in_later_repeats_nothing_and_becomes_the_first() -> None:
    assert entered(20, 5, 25) == [None, None, "5"]


def test_a_case_much_older_is_a_matter_of_its_own() -> None:
    assert entered(100, 0, 10, 110) == [None, None, "0", "100"]


def test_two_cases_of_the_same_moment_repeat_each_other_once() -> None:
    assert entered(0, 0) == [None, "0"]


def test_what_is_kept_of_a_matter_does_not_grow_with_its_repeats() -> None:
    matter = Matter(fingerprint="same")
    for minute in range(1000):
        matter, _ = enter(matter, f"{minute}", DAY_0 + timedelta(minutes=minute), DAYS)
    assert len(matter.runs) == 1


@pytest.mark.parametrize("days", list(permutations((0, 20, 45, 100))))
def test_runs_stay_in_order_and_apart_in_whatever_order_cases_come(days: tuple[int, ...]) -> None:
    matter = Matter(fingerprint="same")
    for day in days:
        matter, repeat_of = enter(matter, f"{day}", DAY_0 + timedelta(days=day), DAYS)
        assert repeat_of is None or int(repeat_of) <= day
    starts = [run.first_at for run in matter.runs]
    assert starts == sorted(starts)
    assert all(earlier.last_at < later.first_at for earlier, later in pairwise(matter.runs))


def test_texts_of_nothing_but_punctuation_are_not_taken_for_the_same() -> None:
    assert words("？？？", "…") == WORDLESS
    matter, first = enter(Matter(fingerprint=WORDLESS), "1", DAY_0, DAYS)
    assert (enter(matter, "2", DAY_0, DAYS)[1], first) == (None, None)


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("路灯不亮", "A3区路灯，坏了一周！"),
        ("路灯 不亮", "\n\t A3区路灯,坏了一周"),
        ("【路灯不亮】", "Ａ３区路灯。坏了一周"),
        ("路灯不亮", "a3区路灯坏了一周"),
    ],
)
def test_white_space_width_case_and_punctuation_do_not_tell_words_apart(
    subject: str, text: str
) -> None:
    assert words(subject, text) == words("路灯不亮", "A3区路灯坏了一周")


def test_other_words_are_another_matter_however_letters_are_composed() -> None:
    assert words("路灯不亮", "A3区") != words("路灯不亮", "A4区")
    assert words("Cafe\u0301", "") == words("Café", "")
    assert words("Cafe", "") != words("Café", "")
