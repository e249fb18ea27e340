"""What is proved is true: of the policies that ship, and of small ones tried case by case."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.policy import CompiledPolicy
from shared.policy.deciding.sections import Section, sections
from shared.policy.deciding.tree import Tree
from shared.policy.engine.table import Hit, Row
from shared.policy.explaining.explain import explain
from shared.policy.explaining.hypothetical import case_of
from shared.policy.proof.check import Report, check, table_proofs
from shared.policy.proof.examples import example
from shared.policy.proof.findings import Place
from shared.policy.proof.reading import read, reading_of
from shared.policy.proof.tables import TableProof
from shared.policy.proof.world import World
from shared.policy.source import Source
from tests.unit.policy.breakages_rich import RICH
from tests.unit.policy.places import POLICIES
from tests.unit.policy.tried import condition, content_of, every_case, rows_of

SHIPPED = ["xiaoshan", "message-board"]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_policies_that_ship_are_proved(name: str) -> None:
    report = check(read(POLICIES / f"{name}.yaml"))
    assert report.findings == ()
    assert report.passed


@pytest.mark.parametrize("name", [*SHIPPED, "rich"])
def test_a_case_that_the_solver_finds_has_the_facts_that_it_says(name: str) -> None:
    """The formula and the production path speak of the same facts, row by row."""
    whole = json.dumps(RICH).encode()
    reading = reading_of(name, whole) if name == "rich" else read(POLICIES / f"{name}.yaml")
    policy = reading.policy
    assert policy is not None
    tables = {section.name: section for section in sections(policy.document)}
    world = World(policy.document, Tree.of(policy.document.units), list(tables.values()))
    for proof in table_proofs(world, tables, Place(Source(""))).values():
        for index, row in enumerate(proof.section.rows):
            model = world.plainest(*proof.premise, proof.decides[index])
            assert model is not None
            given = example(world, model, answered=proof.section.of_handling)
            explained = explain(given, policy)
            assert not explained.refused
            told = next((one for one in explained.tables if one.table == proof.section.name), None)
            if told is None:
                assert not explained.decision.answer_owed
                continue
            assert told.rows == (row.name,)
            facts = world.handling if proof.section.of_handling else world.case
            for fact, value in told.facts.items():
                assert (facts.get(fact) or world.handling[fact]).of(model) == value
            decision = explained.decision
            if not proof.section.of_handling:
                assert row.name in {decision.row, decision.routing_row}
    world.solver.close()


def _codes(report: Report, table: str = "triage") -> list[str]:
    return [finding.code for finding in report.findings if finding.table == table]


def test_random_tables_are_judged_as_by_trying_every_case(small_text: str) -> None:
    """Thousands of real cases through admission and facts, against the solver's word."""
    chance = random.Random(4)
    found = set()
    for _ in range(10):
        whens = [condition(chance) for _ in range(chance.randrange(2, 7))]
        if chance.random() < 0.7:
            whens.append({})
        reading = reading_of("small.yaml", content_of(small_text, triage=rows_of(*whens)))
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


def _tried(policy: CompiledPolicy) -> tuple[set[str], bool]:
    """The rows that decide some case, and whether every case has one: by trying them all."""
    table = sections(policy.document)[0].table
    reached, complete = set(), True
    seen = set()
    for given in every_case():
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


def test_words_within_words_and_words_of_items_are_known(small_text: str) -> None:
    """触电伤人 holds 触电; who says 停电 has an item, unless the category has none of it."""
    title = {"zh": "词", "en": "word"}
    mentions = {
        "danger": {"title": title, "keywords": ["触电"]},
        "hurt": {"title": title, "keywords": ["触电伤人"]},
        "dark": {"title": title, "keywords": ["停电"]},
    }
    rows = rows_of(
        {"hurt": True, "danger": False},
        {"dark": True, "item": {"present": False}, "category": "power"},
        {"dark": True, "item": {"present": False}, "category": "bills"},
        {},
    )
    report = check(reading_of("small.yaml", content_of(small_text, mentions=mentions, triage=rows)))
    told = [finding.rows for finding in report.findings if finding.code == "unreachable"]
    assert told == [("row 0",), ("row 1",)]


def test_a_colour_that_triage_never_gives_reaches_no_evaluator(small_text: str) -> None:
    data = yaml.safe_load(small_text)
    evaluators = data["evaluators"]
    odd = {"name": "odd", "when": {"colour": "yellow"}, "then": {"ask": ["parent", "children"]}}
    content = content_of(small_text, triage=rows_of({}), evaluators=[odd, *evaluators])
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


@pytest.mark.parametrize(
    ("whens", "collide"),
    [
        ([{"customer": "hospital"}, {"customer": ["school", "home"]}], False),
        ([{"customer": "hospital"}, {"affected": {"at_least": 9}}], True),
        ([{"customer": "hospital"}, {"customer": "hospital"}], True),
        ([{"affected": {"between": [1, 9]}}, {"affected": {"at_least": 10}}], False),
        ([{"affected": {"between": [1, 9]}}, {"affected": {"at_least": 9}}], True),
        # An item has its category, a channel its side.
        ([{"item": "outage"}, {"category": "bills"}], False),
        ([{"channel": "mailbox"}, {"category": "power"}], False),
        ([{"item": {"present": False}}, {"item": ["outage", "planned", "tariff"]}], False),
    ],
)
def test_rows_of_a_unique_table_do_not_collide(
    small_text: str, whens: list[dict[str, Any]], collide: bool
) -> None:
    policy = reading_of("small.yaml", content_of(small_text, triage=rows_of(*whens, {}))).policy
    assert policy is not None
    plain = sections(policy.document)[0]
    table = replace(plain.table, rows=plain.rows[:-1], hit=Hit.UNIQUE)
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
    report = check(reading_of("small.yaml", content_of(small_text, **campaigns)))
    assert [finding.code for finding in report.findings] == ["no-case"]


def test_of_many_rows_that_nothing_reaches_the_first_are_shown(small_text: str) -> None:
    rows = rows_of({"side": "outside"}, *({"channel": "visit"} for _ in range(30)), {})
    found = check(reading_of("small.yaml", content_of(small_text, triage=rows))).findings
    assert len(found) == 30
    assert [finding.example is not None for finding in found] == [True] * 20 + [False] * 10


def test_rows_that_loading_asks_for_are_spared_and_still_asked_for(small_text: str) -> None:
    """They take what an earlier version recorded, whose channel may be declared no more."""
    *sides, rest = rows_of({"side": "inside"}, {"side": "outside"}, {})
    ask = {"ask": ["tied", "paired", "parent", "children"]}
    evaluators = [
        {"name": f"{level} {side}", "when": {"level": level, "side": side}, "then": ask}
        for level in ("top", "base") for side in ("inside", "outside")
    ]  # fmt: skip
    sure = [
        {"name": level, "when": {"level": level}, "then": ask} for level in ("top", "base")
    ]  # fmt: skip
    spared = content_of(small_text, triage=[*sides, rest], evaluators=[*evaluators, *sure])
    assert check(reading_of("small.yaml", spared)).findings == ()
    bare = check(
        reading_of("small.yaml", content_of(small_text, triage=sides, evaluators=evaluators))
    )
    assert {finding.code for finding in bare.findings} == {"no-catch-all", "no-evaluator"}
    assert not bare.passed
