"""A database that takes nothing for a reason that nobody foresaw: the service goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
import sqlalchemy as sa

from services.router.service import ROUTER
from shared.domain.events import CaseRouted
from shared.policy.holder import PolicyHolder
from tests.support.machine import POLICIES, Machine, machine, recorded, storage_of


@pytest.fixture(params=["sqlite", "postgresql"])
def router(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    url = request.getfixturevalue("database") if request.param == "postgresql" else None
    policy = PolicyHolder(POLICIES / "message-board.yaml")
    with machine(ROUTER, storage_of(ROUTER, tmp_path, url), policy, tmp_path) as running:
        yield running


def test_tables_that_are_gone_cost_no_message_and_no_thread(router: Machine) -> None:
    router.send(recorded("before"))
    assert len(router.of(CaseRouted)) == 1
    _change(router, "alter table inbox rename to elsewhere")
    sender = threading.Thread(target=router.send, args=(recorded("meanwhile"),))
    sender.start()
    _until(lambda: bool(router.host.problems))
    assert sender.is_alive(), "nobody has acknowledged what could not be written"
    _change(router, "alter table elsewhere rename to inbox")
    sender.join(20)
    _until(lambda: not router.host.problems)
    assert len(router.of(CaseRouted)) == 2
    assert router.host.storage.parked() == []


def test_a_thread_that_has_ended_is_told(router: Machine) -> None:
    assert router.host.problems == []
    router.host._relay.stop(0)
    router.host._relay.join(10)
    assert router.host.problems == ["router-relay has ended, its log says why: restart the service"]


def _change(router: Machine, statement: str) -> None:
    engine = router.host.storage.backend.migrator()
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def _until(holds: Callable[[], bool]) -> None:
    until = monotonic() + 15
    while not holds() and monotonic() < until:
        sleep(0.02)
    assert holds()
