"""What is proved is true: of the policies that ship, and of small ones tried case by case."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.policy import CompiledPolicy
from shared.policy.explain import explain
from shared.policy.hypothetical import Hypothetical, case_of
from shared.policy.proof.check import Report, check
from shared.policy.proof.examples import example
from shared.policy.proof.findings import Place
from shared.policy.proof.reading import read, reading_of
from shared.policy.proof.tables import TableProof
from shared.policy.proof.world import World
from shared.policy.sections import Section, sections
from shared.policy.source import Source
from shared.policy.table import Row, Table
from shared.policy.tree import Tree
from tests.unit.policy.places import POLICIES

SHIPPED = ["xiaoshan", "message-board"]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_policies_that_ship_are_proved(name: str) -> None:
    report = check(read(POLICIES / f"{name}.yaml"))
    assert report.findings == ()
    assert report.passed


@pytest.mark.parametrize("name", SHIPPED)
def test_a_case_that_the_solver_finds_has_the_facts_that_it_says(name: str) -> None:
    """The formula and the production path speak of the same facts, row by row."""
    policy = read(POLICIES / f"{name}.yaml").policy
    assert policy is not None
    tables = sections(policy.document)
    world = World(policy.document, Tree.of(policy.document.units), tables)
    for section in tables:
        proof = TableProof(world, section, Place(Source("")))
        for index, row in enumerate(section.rows):
            model = world.plainest(proof.decides[index])
            assert model is not None
            explained = explain(example(world, model, answered=section.of_handling), policy)
            assert not explained.refused
            told = next((one for one in explained.tables if one.table == section.name), None)
            if told is None:
                assert not explained.decision.answer_owed
                continue
            assert told.rows == (row.name,)
            if not section.of_handling:
                assert explained.decision.row == row.name
                found = {fact: world.case[fact].of(model) for fact in section.table.types}
                assert explained.decision.facts == found
    world.solver.close()


def _policy(small_text: str, **sections: Any) -> bytes:
    data = yaml.safe_load(small_text) | sections
    return json.dumps(data, ensure_ascii=False).encode()  # which is YAML as well


def _rows(*whens: dict[str, Any]) -> list[dict[str, Any]]:
    then = {"colour": "red", "unit": "house"}
    return [
        {"name": f"row {number}", "when": when, "then": then} for number, when in enumerate(whens)
    ]


def _codes(report: Report, table: str = "triage") -> list[str]:
    return [finding.code for finding in report.findings if finding.table == table]


def test_random_tables_are_judged_as_by_trying_every_case(small_text: str) -> None:
    """Thousands of real cases through admission and facts, against the solver's word."""
    chance = random.Random(4)
    found = set()
    for _ in range(10):
        whens = [_condition(chance) for _ in range(chance.randrange(2, 7))]
        if chance.random() < 0.7:
            whens.append({})
        reading = reading_of("small.yaml", _policy(small_text, triage=_rows(*whens)))
        assert reading.policy is not None, reading.problems
        report = check(reading)
        reached, complete = _tried(reading.policy)
        told = {
            finding.rows[0] for finding in report.findings
            if finding.code == "unreachable" and finding.table == "triage" and finding.rows
        }  # fmt: skip
        unreached = {f"row {number}" for number in range(len(whens))} - reached
        # The last row takes what an older version recorded, and may be left over otherwise.
        spared = {f"row {len(whens) - 1}"} if whens[-1] == {} and {} not in whens[:-1] else set()
        assert told == unreached - spared
        assert ("incomplete" in _codes(report)) == (not complete)
        found |= {finding.code for finding in report.findings if finding.table == "triage"}
    assert found >= {"unreachable", "incomplete"}


def _condition(chance: random.Random) -> dict[str, Any]:
    choices: dict[str, list[Any]] = {
        "kind": ["problem", ["problem", "complaint"], {"not": "problem"}],
        "side": ["inside", "outside"],
        "channel": ["visit", {"not": "visit"}, "mailbox"],
        "category": ["power", ["power", "bills"], {"not": "staff"}],
        "item": ["outage", {"present": False}, {"not": ["tariff"]}],
        "customer": ["hospital", {"not": "home"}, {"present": True}],
        "affected": [{"at_least": 100}, {"at_most": 99}, {"at_least": 100, "at_most": 1000}],
        "danger": [True, False],
        "place": [{"present": True}, {"present": False}],
    }
    facts = chance.sample(sorted(choices), chance.randrange(1, 4))
    return {fact: chance.choice(choices[fact]) for fact in facts}


