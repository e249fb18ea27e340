"""`concentric policy` on a data folder and on a running house: apply, list, roll back, migrate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.embedded.house import House
from services.router import policies as router_policies
from services.router.store import HANDLINGS
from shared.domain.case import GivenInformant
from shared.domain.commands import AcceptCase, ReplyToCase, SubmitCase
from shared.runtime import host
from shared.runtime.http import application
from shared.settings import Settings
from tests.support.machine import POLICIES
from tests.support.serving import served

COMPLAINTS = POLICIES.parent / "cases" / "complaints.csv"
MAPPING = POLICIES.parent / "mappings" / "csv.yaml"
TEXT = (POLICIES / "message-board.yaml").read_text(encoding="utf-8")
RED = "  - {name: try, when: {category: education}, then: {colour: red, unit: leaders-office}}"


def concentric(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [f"{word}" for word in words], env={"COLUMNS": "250"})
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router_policies, "LEAD", timedelta(seconds=0.3))
    monkeypatch.setattr(host, "FOLLOW", 0.05)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def house(file: Path) -> Iterator[House]:
    made = House(Settings.read({}, data=file.parent / "var", policy=file, drain=5.0))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(application(list(house.hosts.values()), house.metrics)) as url:
        yield url


def submit(house: House, name: str, category: str) -> str:
    case = SubmitCase(
        source="tests",
        external_id=name,
        channel="message-board",
        category=category,
        subject=f"Matter of {name}",
        text="About it",
        informant=GivenInformant(ref="citizen"),
    )
    house.hosts["intake"].gateway.execute(case)
    return case.about


def test_versions_are_applied_listed_shown_and_rolled_back(
    house: House, address: str, tmp_path: Path
) -> None:
    first = house.policies.current.version
    candidate = tmp_path / "candidate.yaml"
    candidate.write_text(f"{TEXT}# another\n", encoding="utf-8")
    applied = concentric(
        *("policy", "apply", candidate, "--by", "Li Na", "--note", "why", "--url", address)
    )
    assert "number 2: in force from" in applied
    again = concentric("policy", "apply", candidate, "--url", address)
    assert "nothing has changed" in again

    rolled = concentric("policy", "rollback", "--by", "Wang", "--url", address)
    assert f"{first}, number 3" in rolled
    listed = json.loads(concentric("policy", "versions", "--json", "--url", address))
    lines = [(one["number"], one["by"], one["note"]) for one in listed["versions"]]
    assert lines[:2] == [(3, "Wang", "rollback to number 1"), (2, "Li Na", "why")]
    assert lines[2][0] == 1
    assert concentric("policy", "show", "2", "--url", address) == candidate.read_text()
    assert concentric("policy", "show", first, "--url", address) == TEXT

    candidate.write_text(TEXT.replace("rounds: ", "runds: "), encoding="utf-8")
    told = concentric("policy", "apply", candidate, "--url", address, code=2)
    assert f"The policy {candidate} cannot be used:" in told
    assert "line " in told
    assert "no policy '9'" in concentric("policy", "show", "9", "--url", address, code=2)


def test_open_cases_are_decided_anew_and_everybody_hears_of_it(
    house: House, address: str, tmp_path: Path
) -> None:
    waiting, answered = (submit(house, name, "education") for name in ("waiting", "answered"))
    other = submit(house, "other", "construction")
    assert house.quiet(10)
    router = house.hosts["router"].gateway
    for each in (answered, waiting):
        unit = router.fetch(HANDLINGS, each).unit
        router.execute(AcceptCase(case_id=each, unit=unit, person="clerk"))
    router.execute(ReplyToCase(case_id=answered, unit=unit, reply="Done"))
    candidate = tmp_path / "candidate.yaml"
    candidate.write_text(TEXT.replace("triage:\n", f"triage:\n{RED}\n", 1), encoding="utf-8")
    before = house.policies.current.version
    concentric("policy", "apply", candidate, "--url", address)
    until = monotonic() + 10
    while house.policies.current.version == before and monotonic() < until:
        sleep(0.02)

    told = concentric("policy", "migrate", "--dry-run", "--url", address)
    assert "1 of 2 open cases" in told
    assert router.fetch(HANDLINGS, waiting).colour != "red"
    concentric("policy", "migrate", "--url", address, code=2)  # why?
    nobody = concentric("policy", "migrate", "--colour", "red", "--dry-run", "--url", address)
    assert "0 of 0 open cases" in nobody

    migrate = ("policy", "migrate", "--reason", "schools come first", "--by", "Li Na")
    assert "1 cases are decided anew" in concentric(*migrate, "--url", address)
    assert house.quiet(10)
    handling = router.fetch(HANDLINGS, waiting)
    assert (handling.colour, handling.unit) == ("red", "leaders-office")
    assert handling.policy_version == house.policies.current.version
    assert router.fetch(HANDLINGS, answered).colour != "red"
    assert router.fetch(HANDLINGS, other).colour != "red"

    case = _file(address, waiting)
    asked = next(each for each in case["history"] if each["type"] == "retriage.requested")
    assert asked["event"]["by"] == "Li Na"
    assert asked["event"]["reason"] == "schools come first"
    assert case["case"]["colour"] == "red"
    assert case["clocks"]["working_days"] == 5
    assert case["clocks"]["started_at"] == case["handling"]["started_at"]
    concentric("audit", "--url", address)


def test_a_changed_limit_alone_is_a_reason_to_decide_anew(
    house: House, address: str, tmp_path: Path
) -> None:
    waiting = submit(house, "waiting", "construction")
    assert house.quiet(10)
    candidate = tmp_path / "candidate.yaml"
    candidate.write_text(TEXT.replace("reply: 20", "reply: 15"), encoding="utf-8")
    before = house.policies.current.version
    concentric("policy", "apply", candidate, "--url", address)
    until = monotonic() + 10
    while house.policies.current.version == before and monotonic() < until:
        sleep(0.02)
    told = concentric("policy", "migrate", "--reason", "sooner", "--url", address)
    assert "due after 15 working days" in told
    assert house.quiet(10)
    assert _file(address, waiting)["clocks"]["working_days"] == 15
    assert "0 of 1 open cases" in concentric("policy", "migrate", "--dry-run", "--url", address)


def test_a_house_at_rest_can_be_changed_in_its_data_folder(file: Path, tmp_path: Path) -> None:
    data = tmp_path / "var"
    assert "no books" in concentric("policy", "versions", "--data", data, code=2)
    made = House(Settings.read({}, data=data, policy=file, drain=5.0))
    made.start()
    waiting = submit(made, "waiting", "education")
    made.quiet(10)
    made.stop()
    (data / "policy").write_text(f"{file}\n")  # as `concentric up` notes it
    file.write_text(TEXT.replace("triage:\n", f"triage:\n{RED}\n", 1), encoding="utf-8")
    assert "number 2" in concentric("policy", "apply", file, "--data", data)
    migrate = ("policy", "migrate", "--reason", "because", "--data", data)
    assert "1 cases are decided anew" in concentric(*migrate)
    assert waiting
    concentric("audit", "--data", data)

    file.write_text("triage: [this is no policy", encoding="utf-8")
    named = ("import", COMPLAINTS, "--mapping", MAPPING, "--policy", file, "--data", data)
    assert "cannot be used" in concentric(*named, code=2)
    assert "cannot be used" in concentric("up", "--policy", file, "--data", data, code=2)
    listed = concentric("policy", "versions", "--data", data)
    assert "│ 2 " in listed, "what is not named stops nothing"


def _file(address: str, case_id: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{address}/cases/{case_id}").json()
    return found
