"""No broken policy passes, and what is found wrong can be seen by `policy explain`."""

from __future__ import annotations

import json

import pytest

from shared.policy.explain import Explanation, explain
from shared.policy.hypothetical import Hypothetical, given_only
from shared.policy.policy import CompiledPolicy
from shared.policy.proof.check import check
from shared.policy.proof.findings import Finding
from shared.policy.proof.reading import reading_of
from tests.unit.policy.breakages import BREAKAGES, Breakage, broken

EVERY = [(breakage, seed) for breakage, times in BREAKAGES for seed in range(times)]

SHOWN_BY_A_CASE = {"incomplete", "unreachable", "no-evaluator", "chain-cut", "overlap"}


def test_there_are_a_hundred_breakages_each_another_one() -> None:
    assert len({broken(breakage, seed) for breakage, seed in EVERY}) >= 100


@pytest.mark.parametrize(
    ("breakage", "seed"), EVERY, ids=[f"{way.__name__}-{seed}" for way, seed in EVERY]
)
def test_a_broken_policy_does_not_pass(breakage: Breakage, seed: int) -> None:
    reading = reading_of("house.yaml", broken(breakage, seed))
    report = check(reading)
    assert not report.passed
    shown = [finding for finding in report.findings if finding.code in SHOWN_BY_A_CASE]
    assert bool(shown) == (reading.policy is not None)
    for finding in shown:
        if finding.example is None:
            # What loading found by itself stands beside what a proof found of the same table.
            assert finding.code == "unreachable"
            continue
        assert reading.policy is not None
        _confirm(finding, finding.example, reading.policy)


def _confirm(finding: Finding, example: Hypothetical, policy: CompiledPolicy) -> None:
    """The case, as it is printed, is one that intake takes, and shows what was said."""
    printed = json.dumps(given_only(example))
    explained = explain(Hypothetical.model_validate_json(printed), policy)
    assert not explained.refused
    if finding.code == "no-evaluator":
        assert explained.evaluators == ()
    elif finding.code == "chain-cut":
        assert explained.escalation
        assert policy.units[explained.escalation[-1]].parent is not None
    else:
        _confirm_in_table(finding, explained)


def _confirm_in_table(finding: Finding, explained: Explanation) -> None:
    table = next(table for table in explained.tables if table.table == finding.table)
    if finding.code == "incomplete":
        assert table.rows == ()
        return
    about, *before = finding.rows
    assert about not in table.rows
    if before:
        assert about in table.behind
        assert table.rows[0] in before or len(before) > 1
    else:
        assert about not in table.behind