def _tried(policy: CompiledPolicy) -> tuple[set[str], bool]:
    """The rows that decide some case, and whether every case has one: by trying them all."""
    table = sections(policy.document)[0].table
    reached, complete = set(), True
    seen = set()
    for given in _every_case():
        if policy.admit(given.submission):
            continue
        facts = policy.triage(case_of(given, policy)).facts
        key = tuple(facts.values())
        if key in seen:
            continue
        seen.add(key)
        row = next((row for row in table.rows if _matches(row, facts)), None)
        complete = complete and row is not None
        reached |= {row.name} if row else set()
    return reached, complete


def _matches(row: Row, facts: Any) -> bool:
    return all(test.holds(facts.get(test.fact)) for test in row.tests)


def _every_case() -> Iterator[Hypothetical]:
    catalogue = [("power", None), ("power", "outage"), ("power", "planned"), ("bills", None),
                 ("bills", "tariff"), ("staff", None)]  # fmt: skip
    for kind, channel, (category, item), customer, affected, danger, place in product(
        ("problem", "complaint", "information"), ("hotline", "visit", "mailbox"), catalogue,
        (None, "hospital", "home"), (None, 99, 100, 1001), (False, True), (None, "here"),
    ):  # fmt: skip
        attributes = {"customer": customer, "affected": affected}
        yield Hypothetical.model_validate({
            "kind": kind, "channel": channel, "category": category, "item": item, "place": place,
            "attributes": {name: value for name, value in attributes.items() if value is not None},
            "text": "着火" if danger else "",
        })  # fmt: skip


def test_words_within_words_and_words_of_items_are_known(small_text: str) -> None:
    """触电伤人 holds 触电; who says 停电 has an item, unless the category has none of it."""
    title = {"zh": "词", "en": "word"}
    mentions = {
        "danger": {"title": title, "keywords": ["触电"]},
        "hurt": {"title": title, "keywords": ["触电伤人"]},
        "dark": {"title": title, "keywords": ["停电"]},
    }
    rows = _rows(
        {"hurt": True, "danger": False},
        {"dark": True, "item": {"present": False}, "category": "power"},
        {"dark": True, "item": {"present": False}, "category": "bills"},
        {},
    )
    report = check(reading_of("small.yaml", _policy(small_text, mentions=mentions, triage=rows)))
    told = [finding.rows for finding in report.findings if finding.code == "unreachable"]
    assert told == [("row 0",), ("row 1",)]


def test_a_colour_that_triage_never_gives_reaches_no_evaluator(small_text: str) -> None:
    data = yaml.safe_load(small_text)
    evaluators = data["evaluators"]
    odd = {"name": "odd", "when": {"colour": "yellow"}, "then": {"ask": ["parent", "children"]}}
    content = _policy(small_text, triage=_rows({}), evaluators=[odd, *evaluators])
    found = [
        finding for finding in check(reading_of("small.yaml", content)).findings
        if finding.code == "unreachable"
    ]  # fmt: skip
    assert [finding.rows[0] for finding in found] == ["odd"]
    assert "`colour`" in found[0].message


def test_a_finding_names_its_line_and_the_rows_in_its_way(small_text: str) -> None:
    text = small_text.replace(
        "  - name: rest\n",
        "  - name: school\n    when: {customer: school}\n"
        "    then: {colour: red, unit: north}\n  - name: rest\n",
    )
    finding = next(
        finding for finding in check(reading_of("small.yaml", text.encode())).findings
        if finding.code == "unreachable"
    )  # fmt: skip
    assert text.splitlines()[finding.line - 1].strip() == "- name: school"
    assert finding.rows == ("school", "not at home")
    assert finding.where == "triage[4]"


def test_a_chain_that_is_said_to_be_empty_is_a_note(small_text: str) -> None:
    silent = small_text.replace("escalates_to: [north, house]", "escalates_to: []")
    report = check(reading_of("small.yaml", silent.encode()))
    assert [finding.code for finding in report.findings if finding.note] == ["no-chain"]
    cut = small_text.replace("escalates_to: [north, house]", "escalates_to: [north]")
    report = check(reading_of("small.yaml", cut.encode()))
    assert [finding.code for finding in report.findings] == ["chain-cut"]


@dataclass(frozen=True)
class WithHit(Table):
    hit: str = "first"


