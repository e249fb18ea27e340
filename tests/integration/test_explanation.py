"""The router explains each recorded case over HTTP, by the version that decided it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from services.router.service import ROUTER
from services.router.store import DECISIONS, decisions
from shared.domain.commands import TransferCase
from shared.domain.events import CaseRecalled, CaseRouted
from shared.domain.policy import PolicyVersion, checksum
from shared.policy.holder import PolicyHolder
from shared.runtime.http import application
from shared.runtime.versions import POLICIES
from tests.support.machine import POLICIES as EXAMPLES
from tests.support.machine import Machine, machine, recorded, storage_of
from tests.support.serving import served

TO_OFFICE = (
    "  - {name: to the office, when: {category: construction},"
    " then: {colour: red, unit: coordinating-office}}"
)


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_bytes((EXAMPLES / "message-board.yaml").read_bytes())
    return path


@pytest.fixture
def policy(policy_file: Path) -> PolicyHolder:
    return PolicyHolder(policy_file)


@pytest.fixture
def router(policy: PolicyHolder, tmp_path: Path) -> Iterator[Machine]:
    with machine(ROUTER, storage_of(ROUTER, tmp_path), policy, tmp_path) as running:
        yield running


@pytest.fixture
def http(router: Machine) -> Iterator[httpx.Client]:
    app = application([router.host], router.host.metrics)
    with served(app) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def test_a_recorded_case_is_explained_in_both_languages(
    router: Machine, http: httpx.Client
) -> None:
    case = recorded("1", text="楼房倒塌，有人受伤，生命危险")
    router.send(case)
    (routed,) = router.of(CaseRouted)
    assert isinstance(routed, CaseRouted)
    answer = http.get(f"/cases/{case.case_id}/explanation")
    assert answer.status_code == 200
    told = answer.json()
    triage, evaluators = told["explanation"]["tables"]
    assert triage["rows"] == [routed.decision.row] == ["danger to life in several words"]
    assert triage["facts"] == routed.decision.facts
    assert evaluators["rows"] == [
        "whoever wrote rates the answer, or else the office that handed it over"
    ]
    assert told["explanation"]["decision"]["policy_version"] == routed.decision.policy_version
    assert told["explanation"]["due_at"]
    assert told["text"]["en"][0].startswith("Red (red), to Housing and construction")
    assert told["text"]["zh"][0].startswith("红色 (red)，交")
    # Neither subject nor text is told: facts alone are.
    assert "倒塌" not in answer.text


def test_who_may_rate_is_explained_for_the_unit_that_has_the_case_now(
    router: Machine, http: httpx.Client
) -> None:
    case = recorded("1")
    router.send(case)
    (routed,) = router.of(CaseRouted)
    assert isinstance(routed, CaseRouted)
    router.send(TransferCase(
        case_id=case.case_id, unit=routed.decision.unit, to_unit="coordinating-office", reason="-",
    ))  # fmt: skip
    told = http.get(f"/cases/{case.case_id}/explanation").json()["explanation"]
    assert told["decision"]["unit"] == routed.decision.unit
    assert told["tables"][1]["rows"] == ["an answer of the office or of the leaders"]
    assert "unit:coordinating-office" not in told["evaluators"]


def test_a_decision_is_explained_by_the_version_that_made_it(
    router: Machine, http: httpx.Client, policy: PolicyHolder, policy_file: Path
) -> None:
    case, before = recorded("1"), policy.current.version
    router.send(case)
    assert router.of(CaseRouted)
    policy.take(_applied(policy_file.read_text(encoding="utf-8") + "# another version\n"))
    assert policy.current.version != before
    told = http.get(f"/cases/{case.case_id}/explanation").json()
    assert told["explanation"]["policy_version"] == before


def test_of_a_case_that_was_decided_anew_the_newest_decision_is_explained(
    router: Machine, http: httpx.Client, policy: PolicyHolder, policy_file: Path
) -> None:
    case, before = recorded("1"), policy.current.version
    router.send(case)
    assert router.of(CaseRouted)
    content = policy_file.read_text(encoding="utf-8")
    applied = _applied(content.replace("triage:\n", f"triage:\n{TO_OFFICE}\n", 1))
    with router.host.storage.transaction(datetime.now(UTC)) as tx:
        tx.put(POLICIES, applied)
    policy.take(applied)
    for _ in range(2):
        router.send(CaseRecalled(case_id=case.case_id, record=case.record))
    assert len(router.of(CaseRouted)) == 2
    told = http.get(f"/cases/{case.case_id}/explanation").json()["explanation"]
    assert told["tables"][0]["rows"] == ["to the office"]
    assert told["decision"]["unit"] == "coordinating-office"
    assert told["policy_version"] == policy.current.version
    with router.host.storage.read() as connection:
        kept = decisions(connection, case.case_id)
    assert [(version, decision.policy_version) for version, decision in kept.items()] == [
        (1, before),
        (2, policy.current.version),
    ]


def test_a_version_that_was_never_applied_here_is_named(
    router: Machine, http: httpx.Client, policy: PolicyHolder
) -> None:
    case = recorded("1")
    router.send(case)
    [routed] = router.of(CaseRouted)
    assert isinstance(routed, CaseRouted)
    elsewhere = routed.decision.but(policy_version="elsewhere@000000000000")
    with router.host.storage.transaction(datetime.now(UTC)) as tx:
        tx.append(DECISIONS, case.case_id, 2, elsewhere.to_bytes())
    answer = http.get(f"/cases/{case.case_id}/explanation")
    assert (answer.status_code, answer.headers["content-type"]) == (
        404,
        "application/problem+json",
    )
    problem = answer.json()["problems"][0]
    assert problem["code"] == "unknown-policy-version"
    assert "elsewhere@000000000000" in problem["message"]
    assert policy.current.version in problem["message"]


def _applied(content: str) -> PolicyVersion:
    mark, now = checksum(content), datetime.now(UTC)
    return PolicyVersion(
        number=9,
        version=f"message-board@{mark[:12]}",
        checksum=mark,
        content=content,
        by="tests",
        at=now,
        effective_at=now,
    )


def test_an_unknown_case_is_not_found(http: httpx.Client) -> None:
    assert http.get("/cases/nobody/explanation").status_code == 404


def test_the_decision_is_kept_once_however_often_the_case_is_heard(router: Machine) -> None:
    case = recorded("1")
    for _ in range(2):
        router.send(case)
    assert len(router.of(CaseRouted)) == 1
    with router.host.gateway.read() as connection:
        assert len(connection.execute(DECISIONS.table.select()).all()) == 1
