"""Who is told what: all rows that match count, roles become addresses, mistakes have a place."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Any

import pytest

from shared.domain.aggregates import Handling
from shared.domain.case import Kind, Standing
from shared.domain.errors import PolicyError, Problem
from shared.domain.notices import Addressee, Happening, Way
from shared.policy import CompiledPolicy, load_policy, parse_policy

POLICIES = Path(__file__).resolve().parents[3] / "examples" / "policies"

SECTIONS = """\
contacts:
  unit_mail: "{unit}@house.example.org"
  staff_mail: "{person}@house.example.org"
  units:
    repair: {mail: [duty@house.example.org, night@house.example.org], webhook: [control-room]}
messages:
  languages: [en]
  show: subject
  quiet: {from: "20:00", until: "07:30", days_off: true, except: [red]}
  digest: {at: "08:00"}
notifications:
  - name: red
    when: {event: case.routed, colour: red}
    then: {tell: [unit, parent], by: [mail, webhook]}
  - name: routed
    when: {event: [case.routed, case.transferred]}
    then: {tell: [unit, recorder]}
  - name: last step
    when: {event: case.escalated, step: {at_least: 2}}
    then: {tell: [supervisors]}
  - name: soon
    when: {event: case.due-soon, days-left: {at_most: 1}, round: 2}
    then: {tell: [station]}