@pytest.mark.parametrize(
    ("whens", "collide"),
    [
        ([{"customer": "hospital"}, {"customer": ["school", "home"]}], False),
        ([{"customer": "hospital"}, {"affected": {"at_least": 9}}], True),
        # An item has its category, a channel its side.
        ([{"item": "outage"}, {"category": "bills"}], False),
        ([{"channel": "mailbox"}, {"category": "power"}], False),
        ([{"item": {"present": False}}, {"item": ["outage", "planned", "tariff"]}], False),
    ],
)
def test_rows_of_a_unique_table_do_not_collide(
    small_text: str, whens: list[dict[str, Any]], collide: bool
) -> None:
    policy = reading_of("small.yaml", _policy(small_text, triage=_rows(*whens, {}))).policy
    assert policy is not None
    plain = sections(policy.document)[0]
    table = WithHit(plain.table.name, plain.table.types, plain.rows[:-1], hit="unique")
    section = Section(table, plain.outcomes[:-1], None)
    world = World(policy.document, Tree.of(policy.document.units), [section])
    findings = list(TableProof(world, section, Place(Source(""))).check())
    overlaps = [finding for finding in findings if finding.code == "overlap"]
    assert bool(overlaps) == collide
    for finding in overlaps:
        assert finding.example is not None
        told = next(t for t in explain(finding.example, policy).tables if t.table == "triage")
        assert set(finding.rows) <= {*told.rows, *told.behind}
    world.solver.close()


def test_two_hundred_rows_with_twelve_facts_are_proved_in_five_seconds(tmp_path: Path) -> None:
    chance = random.Random(1)
    data = yaml.safe_load((POLICIES / "xiaoshan.yaml").read_text(encoding="utf-8"))
    items = [item["id"] for category in data["categories"] for item in category["items"]]
    stations = [unit["id"] for unit in data["units"][0]["children"]]
    choices: dict[str, Callable[[], Any]] = {
        "item": lambda: chance.sample(items, 3), "station": lambda: chance.choice(stations),
        "kind": lambda: {"not": "praise"}, "customer": lambda: chance.choice(["shop", "farm"]),
        "customers-affected": lambda: {"at_least": chance.randrange(1000)},
        "life-support": lambda: chance.choice([True, False]), "repeat": lambda: True,
        "mentions-danger": lambda: False, "campaign": lambda: {"present": True},
        "place": lambda: chance.choice(["here", "there"]), "informant-known": lambda: True,
        "source": lambda: chance.choice(["hotline", "desk"]),
    }  # fmt: skip
    rows = [
        {"name": f"row {number}", "then": {"colour": "red", "unit": "safety"},
         "when": {fact: choices[fact]() for fact in chance.sample(sorted(choices), 4)}}
        for number in range(200)
    ]  # fmt: skip
    data["triage"] = [*rows, data["triage"][-1]]
    path = tmp_path / "large.yaml"
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    report = check(read(path))
    assert report.rows >= 200
    assert report.facts >= 12
    assert report.seconds < 5


def test_a_house_that_owes_no_answer_needs_nobody_who_rates(small_text: str) -> None:
    quiet = small_text.replace("answer_owed: true", "answer_owed: false")
    assert check(reading_of("small.yaml", quiet.encode())).findings == ()


def test_a_house_that_can_take_no_case_in_is_told_so(small_text: str) -> None:
    data = yaml.safe_load(small_text)
    campaigns = {"campaigns": [], "channels": [
        {**channel, "requires": ["campaign"]} for channel in data["channels"]
    ]}  # fmt: skip
    report = check(reading_of("small.yaml", _policy(small_text, **campaigns)))
    assert [finding.code for finding in report.findings] == ["no-case"]


def test_of_many_rows_that_nothing_reaches_the_first_are_shown(small_text: str) -> None:
    rows = _rows({"side": "outside"}, *({"channel": "visit"} for _ in range(30)), {})
    found = check(reading_of("small.yaml", _policy(small_text, triage=rows))).findings
    assert len(found) == 30
    assert [finding.example is not None for finding in found] == [True] * 20 + [False] * 10


def test_rows_that_loading_asks_for_are_spared_and_still_asked_for(small_text: str) -> None:
    """They take what an earlier version recorded, whose channel may be declared no more."""
    *sides, rest = _rows({"side": "inside"}, {"side": "outside"}, {})
    ask = {"ask": ["tied", "paired", "parent", "children"]}
    evaluators = [
        {"name": f"{level} {side}", "when": {"level": level, "side": side}, "then": ask}
        for level in ("top", "base") for side in ("inside", "outside")
    ]  # fmt: skip
    sure = [
        {"name": level, "when": {"level": level}, "then": ask} for level in ("top", "base")
    ]  # fmt: skip
    spared = _policy(small_text, triage=[*sides, rest], evaluators=[*evaluators, *sure])
    assert check(reading_of("small.yaml", spared)).findings == ()
    bare = check(reading_of("small.yaml", _policy(small_text, triage=sides, evaluators=evaluators)))
    assert {finding.code for finding in bare.findings} == {"no-catch-all", "no-evaluator"}
    assert not bare.passed
