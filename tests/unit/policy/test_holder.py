"""The running policy is swapped when its file changes, and kept when the file is bad."""

from __future__ import annotations

import threading
import weakref
from pathlib import Path

import pytest

from shared.domain.errors import PolicyError
from shared.policy import PolicyHolder, interpreter, rehearse, trial
from shared.policy.rehearsal import REFUSED, rehearse_content
from shared.policy.table import Verdict


@pytest.fixture
def path(tmp_path: Path, small_text: str) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(small_text, encoding="utf-8")
    return file


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_changed_file_is_taken_over(path: Path) -> None:
    holder = PolicyHolder(path)
    before = holder.current
    assert not holder.refresh()
    edit(path, "reply: 60", "reply: 40")
    assert holder.refresh()
    assert holder.current.version != before.version
    assert holder.current.document.colours[1].reply == 40
    assert not holder.refresh()


def test_a_file_that_was_only_touched_changes_nothing(path: Path) -> None:
    tried: list[str] = []
    holder = PolicyHolder(path, rehearsal=lambda file, _: tried.append(file))
    before = holder.current
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    assert not holder.refresh()
    assert holder.current is before
    assert tried == []


def test_a_bad_file_leaves_the_running_policy_and_is_told_once(path: Path) -> None:
    holder = PolicyHolder(path, rehearsal=None)
    before = holder.current
    edit(path, "red, unit: north}", "red, unit: nort}")
    with pytest.raises(PolicyError, match="north"):
        holder.refresh()
    assert holder.current is before
    assert not holder.refresh()
    edit(path, "red, unit: nort}", "red, unit: north}")
    assert not holder.refresh()
    edit(path, "reply: 60", "reply: 50")
    assert holder.refresh()


def test_a_file_that_vanishes_leaves_the_running_policy(path: Path) -> None:
    holder = PolicyHolder(path, rehearsal=None)
    path.unlink()
    with pytest.raises(PolicyError, match="cannot be read"):
        holder.refresh()
    assert holder.current.name == "small"
    assert not holder.refresh()


def test_nothing_can_start_with_a_bad_file(path: Path) -> None:
    edit(path, "red, unit: north}", "red, unit: nort}")
    with pytest.raises(PolicyError):
        PolicyHolder(path)


def test_whoever_holds_the_old_version_keeps_it_whole(path: Path) -> None:
    holder = PolicyHolder(path, rehearsal=None)
    old = holder.current
    edit(path, "reply: 60", "reply: 40")
    holder.refresh()
    assert old.document.colours[1].reply == 60
    gone = weakref.ref(old)
    del old
    assert gone() is None, "a dropped policy is freed at once"


def test_refreshing_from_many_threads_swaps_once(path: Path) -> None:
    holder = PolicyHolder(path, rehearsal=None)
    edit(path, "reply: 60", "reply: 40")
    swapped: list[bool] = []
    threads = [threading.Thread(target=lambda: swapped.append(holder.refresh())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(swapped) == [False] * 7 + [True]


def test_a_candidate_is_tried_in_a_child_process_with_its_problems_told(path: Path) -> None:
    rehearse(path)
    edit(path, "red, unit: north}", "red, unit: nort}")
    with pytest.raises(PolicyError) as caught:
        rehearse(path)
    (problem,) = caught.value.problems
    assert problem.code == "unknown-unit"
    assert "triage[2].then.unit" in problem.field


def test_a_candidate_that_takes_too_long_is_refused(small_text: str) -> None:
    with pytest.raises(PolicyError, match=r"within 0\.01 s"):
        rehearse_content("slow.yaml", small_text.encode(), timeout=0.01)


def test_a_candidate_that_crashes_its_process_is_refused(
    small_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = tmp_path / "python"
    crash.write_text("#!/bin/sh\ncat > /dev/null\nkill -SEGV $$\n", encoding="utf-8")
    crash.chmod(0o700)
    monkeypatch.setattr("sys.executable", f"{crash}")
    with pytest.raises(PolicyError, match="status -11"):
        rehearse_content("crash.yaml", small_text.encode())


def test_a_table_that_misleads_the_engine_is_refused(
    small_text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(interpreter, "decide", lambda _table, _facts: Verdict((0,)))
    assert trial._main("x.yaml", small_text.encode()) == REFUSED
    assert "engine-differs" in capsys.readouterr().out