"""


@pytest.fixture
def policy(small_text: str) -> CompiledPolicy:
    return parse_policy("house.yaml", (small_text + SECTIONS).encode())


def happening(event: str, **changes: object) -> Happening:
    given: dict[str, Any] = {
        "colour": "red",
        "unit": "repair",
        "station": "north",
        "recorder": "clerk-7",
    }
    given |= {"case_id": "c", "kind": Kind.PROBLEM, "channel": "hotline"}
    steps: dict[str, Any] = {
        name: changes.pop(name) for name in ("step", "days_left") if name in changes
    }
    handling = Handling(**given | changes)
    return Happening(event=event, handling=handling, **steps)


def addresses(found: object) -> list[tuple[str, str]]:
    assert isinstance(found, list)
    return [(each.way.value, each.to) for each in found]


def test_all_rows_that_match_count_and_each_address_is_told_once(policy: CompiledPolicy) -> None:
    found = list(policy.addressees(happening("case.routed")))
    assert addresses(found) == [
        ("mail", "duty@house.example.org"),
        ("mail", "night@house.example.org"),
        ("webhook", "control-room"),
        ("mail", "house@house.example.org"),
        ("mail", "clerk-7@house.example.org"),
    ]
    assert [each.row for each in found] == ["red", "red", "red", "red", "routed"]
    assert found[-1] == Addressee(
        way=Way.MAIL, to="clerk-7@house.example.org", role="recorder", unit="", row="routed"
    )


def test_a_condition_that_does_not_hold_tells_nobody(policy: CompiledPolicy) -> None:
    assert not policy.addressees(happening("case.overdue"))
    one, two = ({"supervisors": ("house",), "step": step} for step in (1, 2))
    assert not policy.addressees(happening("case.escalated", **one))
    assert addresses(policy.addressees(happening("case.escalated", **two))) == [
        ("mail", "house@house.example.org")
    ]


def test_days_and_rounds_are_numbers_that_can_be_compared(policy: CompiledPolicy) -> None:
    second = {"standing": Standing(round=2)}
    assert policy.addressees(happening("case.due-soon", days_left=1, **second))
    assert not policy.addressees(happening("case.due-soon", days_left=2, **second))
    assert not policy.addressees(happening("case.due-soon", days_left=1))


@pytest.mark.parametrize(
    "recorder", [None, "a b", "x@y.example", "甲", "../x", "", "a\nb", ".a", "a..b", "a" * 65]
)
def test_a_recorder_whose_number_is_no_address_is_told_nothing(
    policy: CompiledPolicy, recorder: str | None
) -> None:
    found = policy.addressees(happening("case.transferred", recorder=recorder))
    assert {each.role for each in found} == {"unit"}


def test_a_unit_that_a_later_policy_dropped_is_told_nothing(policy: CompiledPolicy) -> None:
    assert addresses(policy.addressees(happening("case.transferred", unit="gone"))) == [
        ("mail", "clerk-7@house.example.org")
    ]


def test_messages_say_how_and_when(policy: CompiledPolicy) -> None:
    messages = policy.messages
    assert messages.languages == ("en",)
    assert messages.shows_subject
    assert messages.digest_at == time(8)
    assert messages.quiet is not None
    assert (messages.quiet.start, messages.quiet.end) == (time(20), time(7, 30))


def test_a_policy_that_says_nothing_tells_nobody(small_text: str) -> None:
    policy = parse_policy("house.yaml", small_text.encode())
    assert not policy.addressees(happening("case.routed"))
    assert not policy.mailboxes("repair")
    assert (policy.messages.quiet, policy.messages.digest_at) == (None, None)


@pytest.mark.parametrize("name", ["xiaoshan.yaml", "message-board.yaml"])
def test_the_shipped_policies_tell_of_red_cases_by_addresses_that_nobody_has(name: str) -> None:
    policy = load_policy(POLICIES / name)
    for unit in policy.units:
        told = policy.addressees(happening("case.routed", unit=unit, station=unit))
        assert told, unit
        mails = [each.to for each in told if each.way is Way.MAIL]
        assert mails
        assert all(each.endswith((".example.org", ".invalid")) for each in mails)


MISTAKES = [
    # (what is replaced, by what, where it is told, code, what helps)
    ("event: case.routed, colour", "event: case.rooted, colour",
     "notifications[0].when.event", "unknown-value", "`case.routed`"),
    ("routed, colour: red}", "routed, colour: rad}",
     "notifications[0].when.colour", "unknown-value", "`red`"),
    ("step: {at_least", "stepp: {at_least",
     "notifications[2].when.stepp", "unknown-fact", "`step`"),
    ("round: 2", "round: two", "notifications[3].when.round", "wrong-type", "number"),
    ("tell: [unit, recorder]", "tell: [unit, boss]",
     "notifications[1].then.tell[1]", "literal-error", "'recorder'"),
    ("by: [mail, webhook]", "by: [pigeon]", "notifications[0].then.by[0]", "enum", "'mail'"),
    ("name: routed", "name: red", "notifications[1].name", "duplicate", "line"),
    ("    repair: {mail", "    repiar: {mail", "contacts.units.repiar", "unknown-unit", "`repair`"),
    ("duty@house.example.org, night", "duty at house, night",
     "contacts.units.repair.mail[0]", "string-pattern-mismatch", "pattern"),
    ("{mail: [duty@house.example.org, night@house.example.org], webhook: [control-room]}", "{}",
     "contacts.units.repair", "no-address", "`mail`"),
    ('"{unit}@house', '"{union}@house', "contacts.unit_mail", "template", "{unit}"),
    ('"{unit}@house', '".{unit}@house', "contacts.unit_mail", "template", "{unit}"),
    ('"{unit}@house', '"{unit}@{unit}.house', "contacts.unit_mail", "template", "{unit}"),
    ("duty@house", "duty..x@house",
     "contacts.units.repair.mail[0]", "string-pattern-mismatch", "pattern"),
    ('  staff_mail: "{person}@house.example.org"\n', "",
     "notifications[1].then.tell", "no-address", "`staff_mail`"),
    (", webhook: [control-room]}", "}", "notifications[0].then.by", "no-address", "webhook"),
    ('until: "07:30"', 'until: "7:30"', "messages.quiet.until", "string-pattern-mismatch", ""),
    ('until: "07:30"', 'until: "20:00"', "messages.quiet.until", "empty", "another time"),
    ("except: [red]", "except: [rde]", "messages.quiet.except[0]", "unknown-colour", "`red`"),
    ("languages: [en]", "languages: [fr]", "messages.languages[0]", "literal-error", "'zh'"),
    ("show: subject", "show: everything", "messages.show", "literal-error", "'case'"),
    ("digest: {at:", "digest: {on:", "messages.digest.on", "extra-forbidden", ""),
]  # fmt: skip


ELSEWHERE = {
    "notifications[1].then.tell": "tell: [unit, recorder]",
    "notifications[0].then.by": "by: [mail, webhook]",
    "contacts.units.repair": "repair: {}",
}
"""Where a mistake shows, if not where the text was changed."""


@pytest.mark.parametrize(
    ("old", "new", "path", "code", "helps"),
    MISTAKES,
    ids=[f"{number}-{mistake[2]}-{mistake[3]}" for number, mistake in enumerate(MISTAKES)],
)
def test_a_mistake_is_told_with_line_and_column(
    small_text: str, old: str, new: str, path: str, code: str, helps: str
) -> None:
    assert old in SECTIONS
    text = small_text + SECTIONS.replace(old, new, 1)
    with pytest.raises(PolicyError) as caught:
        parse_policy("house.yaml", text.encode())
    found = [each for each in caught.value.problems if each.code == code]
    assert found, caught.value
    problem: Problem = found[0]
    place, _, where = problem.field.partition(": ")
    assert where == path
    line = int(place.split()[1].rstrip(","))
    assert line == _line_of(text, ELSEWHERE.get(path, new.strip()))
    assert place.split()[2] == "column"
    assert helps in problem.message


def _line_of(text: str, part: str) -> int:
    return text[: text.rindex(part)].count("\n") + 1
