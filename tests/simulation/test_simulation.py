"""Histories of the whole house: everything holds in each, and what does not is noticed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from tests.simulation import __main__ as command
from tests.simulation.history import Outcome, run
from tests.simulation.mutations import MUTATIONS, no_inbox

ROOT = Path(__file__).parents[2]

FEW = 12
"""Histories that every run of the tests lives; `make simulate` lives more."""

PATIENCE = 200
"""Seeds within which a broken build has to be noticed."""

whole = cache(run)
"""A history of the build as it is."""


@pytest.mark.parametrize("seed", range(FEW))
def test_everything_holds(seed: int) -> None:
    assert whole(seed).broken is None


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_broken_build_is_noticed(mutation: str) -> None:
    caught = next((seed for seed in range(PATIENCE) if _mutated(mutation, seed).broken), None)
    assert caught is not None, f"{PATIENCE} histories did not notice: {mutation}"
    assert [whole(seed).broken for seed in range(caught + 1)] == [None] * (caught + 1)


def _mutated(mutation: str, seed: int) -> Outcome:
    with MUTATIONS[mutation]():
        return run(seed)


def test_the_same_seed_is_the_same_history_in_every_process() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    told = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seed", "3"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout == "\n".join([*whole(3).trace, "", "Seed 3: everything held", ""])


def test_another_seed_is_another_history() -> None:
    assert whole(1).trace != whole(2).trace


def test_histories_hold_what_they_are_for() -> None:
    told = "\n".join(line for seed in range(FEW) for line in whole(seed).trace)
    for what in (
        "CRASHES before the commit", "CRASHES after the commit", "CRASHES before publishing",
        "CRASHES before the confirm", "CRASHES before the acknowledgement",
        "CRASHES after the acknowledgement", "the broker did not confirm", "loses its connection",
        "some of which get lost", "the power", "asks router-2", "stops the faults",
        *(f"{done}-case done" for done in ("submit", "accept", "reply-to", "withdraw", "transfer")),
        "rate-reply done", "rate-reply refused", "pause-clock done", "policy.applied",
        "case.closed", "case.reopened", "case.overdue", "case.due-soon", "case.escalated",
        "evaluation.lapsed", "notification.delivered",
    ):  # fmt: skip
        assert what in told, f"no history has: {what}"


def test_a_replay_tells_the_whole_history(capsys: pytest.CaptureFixture[str]) -> None:
    with no_inbox():
        assert command.main(["--seed", "0"]) == 1
    told = capsys.readouterr().out
    assert "intake-1      starts" in told.splitlines()[0]
    assert "the observer  FINDS: " in told
    assert "\nSeed 0: " in told


def test_a_run_stops_at_what_it_finds_and_tells_how_to_replay_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_by_one(seeds: Iterable[int]) -> Iterable[Outcome]:
        return map(run, seeds)

    monkeypatch.setattr(command, "_outcomes", one_by_one)
    with no_inbox():
        assert command.main(["--seeds", "5"]) == 1
    told = capsys.readouterr().out
    assert told.endswith("Replay it, with its whole trace: make simulate SEED=0\n")
    assert "the observer  FINDS: " in told


def test_what_is_no_seed_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--seed", "x"])
    assert "'x' is no number: write one such as 123" in capsys.readouterr().err
