"""`concentric policy replay`: the changed cases, from a data folder, an address and a register."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from services.cli.main import app
from services.embedded.house import House, open_storage
from services.ledger.queries import case
from shared.runtime.http import application
from shared.settings import Settings
from tests.support.machine import POLICIES
from tests.support.serving import served

EXAMPLES = POLICIES.parent
MAPPING = EXAMPLES / "mappings" / "csv.yaml"
COMPLAINTS = EXAMPLES / "cases" / "complaints.csv"


def concentric(*words: object) -> str:
    done = CliRunner().invoke(app, [f"{word}" for word in words])
    assert done.exit_code == 0, done.output
    return done.stdout


def red(policy: str, category: str, folder: Path) -> Path:
    """The policy with one row more, by which a whole category is red."""
    row = f"  - {{name: try, when: {{category: {category}}}, then: {{colour: red, unit: station}}}}"
    file = folder / "candidate.yaml"
    text = (POLICIES / policy).read_text(encoding="utf-8")
    file.write_text(text.replace("triage:\n", f"triage:\n{row}\n", 1), encoding="utf-8")
    return file


def recoloured(data: Path, category: str) -> set[str]:
    """The cases of a category that are not red in the ledger's own books."""
    storage = open_storage(Settings.read({}, data=data), "ledger")
    query = sa.select(case.key).where(case.category == category, case.colour != "red")
    try:
        with storage.read() as connection:
            return set(connection.scalars(query))
    finally:
        storage.close()


def changed(figures: dict[str, Any]) -> set[str]:
    return {one["id"] for one in figures["cases_changed"] if "colour" in one["changed"]}


def test_a_candidate_that_makes_one_category_red_lists_exactly_those_cases(tmp_path: Path) -> None:
    data, page = tmp_path / "var", tmp_path / "report.html"
    concentric("import", COMPLAINTS, "--mapping", MAPPING, "--data", data)
    candidate = red("xiaoshan.yaml", "power-supply", tmp_path)
    expected = recoloured(data, "power-supply")
    assert expected, "else the test shows nothing"

    told = json.loads(concentric("policy", "replay", candidate, "--data", data, "--json"))
    assert told["cases"] == 10
    assert changed(told) == expected
    assert sum(g["cases"] for g in told["groups"] if g["aspect"] == "colour") == len(expected)

    options = ("--cases", COMPLAINTS, "--mapping", MAPPING, "--html", page, "--json")
    from_file = json.loads(concentric("policy", "replay", candidate, *options))
    assert changed(from_file) == expected
    assert from_file["on_time"] == told["on_time"]
    text = page.read_text(encoding="utf-8")
    assert "http" not in text, "the page stands by itself"
    names = {one["external_id"] for one in from_file["cases_changed"]}
    assert all(f">{name}</td>" in text for name in names)

    house = House(Settings.read({}, data=data, drain=5.0))
    house.start()
    try:
        with served(application(list(house.hosts.values()), house.metrics)) as address:
            over_http = json.loads(
                concentric("policy", "replay", candidate, "--url", address, "--json")
            )
    finally:
        house.stop()
    same = ("baseline", "candidate", "cases", "groups", "cases_changed", "units", "colours")
    assert {name: over_http[name] for name in same} == {name: told[name] for name in same}
    assert "replay" in concentric("policy", "--help")


@pytest.mark.timeout(300)
def test_the_same_holds_on_the_real_message_board(message_board: Path, tmp_path: Path) -> None:
    data = tmp_path / "var"
    [register] = message_board.glob("message-board-*.xlsx")
    mapping = EXAMPLES / "mappings" / "message-board.yaml"
    concentric("import", register, "--mapping", mapping, "--data", data)
    candidate = red("message-board.yaml", "education", tmp_path)
    expected = recoloured(data, "education")
    told = json.loads(concentric("policy", "replay", candidate, "--data", data, "--json"))
    assert len(expected) > 100
    assert changed(told) == expected
    assert told["cases"] > 2_500


def test_a_replay_of_nothing_says_what_to_name(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["policy", "replay", f"{POLICIES / 'xiaoshan.yaml'}", "--data", f"{tmp_path}"]
    )
    assert done.exit_code == 2
    assert "--data" in done.stderr
