"""A process decides by the version in force; the next one is taken before it is."""

from __future__ import annotations

import threading
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.domain.errors import PolicyError
from shared.domain.policy import PolicyVersion, checksum
from shared.policy import PolicyHolder
from shared.policy.load import version_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(seconds=3)


@pytest.fixture
def path(tmp_path: Path, small_text: str) -> Path:
    file = tmp_path / "policy.yaml"
    file.write_text(small_text, encoding="utf-8")
    return file


def version(
    number: int, text: str, reply: int = 60, effective_at: datetime = LATER
) -> PolicyVersion:
    content = text.replace("reply: 60", f"reply: {reply}")
    return PolicyVersion(
        number=number,
        version=version_of("small", content.encode()),
        checksum=checksum(content),
        content=content,
        by="tests",
        at=NOW,
        effective_at=effective_at,
    )


def reply(holder: PolicyHolder, now: datetime) -> int:
    limit = holder.at(now).document.colours[1].reply
    assert isinstance(limit, int)
    return limit


def test_a_version_is_in_force_from_its_moment_on_and_not_before(
    path: Path, small_text: str
) -> None:
    holder = PolicyHolder(path)
    assert holder.take(version(1, small_text, 40))
    assert reply(holder, LATER - timedelta(microseconds=1)) == 60
    assert reply(holder, LATER) == 40
    assert reply(holder, NOW) == 40, "what was superseded does not come back"


def test_the_highest_number_whose_moment_has_come_wins(path: Path, small_text: str) -> None:
    holder = PolicyHolder(path)
    for number, days in ((1, 40), (2, 50), (3, 20)):
        holder.take(version(number, small_text, days, NOW + timedelta(seconds=number)))
    assert reply(holder, NOW + timedelta(seconds=2)) == 50
    assert holder.coming
    assert reply(holder, NOW + timedelta(days=1)) == 20
    assert not holder.coming


def test_a_stored_version_wins_over_the_file(path: Path, small_text: str) -> None:
    path.write_text("no policy at all", encoding="utf-8")
    holder = PolicyHolder(path, stored=version(7, small_text, 40))
    assert reply(holder, NOW) == 40
    assert not holder.take(version(6, small_text, 50))
    assert not holder.take(version(7, small_text, 40))
    assert reply(holder, LATER) == 40


def test_a_version_that_this_release_cannot_use_leaves_the_one_in_force_and_is_told_once(
    path: Path, small_text: str
) -> None:
    holder = PolicyHolder(path)
    bad = version(1, small_text.replace("red, unit: north}", "red, unit: nort}"))
    with pytest.raises(PolicyError, match="north"):
        holder.take(bad)
    assert not holder.take(bad)
    assert reply(holder, LATER) == 60
    assert holder.take(version(2, small_text, 50))
    assert reply(holder, LATER) == 50


def test_the_same_content_applied_again_is_compiled_once(path: Path, small_text: str) -> None:
    holder = PolicyHolder(path)
    before = holder.at(NOW)
    holder.take(version(1, small_text, effective_at=NOW))
    assert holder.at(NOW) is before


def test_nothing_can_start_with_a_bad_file(path: Path) -> None:
    path.write_text("triage: [this is no policy", encoding="utf-8")
    with pytest.raises(PolicyError):
        PolicyHolder(path)


def test_whoever_holds_the_old_version_keeps_it_whole(path: Path, small_text: str) -> None:
    holder = PolicyHolder(path)
    old = holder.at(NOW)
    holder.take(version(1, small_text, 40))
    holder.at(LATER)
    assert old.document.colours[1].reply == 60
    gone = weakref.ref(old)
    del old
    assert gone() is None, "a dropped policy is freed at once"


def test_many_threads_that_take_the_same_version_take_it_once(path: Path, small_text: str) -> None:
    holder = PolicyHolder(path)
    stored = version(1, small_text, 40)
    taken: list[bool] = []
    threads = [threading.Thread(target=lambda: taken.append(holder.take(stored))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 7 + [True]
