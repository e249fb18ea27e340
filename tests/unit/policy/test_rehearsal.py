"""A candidate is tried in a process of its own, which may hang, crash or eat: it is refused."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from time import monotonic

import pytest

from shared.domain.errors import PolicyError, Refusal, Unavailable
from shared.policy import rehearse
from shared.policy.engine import interpreter
from shared.policy.engine.table import Verdict
from shared.policy.load import version_of
from shared.policy.trying import rehearsal, trial
from shared.policy.trying.rehearsal import REFUSED, Trials, rehearse_content


def instead_of_python(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """The trial is this script, as if the candidate had made it do that."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\ncat > /dev/null\n{script}\n", encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", f"{program}")


def test_a_candidate_that_passes_is_named(tmp_path: Path, small_text: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(small_text, encoding="utf-8")
    assert rehearse(file) == version_of("small", small_text.encode())


def test_the_problems_of_a_candidate_are_told(small_text: str) -> None:
    bad = small_text.replace("red, unit: north}", "red, unit: nort}")
    with pytest.raises(PolicyError) as caught:
        rehearse_content("policy.yaml", bad.encode())
    (problem,) = caught.value.problems
    assert problem.code == "unknown-unit"
    assert "triage[2].then.unit" in problem.field


def test_a_candidate_that_hangs_is_refused(
    small_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead_of_python(tmp_path, monkeypatch, "exec sleep 60")
    began = monotonic()
    with pytest.raises(PolicyError, match=r"within 0\.3 s"):
        rehearse_content("slow.yaml", small_text.encode(), timeout=0.3)
    assert monotonic() - began < 10


def test_a_candidate_that_crashes_its_process_is_refused(
    small_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead_of_python(tmp_path, monkeypatch, "kill -SEGV $$")
    with pytest.raises(PolicyError, match="status -11"):
        rehearse_content("crash.yaml", small_text.encode())


def test_a_candidate_that_eats_memory_is_refused(
    small_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eat = "from shared.policy.trying.trial import limit_memory; limit_memory(); bytearray(4 << 30)"
    instead_of_python(tmp_path, monkeypatch, f"exec {sys.executable} -c '{eat}'")
    with pytest.raises(PolicyError, match="MemoryError"):
        rehearse_content("large.yaml", small_text.encode())


def test_a_table_that_misleads_the_engine_is_refused(
    small_text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(interpreter, "decide", lambda _table, _facts: Verdict((0,)))
    assert trial._main("x.yaml", small_text.encode()) == REFUSED
    assert "engine-differs" in capsys.readouterr().out


def test_an_outcome_is_remembered_so_that_whoever_cannot_wait_need_not(
    small_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[bytes] = []

    def rehearsal_of(_file: str, content: bytes, _timeout: float) -> str:
        tried.append(content)
        return "small@1"

    monkeypatch.setattr(rehearsal, "rehearse_content", rehearsal_of)
    trials = Trials()
    for content in ("one", "two", "one"):
        trials.hold(content)
        assert trials.passed(content) == "small@1"
    assert tried == [b"one", b"two"]
    with pytest.raises(Refusal, match="over HTTP"):
        trials.passed("never tried")


def test_trials_take_turns_and_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, end = threading.Event(), threading.Event()

    def hang(_file: str, _content: bytes, _timeout: float) -> str:
        begun.set()
        end.wait(20)
        return "slow@1"

    monkeypatch.setattr(rehearsal, "rehearse_content", hang)
    trials = Trials(timeout=0.1)
    first = threading.Thread(target=trials.hold, args=("slow",))
    first.start()
    begun.wait(20)
    with pytest.raises(Unavailable):
        trials.hold("another")
    end.set()
    first.join()
    trials.hold("another")
    assert trials.passed("another") == "slow@1"
