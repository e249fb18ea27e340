"""What is proved of routing, escalation and clocks is true: tried case by case."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import yaml

from shared.domain.aggregates import Actor, Handling
from shared.policy import CompiledPolicy
from shared.policy.deciding.rows import routing_table
from shared.policy.engine.interpreter import decide
from shared.policy.explaining.explain import explain
from shared.policy.explaining.hypothetical import Hypothetical, case_of, handling_of
from shared.policy.proof.check import Report, check
from shared.policy.proof.reading import reading_of
from tests.unit.policy.samples import rich
from tests.unit.policy.tried import condition, content_of, every_case, rows_of

UNITS = ("house", "repair", "north", "south")


def _codes(report: Report, table: str) -> set[str]:
    return {finding.code for finding in report.findings if finding.table == table}


def test_random_routing_is_judged_as_by_trying_every_case(small_text: str) -> None:
    """It is asked about just the cases whose row of triage names no unit."""
    chance = random.Random(11)
    found = set()
    for _ in range(8):
        triage = [
            {**row, "then": {"colour": chance.choice(["red", "yellow"]), "unit": "house"}}
            for row in rows_of(*(condition(chance) for _ in range(3)), {})
        ]
        for row in chance.sample(triage, 2):
            del row["then"]["unit"]
        whens = [condition(chance) for _ in range(chance.randrange(1, 4))]
        if chance.random() < 0.5:
            whens.append({"colour": chance.choice(["red", "yellow"])})
        routing: dict[str, Any] = {
            "hit": chance.choice(["first", "unique", "any"]),
            "rows": [
                {"name": f"row {number}", "when": when, "then": {"unit": chance.choice(UNITS)}}
                for number, when in enumerate(whens)
            ],
        }
        if chance.random() < 0.4:
            routing["otherwise"] = {"unit": "house"}
        content = content_of(small_text, triage=triage, routing=routing)
        reading = reading_of("small.yaml", content)
        assert reading.policy is not None, reading.problems
        reached, conflict, left_over, asked = _routed(reading.policy)
        if not asked:
            continue  # which triage is told of
        report = check(reading)
        told = {
            finding.rows[0] for finding in report.findings
            if finding.code == "unreachable" and finding.table == "routing"
        }  # fmt: skip
        assert told == {f"row {number}" for number in range(len(whens))} - reached
        codes = _codes(report, "routing")
        assert ("incomplete" in codes) == (left_over and "otherwise" not in routing)
        assert ("overlap" in codes) == conflict
        found |= codes
    assert found == {"unreachable", "incomplete", "overlap"}


def _routed(policy: CompiledPolicy) -> tuple[set[str], bool, bool, bool]:
    """Rows that decide some case; whether some conflict, leave one over, or are asked at all."""
    table = routing_table(policy.document)
    assert table is not None
    reached, conflict, left_over, seen = set(), False, False, set()
    for given in every_case():
        if policy.admit(given.submission):
            continue
        decision = policy.triage(case_of(given, policy))
        facts = {**decision.facts, "colour": decision.colour}
        if decision.routing_row is None or tuple(facts.values()) in seen:
            continue
        seen.add(tuple(facts.values()))
        verdict = decide(table, facts)
        reached |= {table.rows[row].name for row in verdict.rows}
        conflict = conflict or verdict.conflict is not None
        left_over = left_over or not verdict.rows
    return reached, conflict, left_over, bool(seen)


def test_random_chains_are_judged_as_by_trying_every_case(small_text: str) -> None:
    chance = random.Random(3)
    found = set()
    for _ in range(40):
        rows = [
            {"name": f"row {number}", "when": _of_handling(chance), "then": _climb(chance)}
            for number in range(chance.randrange(4))
        ]
        hit = chance.choice(["first", "unique", "any", "rule-order", "collect"])
        data = yaml.safe_load(small_text)["units"]
        south = data[0]["children"][-1]
        south["escalates_to"] = chance.choice([["north"], ["north", "house"], []])
        escalation = {"days": 2, "hit": hit, "rows": rows}
        content = content_of(small_text, units=data, escalation=escalation)
        reading = reading_of("small.yaml", content)
        if reading.policy is None:
            continue  # a row that takes every case stands where it must not
        codes = {finding.code for finding in check(reading).findings}
        chains = [
            policy_chain for handling in _handlings(reading.policy) if handling.unit != "house"
            for policy_chain in [reading.policy.escalation(handling).units]
        ]  # fmt: skip
        several = hit in {"rule-order", "collect"} and bool(rows)
        told = {
            "cut": "chain-cut" in codes,
            "nobody": bool(codes & {"no-chain", "handler-alone"}),
        }
        cut = [chain for chain in chains if chain and chain[-1] != "house"]
        if several:
            cut = [chain for chain in cut if "house" not in chain]
        assert told == {"cut": bool(cut), "nobody": () in chains}, (escalation, south)
        found |= codes
    assert found >= {"chain-cut", "no-chain", "handler-alone"}


def _of_handling(chance: random.Random) -> dict[str, Any]:
    choices: dict[str, list[Any]] = {
        "unit": ["north", "south", {"within": "house"}, {"not": ["repair", "north"]}],
        "level": ["base", "top"],
        "colour": ["red", "yellow"],
        "kind": ["problem", {"not": "problem"}],
        "channel": ["mailbox", {"not": "visit"}],
    }
    return {fact: chance.choice(choices[fact]) for fact in chance.sample(sorted(choices), 2)}


def _climb(chance: random.Random) -> dict[str, Any]:
    to = chance.choice([
        None, [], ["house"], ["north"], ["north", "house"], ["house", "north"], ["south", "north"],
    ])  # fmt: skip
    return {"days": 1} if to is None else {"to": to}


def _handlings(policy: CompiledPolicy) -> Iterator[Handling]:
    for kind, channel, danger, unit in product(
        ("problem", "complaint"), ("hotline", "visit", "mailbox"), (False, True), UNITS
    ):
        given = Hypothetical.model_validate({
            "kind": kind, "channel": channel, "place": "here", "text": "着火" if danger else "",
        })  # fmt: skip
        case = case_of(given, policy)
        yield handling_of(case, policy.triage(case), policy, Actor(unit=unit))


def test_what_is_wrong_with_the_whole_language_is_found_and_no_more(
    small_text: str,
) -> None:
    reading = reading_of("small.yaml", rich(small_text).encode())
    assert reading.policy is not None, reading.problems
    report = check(reading)
    assert report.rows == 7
    found = {(finding.code, finding.rows): finding for finding in report.findings}
    assert set(found) == {("chain-cut", ("base",)), ("no-evaluator", ("hotline",))}
    cut = found["chain-cut", ("base",)].example
    silent = found["no-evaluator", ("hotline",)].example
    assert cut is not None
    assert silent is not None
    assert explain(cut, reading.policy).escalation == ("repair", "south")
    assert explain(silent, reading.policy).evaluators == ()


def test_an_otherwise_that_asks_nobody_is_named_at_its_place(small_text: str) -> None:
    data = yaml.safe_load(small_text)
    table = {"rows": data["evaluators"][:1], "otherwise": {"ask": ["informant"]}}
    report = check(reading_of("small.yaml", content_of(small_text, evaluators=table)))
    assert [(finding.where, finding.rows) for finding in report.findings] == [
        ("evaluators.otherwise", ("otherwise",))
    ]


def test_a_chain_of_the_tree_is_not_looked_at_where_a_row_says_another_one(
    small_text: str,
) -> None:
    cut = small_text.replace("escalates_to: [north, house]", "escalates_to: [north]")
    for when, codes in (
        ({"unit": "south"}, []),
        ({"unit": "south", "kind": "complaint"}, ["chain-cut"]),
    ):
        row = {"name": "south", "when": when, "then": {"to": ["house"]}}
        content = content_of(cut, escalation={"days": 2, "rows": [row]})
        report = check(reading_of("small.yaml", content))
        assert [finding.code for finding in report.findings] == codes
        assert all(finding.example for finding in report.findings)


@pytest.mark.parametrize(
    ("extensions", "codes"),
    [
        ({}, ["nobody-decides"]),
        ({"decided_by": ["parent", "house"]}, []),
        ({"decided_by": ["handler"]}, []),
        # Nobody asks at the top: nobody has to decide.
        ({"asked_by": ["parent"]}, []),
        ({"asked_by": ["handler", "parent"]}, ["nobody-decides"]),
    ],
)
def test_somebody_decides_on_more_time_wherever_it_is_asked_for(
    small_text: str, extensions: dict[str, Any], codes: list[str]
) -> None:
    report = check(reading_of("small.yaml", content_of(small_text, extensions=extensions)))
    assert [finding.code for finding in report.findings] == codes
    for finding in report.findings:
        assert finding.where.startswith("extensions")
        assert "[parent, house]" in finding.message
        assert finding.example is not None
        assert finding.example.answered_by == Actor(unit="house")


def test_a_count_that_no_house_reaches_is_none(small_text: str) -> None:
    data = yaml.safe_load(small_text)
    title = {"zh": "又", "en": "Again"}
    counts = {"again": {"title": title, "of": "same-matter", "days": 30}}
    rows = [
        {"name": "too many", "when": {"again": {"at_least": 10**12}}, "then": {"colour": "red"}},
        {"name": "below", "when": {"again": {"at_most": -1}}, "then": {"colour": "red"}},
        {"name": "many", "when": {"again": {"at_least": 10**6}}, "then": {"colour": "red"}},
    ]
    for row in rows:
        row["then"] |= {"unit": "house"}  # type: ignore[operator]
    content = content_of(small_text, counts=counts, triage=[*rows, data["triage"][-1]])
    findings = check(reading_of("small.yaml", content)).findings
    assert [finding.rows for finding in findings] == [("too many",), ("below",)]
    assert all("`again` is never so" in finding.message for finding in findings)
