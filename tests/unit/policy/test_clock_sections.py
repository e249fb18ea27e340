"""What the policy file may say about time, and what it may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from shared.domain.aggregates import Handling, Limits
from shared.domain.case import Case
from shared.domain.clock_rules import ExtensionRule, Share
from shared.domain.errors import PolicyError
from shared.policy import CompiledPolicy, parse_policy

COLOURS = "reply: 5, accept: 1, warn: [1, 2]"
ESCALATION = "escalation: {days: 2}\n"


@contextmanager
def changed(text: str, *changes: tuple[str, str]) -> Iterator[CompiledPolicy]:
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    policy = parse_policy("small.yaml", text.encode())
    try:
        yield policy
    finally:
        policy.close()


def test_a_link_to_rate_lives_as_long_as_the_colour_or_the_level_says(
    small_text: str, case: Callable[..., Case]
) -> None:
    own = "rating: 7, levels: {base: {rating: 2}}"
    with changed(small_text, (COLOURS, f"{COLOURS}, {own}")) as policy:
        base = policy.triage(case(text="触电", category="power"))
        top = policy.triage(case(attributes={"customer": "hospital"}, item="outage"))
    assert (base.limits.rating, base.limits.reply) == (2, 5)
    assert top.limits.rating == 7


def test_limits_are_days_or_hours_and_a_level_may_have_its_own(
    small_text: str, case: Callable[..., Case]
) -> None:
    levels = "levels: {base: {reply: {hours: 4}, accept: {hours: 1}}}"
    with changed(small_text, (COLOURS, f"{COLOURS}, {levels}")) as policy:
        base = policy.triage(case(text="触电", category="power"))
        top = policy.triage(case(attributes={"customer": "hospital"}, item="outage"))
    assert (base.level, base.limits) == ("base", Limits(accept_hours=1, reply_hours=4))
    assert (top.level, top.limits) == ("top", Limits(accept=1, reply=5))


def test_warnings_are_numbers_and_shares(small_text: str) -> None:
    with changed(small_text, ("warn: [1, 2]", "warn: [50%, 1, 2, 80%]")) as policy:
        assert list(policy.warnings("red")) == [2, 1, Share(50), Share(80)]


def test_pauses_extensions_acceptance_and_the_pace_of_the_escalation(small_text: str) -> None:
    sections = """\
acceptance: {at_transfer: goes-on}
pauses:
  waiting: {title: {zh: 等待, en: Waiting}, max_days: 7}
  outage: {title: {zh: 停电, en: Outage}, by: [parent, house]}
extensions: {most: 2, max_days: 5, decided_by: [parent, house]}
escalation: {days: 2, first: 1, repeat: true}
"""
    with changed(small_text, (ESCALATION, sections)) as policy:
        rules = policy.clocks
        climb = policy.escalation(Handling(case_id="c1", unit="south"))
    assert (climb.first, climb.days, climb.repeat) == (1, 2, True)
    assert rules.at_transfer == "goes-on"
    assert [(each.by, each.max_days) for each in rules.pauses.values()] == [
        (("handler",), 7),
        (("parent", "house"), 20),
    ]
    assert rules.extension == ExtensionRule(2, 5, ("handler",), ("parent", "house"))


def test_business_hours_are_minutes_of_the_day(small_text: str) -> None:
    with changed(
        small_text,
        ("[2018, 2021]}", "[2018, 2021], business_hours: ['08:30-12:00', '13:30-24:00']}"),
    ) as policy:
        assert policy.calendar.hours == ((510, 720), (810, 1440))


@pytest.mark.parametrize(
    ("old", "new", "path", "code", "help_"),
    [
        ("reply: 5,", "reply: 10000,", "colours[0].reply", "less-than-equal", "1000"),
        ("reply: 5,", "reply: {hours: 0},", "colours[0].reply.hours", "greater-than-equal", "1"),
        ("reply: 5,", "reply: {hours: 40, days: 5},",
         "colours[0].reply.days", "extra-forbidden", "days"),
        ("reply: 5,", "reply: {hours: 20},", "colours[0].accept", "too-long", "20 hours"),
        ("warn: [1, 2]", "warn: [120%]", "colours[0].warn[0]", "string-pattern-mismatch", "120%"),
        ("warn: [1, 2]", "warn: [1], levels: {bottom: {reply: 3}}",
         "colours[0].levels.bottom", "unknown-level", "bottom"),
        ("warn: [1, 2]", "warn: [1], levels: {base: {accept: 9}}",
         "colours[0].levels.base.accept", "too-long", "9 working days"),
        (ESCALATION, ESCALATION + "pauses: {waiting: {title: {zh: 等, en: W}, by: [parents]}}\n",
         "pauses.waiting.by[0]", "unknown-unit", "parent"),
        (ESCALATION, ESCALATION + "pauses: {waiting: {title: {zh: 等, en: W}, max_days: 0}}\n",
         "pauses.waiting.max_days", "greater-than-equal", "1"),
        (ESCALATION, ESCALATION + "extensions: {decided_by: []}\n",
         "extensions.decided_by", "too-short", "at least 1"),
        (ESCALATION, ESCALATION + "extensions: {days: 3}\n",
         "extensions.days", "extra-forbidden", "days"),
        ("2021]}", "2021], business_hours: ['09:00-08:00']}",
         "calendar.business_hours", "order", "in order"),
        ("2021]}", "2021], business_hours: ['9-12']}",
         "calendar.business_hours[0]", "string-pattern-mismatch", "9-12"),
    ],
)  # fmt: skip
def test_a_mistake_about_time_is_told_with_its_place(
    small_text: str, old: str, new: str, path: str, code: str, help_: str
) -> None:
    assert small_text.count(old) == 1
    with pytest.raises(PolicyError) as caught:
        parse_policy("small.yaml", small_text.replace(old, new).encode())
    [problem] = caught.value.problems
    assert problem.field.startswith("line ")
    assert problem.field.endswith(f": {path}")
    assert problem.code == code
    assert help_ in problem.message
