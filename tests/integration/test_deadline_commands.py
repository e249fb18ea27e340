"""The commands about deadlines, on books of their own and on a running service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.deadline.service import DEADLINE
from shared.domain.aggregates import Limits
from shared.domain.case import Standing, State
from shared.observe.metrics import Metrics
from shared.policy import CompiledPolicy, load_policy
from shared.runtime.http import application
from tests.support.desk import desk
from tests.support.house import Unchanging, replied, routed, routing
from tests.support.machine import POLICIES, machine, storage_of
from tests.support.serving import served

POLICY = POLICIES / "xiaoshan.yaml"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def policy() -> Iterator[CompiledPolicy]:
    loaded = load_policy(POLICY)
    yield loaded
    loaded.close()


@pytest.fixture
def books(policy: CompiledPolicy, tmp_path: Path) -> Path:
    """A case that is open since now, an answered one, and one that was taken back."""
    facts = {"unit": "marketing", "started_at": NOW, "received_at": NOW, "limits": Limits(reply=5)}
    with desk(DEADLINE, policy, NOW, tmp_path) as opened:
        opened.hear(routing(routed("open", **facts)))
        opened.hear(routing(replied(routed("answered", **facts), NOW)))
        withdrawn = {**facts, "standing": Standing(state=State.WITHDRAWN)}
        opened.hear(routing(routed("withdrawn", **withdrawn)))
    return tmp_path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def candidate(folder: Path, policy: CompiledPolicy, closed: date) -> Path:
    """The same policy, by which one more day is off."""
    path = folder / "candidate.yaml"
    text = POLICY.read_text(encoding="utf-8")
    years = "years: [2010, 2035]"
    assert text.count(years) == 1
    path.write_text(text.replace(years, f"{years}\n  holidays: [{closed}]"), encoding="utf-8")
    return path


def test_a_case_is_explained_from_its_books_in_words_and_in_json(books: Path) -> None:
    shown = run("deadline", "explain", "open", "--data", books, "--policy", POLICY)
    assert shown.exit_code == 0
    assert "5 working days" in shown.output
    assert "the rating link lives 15 working days" in shown.output
    chinese = run(
        "deadline", "explain", "open", "--data", books, "--policy", POLICY, "--language", "zh"
    )
    assert "5 个工作日" in chinese.output
    told = run("deadline", "explain", "open", "--data", books, "--policy", POLICY, "--json")
    assert json.loads(told.output)["limit_days"] == 5


def test_what_cannot_be_explained_is_said_in_plain_words(books: Path, tmp_path: Path) -> None:
    unknown = run("deadline", "explain", "gone", "--data", books, "--policy", POLICY)
    assert (unknown.exit_code, "nothing is known of 'gone'" in unknown.output) == (2, True)
    empty = run("deadline", "explain", "open", "--data", tmp_path / "no", "--policy", POLICY)
    assert (empty.exit_code, "There are no books" in empty.output) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("2026-03-02T09:00:00", "5"), "with its zone"),
        (("yesterday", "5"), "with its zone"),
        (("2026-03-02T09:00:00+08:00", "0"), "than or equal to 1"),
        (("2026-03-02T09:00:00+08:00", "10000"), "than or equal to 1000"),
        (("1990-03-02T09:00:00+08:00", "5"), "widen"),
        (("2026-03-02T09:00:00+08:00", "5", "--answered", "2026-03-01T09:00:00+08:00"), "before"),
    ],
)
def test_a_reckoning_by_hand_refuses_what_makes_no_sense(words: tuple[str, ...], said: str) -> None:
    told = run("deadline", "reckon", *words, "--policy", POLICY)
    assert told.exit_code == 2
    assert said in " ".join(told.output.split())


def test_the_forecast_is_printed_from_the_books(books: Path) -> None:
    told = run("deadline", "forecast", "--data", books, "--policy", POLICY, "--json")
    [unit] = json.loads(told.output)["units"]
    assert (unit["unit"], unit["open"], unit["breaches"]) == ("marketing", 1, 1)
    shown = run("deadline", "forecast", "--data", books, "--policy", POLICY)
    assert "marketing" in shown.output


def test_the_impact_of_another_calendar_is_listed_and_changes_nothing(
    books: Path, policy: CompiledPolicy, tmp_path: Path
) -> None:
    closed = policy.calendar.nth_working_day(policy.calendar.local_day(NOW), 3)
    other = candidate(tmp_path, policy, closed)
    for _ in range(2):
        told = json.loads(run("calendar", "impact", other, "--data", books, "--json").output)
        assert (told["open"], told["moved"]) == (1, 1)
        [move] = told["moves"]
        assert move["case_id"] == "open"
        assert move["moved_from"] < move["moved_to"]
    shown = run("calendar", "impact", other, "--data", books)
    assert "1 of 1 open deadlines would move" in shown.output
    same = run("calendar", "impact", POLICY, "--data", books)
    assert "0 of 1 open deadlines would move" in same.output


def test_a_running_service_explains_and_forecasts_too(
    policy: CompiledPolicy, tmp_path: Path
) -> None:
    storage = storage_of(DEADLINE, tmp_path)
    start = NOW - timedelta(hours=1)
    facts = {"unit": "marketing", "started_at": start, "received_at": start}
    with machine(DEADLINE, storage, Unchanging(policy), tmp_path) as running:
        running.send(routing(routed("case-1", **facts)))
        running.of(type(routing(routed())))
        with served(application([running.host], Metrics())) as url:
            shown = run("deadline", "explain", "case-1", "--url", url)
            assert "day of receipt, not counted" in shown.output
            told = json.loads(run("deadline", "forecast", "--url", url, "--json").output)
            assert told["units"][0]["unit"] == "marketing"
            unknown = run("deadline", "explain", "case-2", "--url", url)
            assert (unknown.exit_code, "404" in unknown.output) == (2, True)
