"""The rating page speaks the reader's language, and lacks no word in either."""

from __future__ import annotations

import pytest

from services.evaluation.texts import TEXTS
from shared.runtime.pages import language


@pytest.mark.parametrize(
    ("asked", "accepted", "chosen"),
    [
        (None, None, "zh"),
        ("en", "zh-CN", "en"),
        ("zh", "en", "zh"),
        ("klingon", "en", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "en-GB,en;q=0.9,zh;q=0.8", "en"),
        (None, "fr;q=1, zh;q=0.3", "zh"),
        (None, "fr", "en"),
        (None, "zh;q=0, de", "en"),
        (None, "zh;q=nonsense, en;q=0.1", "en"),
        (None, ";;;,,,", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_or_the_better_liked(
    asked: str | None, accepted: str | None, chosen: str
) -> None:
    assert language(asked, accepted) == chosen


def test_both_languages_have_all_words() -> None:
    assert TEXTS["zh"].keys() == TEXTS["en"].keys()
    for words in TEXTS.values():
        assert all(text.strip() for text in words.values())
