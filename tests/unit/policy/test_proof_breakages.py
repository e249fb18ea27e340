"""No broken policy passes, and what is found wrong can be seen by `policy explain`."""

from __future__ import annotations

import json

import pytest

from shared.policy.explaining.explain import Explanation, explain
from shared.policy.explaining.hypothetical import Hypothetical, given_only
from shared.policy.policy import CompiledPolicy
from shared.policy.proof.check import check
from shared.policy.proof.findings import Finding
from shared.policy.proof.reading import reading_of
from tests.unit.policy.breakages import BREAKAGES, SOUND, Breakage, Data, broken
from tests.unit.policy.breakages_rich import RICH, RICH_BREAKAGES

EVERY = [
    (breakage, seed, sound)
    for breakages, sound in ((BREAKAGES, SOUND), (RICH_BREAKAGES, RICH))
    for breakage, times in breakages
    for seed in range(times)
]

SHOWN_BY_A_CASE = {
    "incomplete", "unreachable", "no-evaluator", "chain-cut", "handler-alone", "overlap",
    "nobody-pauses", "nobody-decides",
}  # fmt: skip


def test_there_are_a_hundred_and_fifty_breakages_each_another_one() -> None:
    assert len({broken(breakage, seed, sound) for breakage, seed, sound in EVERY}) >= 150


def test_what_is_broken_was_sound() -> None:
    assert check(reading_of("house.yaml", json.dumps(RICH).encode())).findings == ()


@pytest.mark.parametrize(
    ("breakage", "seed", "sound"), EVERY, ids=[f"{way.__name__}-{seed}" for way, seed, _ in EVERY]
)
def test_a_broken_policy_does_not_pass(breakage: Breakage, seed: int, sound: Data) -> None:
    reading = reading_of("house.yaml", broken(breakage, seed, sound))
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
    elif finding.code == "handler-alone":
        assert explained.escalation == ()
    elif finding.code == "nobody-pauses":
        assert explained.clocks is not None
        assert () in explained.clocks.rights.pause.values()
    elif finding.code == "nobody-decides":
        assert explained.clocks is not None
        assert explained.clocks.rights.ask
        assert explained.clocks.rights.decide == ()
    else:
        _confirm_in_table(finding, explained)


def _confirm_in_table(finding: Finding, explained: Explanation) -> None:
    table = next(table for table in explained.tables if table.table == finding.table)
    if finding.code == "incomplete":
        assert table.rows == ()
        return
    about, *before = finding.rows
    if finding.code == "overlap":
        assert {about, *before} <= {*table.rows, *table.behind}
        assert table.conflict is not None
        return
    assert about not in table.rows
    if before:
        assert about in table.behind
        assert table.rows[0] in before or len(before) > 1
    else:
        assert about not in table.behind
