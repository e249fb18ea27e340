"""Category and item found from the text."""

from __future__ import annotations

import random
import re
import time

import pytest

from shared.domain.case import Submission
from shared.policy import CompiledPolicy
from shared.policy.engine.keywords import KeywordIndex, fold


def submission(
    subject: str = "你好", text: str = "", channel: str = "hotline", **more: str
) -> Submission:
    return Submission.model_validate(
        {"source": "t", "external_id": "1", "channel": channel, "subject": subject, "text": text}
        | more
    )


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (submission("昨晚停电"), ("power", "outage")),
        (submission("计划停电太多"), ("power", "planned")),  # the longer keyword weighs more
        (submission("供电"), ("power", None)),
        (submission("电价", "停电"), ("bills", "tariff")),  # the subject weighs more than the text
        (submission("你好", "停电，问电价，又停电"), ("power", "outage")),  # the earlier of equals
        (submission("你好"), ("bills", None)),
        (submission("你好", channel="mailbox"), ("staff", None)),
        (submission("停电", channel="mailbox"), ("staff", None)),  # its side's categories only
        (submission("An OUTAGE again"), ("power", "outage")),
        (submission("Ｏｕｔａｇｅ"), ("power", "outage")),
        (submission("outages"), ("bills", None)),  # whole words in Latin script
        (submission("停电", category="bills"), ("bills", None)),
        (submission("电价", category="bills"), ("bills", "tariff")),
        (submission("电价", item="planned"), ("power", "planned")),
        (submission("电价", category="power", item="outage"), ("power", "outage")),
    ],
)
def test_a_text_is_classified(
    small: CompiledPolicy, given: Submission, found: tuple[str, str | None]
) -> None:
    assert small.classify(given) == found


def test_keywords_are_found_wherever_they_stand() -> None:
    words = ["漏电", "电线", "fire alarm", "x😀", "第1号"]
    index = KeywordIndex(words)
    for word in words:
        for before in ("", "。", "，电"):
            for after in ("", "。", "！了"):
                assert word in index.hits(fold(before + word + after))
    assert index.hits("") == set()
    assert index.hits("漏") == set()
    assert index.hits(fold("a fire alarmed us")) == set()


def test_no_keyword_is_missed_where_several_overlap() -> None:
    chance = random.Random(7)
    for _ in range(200):
        words = {"".join(chance.choices("水电费a1 ", k=chance.randint(2, 4))) for _ in range(20)}
        words = {fold(word) for word in words if len(fold(word)) > 1}
        text = fold("".join(chance.choices("水电费a1 。", k=30)))
        assert KeywordIndex(words).hits(text) == {word for word in words if stands(word, text)}


def stands(word: str, text: str) -> bool:
    """Looked for at every place by itself; Latin letters and digits end at others."""
    latin = re.compile("[a-z0-9]{2}")
    return any(
        text.startswith(word, at)
        and not latin.fullmatch(text[max(0, at - 1) : at + 1])
        and not latin.fullmatch(text[at + len(word) - 1 : at + len(word) + 1])
        for at in range(len(text))
    )


def test_a_keyword_stands_in_the_subject_or_in_the_text_and_never_half_in_each() -> None:
    index = KeywordIndex(["漏电", "电线", "line out"])
    assert index.in_case("漏", "电线") == (set(), {"电线"})
    assert index.in_case("电线漏电", "电线") == ({"漏电", "电线"}, {"漏电", "电线"})
    assert index.in_case("A line", "out") == (set(), set())


def test_decomposed_letters_are_the_same_letters() -> None:
    assert KeywordIndex(["café"]).hits(fold("Cafe\u0301!")) == {"café"}


def test_classifying_a_long_text_takes_well_under_a_millisecond(
    message_board: CompiledPolicy,
) -> None:
    """1,500 Chinese characters against 2,000 keywords; the bound leaves room for slow machines."""
    text = "".join(chr(0x4E00 + (n * 7919) % 5000) for n in range(1490)) + "路灯不亮，请修公路"
    given = submission("咨询", text, channel="message-board")
    start = time.process_time()
    for _ in range(100):
        message_board.classify(given)
    assert (time.process_time() - start) / 100 < 0.002
