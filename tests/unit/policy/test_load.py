"""A bad policy file is refused with every mistake at its line and field."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.domain.aggregates import Handling
from shared.domain.case import Case, Kind
from shared.domain.errors import PolicyError, Problem
from shared.policy import load_policy, parse_policy
from tests.unit.policy.conftest import NOW
from tests.unit.policy.samples import rich

OUTAGE = "      - {id: outage, title: {zh: 停电, en: Outage}, keywords: [停电, outage]}\n"
TOP_ROW = "  - name: top\n    when: {level: top}\n    then: {ask: [informant, children]}\n"
REST_ROW = "  - name: rest\n    when: {}\n    then: {colour: yellow, unit: station}\n"


def problems(text: str) -> list[Problem]:
    with pytest.raises(PolicyError) as caught:
        parse_policy("bad.yaml", text.encode())
    assert caught.value.file == "bad.yaml"
    return list(caught.value.problems)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


MISTAKES = [
    # (what is replaced, by what, where it is reported: line of, path, code, what helps)
    ("unit: repair}\n  - name: hospital", "unit: repir}\n  - name: hospital",
     "unit: repir", "triage[0].then.unit", "unknown-unit", "`repair`"),
    ("then: {colour: red, unit: category-unit}", "then: {colour: rad, unit: category-unit}",
     "colour: rad", "triage[1].then.colour", "unknown-colour", "`red`"),
    ("level: top\n    title", "level: tpo\n    title",
     "level: tpo", "units[0].level", "unknown-level", "`top`"),
    ("tied_to: [repair]", "tied_to: [repare]",
     "tied_to: [repare]", "units[0].children[1].tied_to[0]", "unknown-unit", "`repair`"),
    ("paired_with: [south]", "paired_with: [north]",
     "paired_with: [north]", "units[0].children[1].paired_with[0]", "itself", "itself"),
    ("escalates_to: [north, house]", "escalates_to: [house, south]",
     "escalates_to: [house", "units[0].children[2].escalates_to[1]", "itself", "itself"),
    ("escalates_to: [north, house]", "escalates_to: [house, house]",
     "escalates_to: [house", "units[0].children[2].escalates_to[1]", "duplicate", "twice"),
    ("- id: south", "- id: north",
     "- id: north\n        level: base\n        title: {zh: 南", "units[0].children[2].id",
     "duplicate", "twice"),
    ("- id: south", "- id: station",
     "- id: station", "units[0].children[2].id", "reserved", "another id"),
    ("default_unit: house", "default_unit: hose",
     "default_unit: hose", "default_unit", "unknown-unit", "`house`"),
    ("default_category: {outside: bills", "default_category: {outside: staff",
     "default_category", "default_category.outside", "wrong-side", "inside"),
    ("default_category: {outside: bills, inside: staff}", "default_category: {outside: bills}",
     "default_category", "default_category.inside", "missing", "inside"),
    ("requires: [place]", "requires: [plase]",
     "requires: [plase]", "channels[1].requires[0]", "unknown-field", "`place`"),
    ("{item: outage, customer", "{itme: outage, customer",
     "itme: outage", "triage[1].when.itme", "unknown-fact", "`item`"),
    ("{item: outage, customer", "{item: outtage, customer",
     "item: outtage", "triage[1].when.item", "unknown-value", "`outage`"),
    ("[hospital, school]}\n    then", "[hospital, shcool]}\n    then",
     "shcool", "triage[1].when.customer", "unknown-value", "`school`"),
    ("when: {danger: true}", "when: {danger: sure}",
     "danger: sure", "triage[0].when.danger", "wrong-type", "`true`"),
    ("{at_least: 100, at_most: 1000}", "{at_least: 1000, at_most: 100}",
     "at_least: 1000", "triage[2].when.affected", "contradiction", "never hold"),
    ("{at_least: 100, at_most: 1000}", "{at_least: hundred}",
     "at_least: hundred", "triage[2].when.affected.at_least", "int-type", "'hundred'"),
    ("{at_least: 100, at_most: 1000}", "{more_than: 100}",
     "more_than", "triage[2].when.affected.more_than", "extra-forbidden", "not known"),
    ("{at_least: 100, at_most: 1000}", "{}",
     "affected: {}", "triage[2].when.affected", "empty", "at_least"),
    ("{not: home, present: true}", "{not: home, at_least: 3}",
     "at_least: 3", "triage[3].when.customer", "wrong-type", "number"),
    ("when: {}\n    then: {colour: yellow", "when: {kind: problem}\n    then: {colour: yellow",
     "when: {kind: problem}", "triage[4].when", "no-catch-all", "when: {}"),
    ("when: {danger: true}", "when: {}",
     "when: {}", "triage[0].when", "unreachable", "never reached"),
    ("name: many", "name: danger", "name: danger\n    when: {affected",
     "triage[2].name", "duplicate", "twice"),
    (TOP_ROW, "", "evaluators:", "evaluators", "no-evaluator", "`top`"),
    ("ask: [informant, children]", "ask: [informant, kids]",
     "kids", "evaluators[1].then.ask[1]", "literal-error", "'kids'"),
    ("reply: 5, accept: 1, warn: [1, 2]", "reply: 5, accept: 1, warn: [1, 5]",
     "warn: [1, 5]", "colours[0].warn", "too-long", "5 working days"),
    ("reply: 5, accept: 1", "reply: 5, accept: 6",
     "accept: 6", "colours[0].accept", "too-long", "6 working days"),
    ("reply: 5,", "reply: 0,", "reply: 0", "colours[0].reply", "greater-than-equal", "found 0"),
    ("value: 1, satisfied: false", "value: 2, satisfied: false",
     "scale:", "rating.scale", "order", "best"),
    ("value: 1, satisfied: false", "value: 1, satisfied: true",
     "scale:", "rating.scale", "one-sided", "dissatisfied"),
    ("country: CN", "country: QQ", "country: QQ", "calendar.country", "unknown-place", "QQ"),
    ("years: [2018, 2021]", "years: [2021, 2018]", "years:", "calendar.years", "order", "before"),
    ("years: [2018, 2021]", "years: [2018, 2021], holidays: [2030-01-01]",
     "holidays:", "calendar.holidays[0]", "out-of-range", "2030-01-01"),
    ("years: [2018, 2021]", "years: [2018, 2021], holidays: [2020-02-30]",
     "holidays:", "calendar.holidays[0]", "date-from-datetime-parsing", "2020-02-30"),
    ("timezone: Asia/Shanghai", "timezone: Asia/Shangri-La",
     "timezone", "timezone", "unknown-timezone", "Asia/Shanghai"),
    ("repeats: {days: 30}\n", "", "policy: small", "repeats", "missing", "add it"),
    ("escalation: {days: 2}", "escalation: {days: 2}\nescallation: {days: 3}",
     "escallation", "escallation", "extra-forbidden", "`escalation`"),
    ("{zh: 停电, en: Outage}", "{zh: 停电}", "{zh: 停电}",
     "categories[0].items[0].title.en", "missing", "add it"),
    ("id: tariff", "id: outage", "id: outage, title: {zh: 电价",
     "categories[1].items[0].id", "duplicate", "twice"),
    ("id: tariff", "id: Tariff!", "id: Tariff!", "categories[1].items[0].id",
     "string-pattern-mismatch", "small letters"),
    ("keywords: [供电]", "keywords: [电]", "keywords: [电]",
     "categories[0].keywords[0]", "string-too-short", "'电'"),
    ("type: integer}", "type: integer, values: ['1']}", "values: ['1']",
     "attributes.affected.values", "not-text", "texts"),
    ("  danger: {title", "  customer: {title", "  customer: {title: {zh: 危险",
     "mentions.customer", "reserved", "another name"),
    ("  metered: {title", "  repeat: {title", "  repeat: {title",
     "attributes.repeat", "reserved", "another name"),
    ("  problem: {title", "  probleem: {title", "  probleem", "kinds.probleem", "enum", "problem"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "marker", "path", "code", "help_"),
    MISTAKES,
    ids=[f"{m[3]}-{m[4]}" for m in MISTAKES],
)
def test_a_mistake_is_named_with_line_and_field(
    small_text: str, old: str, new: str, marker: str, path: str, code: str, help_: str
) -> None:
    assert old in small_text
    text = small_text.replace(old, new, 1)
    found = {
        (int(match[1]), match[2]): problem
        for problem in problems(text)
        if (match := re.fullmatch(r"line (\d+), column \d+: (.+)", problem.field))
    }
    problem = found[line_of(text, marker), path]
    assert problem.code == code
    assert help_ in problem.message


def test_all_mistakes_are_named_at_once_in_the_order_of_the_lines(small_text: str) -> None:
    text = small_text
    for old, new, *_ in [MISTAKES[0], MISTAKES[2], MISTAKES[13], MISTAKES[18], MISTAKES[29]]:
        text = text.replace(old, new, 1)
    text = text.replace(REST_ROW, REST_ROW.replace("{}", "{kind: problem}"))
    found = problems(text)
    assert len(found) == 6
    lines = [int(re.findall(r"\d+", one.field)[0]) for one in found]
    assert lines == sorted(lines)


def test_one_mistake_is_not_told_as_many(small_text: str) -> None:
    """A bad unit stays a name for those who refer to it."""
    text = small_text.replace(
        "  level: base\n        title: {zh: 抢修", "  levl: base\n        title: {zh: 抢修"
    )
    assert {problem.code for problem in problems(text)} == {"missing", "extra-forbidden"}


def test_the_column_points_at_the_word(small_text: str) -> None:
    text = small_text.replace(
        "unit: repair}\n  - name: hospital", "unit: repir}\n  - name: hospital"
    )
    (problem,) = problems(text)
    line = text.splitlines()[line_of(text, "repir") - 1]
    assert f"column {line.index('repir') + 1}:" in problem.field


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not-a-mapping"),
        (b"- 1\n- 2\n", "not-a-mapping"),
        (b"just words", "not-a-mapping"),
        (b"policy: [1, 2", "not-yaml"),
        (b"policy: a\n\tb: c", "not-yaml"),
        (b"a: {b: c}}", "not-yaml"),
        (b"policy: \xff\xfe", "not-utf-8"),
        ("policy: 小\x00".encode(), "control-character"),
        (b"policy: a\x1bb", "control-character"),
        (b"a: 1\n---\nb: 2\n", "two-documents"),
        (b"a: 1\na: 2\n", "duplicate-key"),
        (b"a: {b: 1, b: 2}\n", "duplicate-key"),
        (b"a: &x 1\nb: *x\n", "anchor"),
        (b"a: &x 1\n", "anchor"),
        (b"a: *x\n", "anchor"),
        (b"a: !!python/object/apply:os.system [ls]\n", "tag"),
        (b"a: !secret x\n", "tag"),
        (b"? [1, 2]\n: x\n", "bad-key"),
        (b"a: " + b"[" * 60 + b"]" * 60, "too-deep"),
        (b"a: " + b"[" * 900, "too-deep"),
        (b"a: " + b"[" * 1_900_000, "not-yaml"),  # libyaml itself ends at 1,000
        (b"x" * 2_000_001, "too-large"),
        (b"a: [" + b"1," * 200_000 + b"1]", "too-large"),
    ],
)  # fmt: skip
def test_hostile_or_broken_yaml_gets_a_clear_answer(content: bytes, code: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy("x.yaml", content)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.field.startswith("line ")
    assert "Traceback" not in f"{caught.value}"


def test_a_billion_laughs_do_not_expand() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [*{old},*{old},*{old},*{old},*{old},*{old},*{old},*{old}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert [one.code for one in problems(bomb)] == ["anchor"]


def test_words_of_yaml_1_1_are_not_guessed_at(small_text: str) -> None:
    """`no` and `on` are words, not booleans, and `1:30` is no number in base 60."""
    text = small_text.replace(
        "values: [hospital, school, home]", "values: [hospital, school, home, no, 1:30]"
    )
    policy = parse_policy("x.yaml", text.encode())
    assert policy.document.attributes["customer"].values == (
        "hospital",
        "school",
        "home",
        "no",
        "1:30",
    )


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read(small_text: str) -> None:
    content = b"\xef\xbb\xbf" + small_text.replace("\n", "\r\n").encode()
    assert parse_policy("x.yaml", content).name == "small"


def test_a_file_full_of_mistakes_is_answered_quickly_and_briefly(small_text: str) -> None:
    rows = "".join(
        f"  - name: r{n}\n    when: {{itm{n}: x}}\n    then: {{colour: redd{n}, unit: nrth{n}}}\n"
        for n in range(300)
    )
    found = problems(small_text.replace("triage:\n", f"triage:\n{rows}"))
    assert len(found) == 201
    assert "more" in found[-1].code


@pytest.mark.parametrize("name", ["missing.yaml", ".", "nul\x00.yaml"])
def test_a_file_that_cannot_be_read_is_a_policy_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / name)


def test_the_version_names_policy_and_content(small_text: str) -> None:
    one = parse_policy("a.yaml", small_text.encode())
    same = parse_policy("b.yaml", small_text.encode())
    other = parse_policy("a.yaml", (small_text + "# a comment\n").encode())
    assert re.fullmatch(r"small@[0-9a-f]{12}", one.version)
    assert one.version == same.version
    assert one.version != other.version


def _anywhere(data: Any, chance: random.Random) -> tuple[Any, Any]:
    """Some container in the data, and a key of it."""
    while True:
        keys = list(data) if isinstance(data, dict) else range(len(data))
        if not keys:
            return {"": data}, ""
        key = chance.choice(list(keys))
        if not isinstance(data[key], dict | list) or not data[key] or chance.random() < 0.3:
            return data, key
        data = data[key]


CASE = Case(id="c", source="s", external_id="1", channel="hotline", kind=Kind.PROBLEM,
            category="power", subject="停电", text="着火", recorded_at=NOW,
            received_at=NOW)  # fmt: skip

WRONG: list[Any] = [
    None, True, 7, -1, 1.5, "", "x", "north", [], {}, [[]], [{}], {"id": []}, {"a": {}},
    ["x", "x"], [{"id": "x"}, {"id": "x"}], 10**17, "2020-01-01", {"not": {}}, {"zh": 1},
    {"within": []}, {"within": "north"}, {"between": [5, 2]}, {"hit": "x"}, {"rows": []}, "collect",
]  # fmt: skip


@pytest.mark.parametrize("text_of", [str, rich], ids=["small", "rich"])
def test_whatever_is_put_wherever_the_answer_is_a_policy_or_its_problems(
    small_text: str, text_of: Callable[[str], str]
) -> None:
    texts, refused = json.dumps(yaml.safe_load(text_of(small_text))), 0
    for seed in range(250):
        chance = random.Random(seed)
        data = json.loads(texts)
        for _ in range(chance.choice([1, 1, 1, 3])):
            container, key = _anywhere(data, chance)
            if chance.random() < 0.2:
                del container[key]
            else:
                container[key] = chance.choice(WRONG)
        # JSON is YAML, and quicker to write.
        found = problems_or_none(json.dumps(data, ensure_ascii=False, indent=1))
        refused += found is not None
        assert all(one.field.startswith("line ") for one in found or ()), seed
    assert refused > 100


def problems_or_none(text: str) -> list[Problem] | None:
    try:
        policy = parse_policy("x.yaml", text.encode())
    except PolicyError as error:
        return list(error.problems)
    for station in (None, "south"):
        decision = policy.triage(CASE.but(station=station))
        assert decision.colour in policy.colours
        handled = Handling(case_id="c", unit=decision.unit, level=decision.level)
        assert f"unit:{decision.unit}" not in policy.evaluators(handled)
        assert decision.unit not in policy.escalation(handled).units
    assert policy.fallbacks == 0
    policy.close()
    return None
