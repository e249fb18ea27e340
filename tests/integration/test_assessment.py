"""A year's scores from the ledger's books, on both databases, over HTTP and by the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.ledger.assessing import read_assessment
from services.ledger.service import LEDGER
from shared.domain.errors import NotFound
from shared.observe.metrics import Metrics
from shared.runtime.http import application
from tests.support.browser import Browser
from tests.support.desk import Desk, desk
from tests.support.house import SmallPolicy, Unchanging
from tests.support.machine import machine, storage_of
from tests.support.story import DUE, MONDAY, Story, two_rounds

POLICIES = Path(__file__).parents[2] / "examples" / "policies"


def _kept(name: str) -> Story:
    answered = Story(name).recorded().routed().due().replied(DUE - timedelta(days=1))
    return answered.asked().rated(satisfied=True).closed("satisfied")


@pytest.fixture
def office(url: str | None, tmp_path: Path) -> Iterator[Desk]:
    """The north kept its promises in 2026 and pleased; the south was late, and did not."""
    with desk(LEDGER, SmallPolicy(), folder=tmp_path, url=url, now=DUE) as opened:
        older = Story("older", recorded_at=MONDAY.replace(year=2025)).recorded().routed().due()
        kept = [_kept(name) for name in ("one", "two", "three")]
        stories = (*kept, two_rounds("four"), two_rounds("five"), older)
        for story in stories:
            for event in story.events:
                assert not opened.hear(event).parked
        yield opened


def test_the_year_of_a_unit_and_its_level_is_scored(office: Desk) -> None:
    with office.storage.read() as connection:
        found = read_assessment(connection, SmallPolicy(), DUE, 2026)
    north, south = found.units[:2]
    assert (north.id, south.id) == ("north-station", "south-station")
    assert (north.cases, north.on_time, north.owed, north.rated, north.satisfied) == (3, 3, 3, 3, 3)
    assert (south.cases, south.on_time, south.owed, south.rated, south.satisfied) == (2, 0, 2, 2, 0)
    assert (north.score.score, south.score.score) == (100, 0)
    [level] = [one for one in found.levels if one.cases]
    assert level.id == "branches"
    assert level.score.score == pytest.approx(60 * 3 / 5 + 40 * 3 / 5)
    assert {one.score.reason for one in found.units[2:]} == {"too-few-cases"}


def test_a_year_counts_the_cases_recorded_in_it(office: Desk) -> None:
    with office.storage.read() as connection:
        found = read_assessment(connection, SmallPolicy(), DUE, 2025)
    assert sum(unit.cases for unit in found.units) == 1
    assert all(unit.score.reason == "too-few-cases" for unit in found.units)


def test_a_policy_without_the_section_says_how_to_mend_it(office: Desk) -> None:
    with (
        office.storage.read() as connection,
        pytest.raises(NotFound, match="add an `assessment` section"),
    ):
        read_assessment(connection, SmallPolicy(assessment=None), DUE, 2026)


def test_the_scores_are_given_out_over_http(office: Desk, url: str | None, tmp_path: Path) -> None:
    storage = storage_of(LEDGER, tmp_path, url)
    with machine(LEDGER, storage, Unchanging(SmallPolicy()), tmp_path, lambda: DUE) as running:
        browser = Browser(application([running.host], Metrics()))
        found = json.loads(browser.get("/assessment?year=2026").text)
        assert found["weights"] == {"on-time": 60, "satisfaction": 40}
        assert found["units"][0]["score"]["score"] == 100
        assert browser.get("/assessment?year=20261").status_code == 422
        assert browser.get("/assessment").status_code == 422


def test_the_command_prints_a_table_or_json(
    office: Desk, url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if url is None:
        monkeypatch.delenv("DATABASE_URL", raising=False)
    else:
        monkeypatch.setenv("DATABASE_URL", url)
    policy = f"--policy={POLICIES / 'xiaoshan.yaml'}"
    words = ["assessment", "--year", "2026", policy, f"--data={tmp_path}"]
    table = CliRunner().invoke(app, words, env={"COLUMNS": "160"})
    assert table.exit_code == 0, table.output
    assert "too few cases" in table.output
    printed = CliRunner().invoke(app, [*words, "--json"])
    assert json.loads(printed.output)["year"] == 2026
