"""A candidate that decides beside the policy in force: counted and listed, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.embedded import catalogue
from services.embedded.house import House
from services.ledger import queries, shadowing
from services.router.store import HANDLINGS
from shared.domain.case import Case
from shared.domain.commands import SubmitCase
from shared.policy import CompiledPolicy
from shared.runtime.http import application
from shared.runtime.service import Service
from shared.settings import Settings
from tests.support.machine import POLICIES
from tests.support.serving import served

TEXT = (POLICIES / "message-board.yaml").read_text(encoding="utf-8")
RED = "  - {name: try, when: {category: education}, then: {colour: red, unit: leaders-office}}"


def concentric(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [f"{word}" for word in words], env={"COLUMNS": "250"})
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    path = tmp_path / "candidate.yaml"
    path.write_text(TEXT.replace("triage:\n", f"triage:\n{RED}\n", 1), encoding="utf-8")
    return path


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house whose ledger looks ten times a second."""

    def hurried(name: str) -> Service:
        service = catalogue.load(name)
        return replace(service, timers=[replace(each, seconds=0.1) for each in service.timers])

    monkeypatch.setattr("services.embedded.house.load", hurried)
    policy = tmp_path / "policy.yaml"
    policy.write_text(TEXT, encoding="utf-8")
    made = House(Settings.read({}, data=tmp_path / "var", policy=policy, drain=5.0))
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
    )
    house.hosts["intake"].gateway.execute(case)
    return case.about


def until(true: Callable[[], bool]) -> None:
    end = monotonic() + 15
    while not true():
        assert monotonic() < end, "it did not come to that in time"
        sleep(0.05)


def test_differences_are_counted_and_listed_and_nothing_else_happens(
    house: House, address: str, candidate: Path
) -> None:
    assert "begin with" in concentric("policy", "shadow", "--report", "--url", address)
    submit(house, "before", "education")
    assert house.quiet(10)
    begun = concentric("policy", "shadow", candidate, "--by", "Li Na", "--url", address)
    assert "0 otherwise" in begun
    school = submit(house, "school", "education")
    submit(house, "road", "construction")

    def report() -> dict[str, object]:
        told = concentric("policy", "shadow", "--report", "--json", "--url", address)
        found: dict[str, object] = json.loads(told)
        return found

    until(lambda: report()["same"] == 1)
    found = report()
    assert (found["different"], found["failed"], found["by"]) == (1, 0, "Li Na")
    assert isinstance(found["differences"], list)
    [difference] = found["differences"]
    assert difference["case_id"] == school
    assert difference["changed"] == ["colour", "unit", "deadline"]
    assert difference["candidate"] == ["red", "leaders-office", "5 working days"]
    assert difference["row"] == "try"
    assert "leaders-office" in concentric("policy", "shadow", "--report", "--url", address)
    handling = house.hosts["router"].gateway.fetch(HANDLINGS, school)
    assert handling.colour != "red"
    with house.hosts["ledger"].read() as connection:
        types = {entry.type for entry in queries.journal(connection)}
    assert types <= {"policy.applied", "case.recorded", "case.routed", "deadline.set"}

    assert "until" in concentric("policy", "shadow", "--stop", "--url", address)
    submit(house, "later", "education")
    assert house.quiet(10)
    sleep(0.4)
    assert report()["different"] == 1
    concentric("policy", "shadow", "--stop", "--url", address, code=2)
    concentric("audit", "--url", address)


def test_a_candidate_that_fails_is_counted_and_harms_nobody(
    house: House, address: str, candidate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_policy: CompiledPolicy, _case: Case) -> None:
        raise RuntimeError("the candidate is broken")

    compiled = shadowing._compiled

    class Broken:
        triage = fail

    concentric("policy", "shadow", candidate, "--url", address)
    monkeypatch.setattr(shadowing, "_compiled", lambda *_: Broken())
    school = submit(house, "school", "education")
    errors = house.metrics.registry
    labels = {"outcome": "failed"}
    until(lambda: shown(house, labels) == 1)
    assert house.hosts["router"].gateway.fetch(HANDLINGS, school).unit
    monkeypatch.setattr(shadowing, "_compiled", compiled)
    submit(house, "another", "education")
    until(lambda: shown(house, {"outcome": "different"}) == 1)
    assert errors.get_sample_value("concentric_parked_total", {"service": "ledger"}) == 0


def shown(house: House, labels: dict[str, str]) -> float | None:
    return house.metrics.registry.get_sample_value("concentric_shadow_decisions", labels)


def test_a_candidate_that_cannot_be_used_is_refused(
    house: House, address: str, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(TEXT.replace("rounds: ", "runds: "), encoding="utf-8")
    told = concentric("policy", "shadow", bad, "--url", address, code=2)
    assert f"The policy {bad} cannot be used" in told
    assert "line " in told
