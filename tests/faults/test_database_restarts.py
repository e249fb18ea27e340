"""PostgreSQL is killed, restarted, locked and tangled up during a load: it is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, sleep

import httpx
import psycopg
import pytest

from tests.support.installation import Installation
from tests.support.servers.postgres import PrivatePostgres
from tests.support.servers.server import libpq

pytestmark = pytest.mark.timeout(200)


@pytest.mark.parametrize("end", ["kill", pytest.param("stop", marks=pytest.mark.faults_long)])
def test_a_postgresql_that_goes_and_comes_back_costs_nothing(
    installation: Installation, own_postgres: PrivatePostgres, end: str
) -> None:
    with installation.busy():
        for away in (0.2, 2.0):
            installation.some_close()
            getattr(own_postgres, end)()
            sleep(away)
            own_postgres.start()
        installation.some_close()
    installation.all_is_well()


def test_a_service_tells_what_it_waits_for(
    installation: Installation, own_postgres: PrivatePostgres
) -> None:
    router = installation.running["router"]
    own_postgres.stop()
    try:
        body = {"case_id": "5d4e3a9c-0000-5000-8000-000000000000", "unit": "leaders-office"}
        answer = httpx.post(f"{router.url}/commands/accept-case", json=body, timeout=30)
        health = httpx.get(f"{router.url}/readyz", timeout=10)
    finally:
        own_postgres.start()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert health.status_code == 503
    assert "schema router" in health.text
    assert own_postgres.password not in health.text + answer.text
    router.wait_ready()
    installation.all_is_well()


def test_a_deadlock_is_undone_and_tried_again(
    installation: Installation, own_postgres: PrivatePostgres
) -> None:
    first, second = _two_cases(installation)
    with _locked(own_postgres, second) as other, ThreadPoolExecutor(1) as client:
        other.execute("set deadlock_timeout = '60s'")  # so that it is the service who notices
        asked = client.submit(_accept, installation, first, second)
        _wait_for_a_waiter(own_postgres)
        _lock(other, first)
        answer = asked.result()
    assert answer.status_code == 503
    assert "deadlock detected" in answer.text
    assert _accept(installation, first, second).status_code == 200
    installation.all_is_well()


@pytest.mark.faults_long
def test_a_lock_that_somebody_holds_is_not_waited_for_for_ever(
    installation: Installation, own_postgres: PrivatePostgres
) -> None:
    first, second = _two_cases(installation)
    with _locked(own_postgres, first):
        began = monotonic()
        answer = _accept(installation, first, second)
        assert 9 < monotonic() - began < 20
    assert answer.status_code == 503
    assert "lock timeout" in installation.running["router"].said
    assert _accept(installation, first, second).status_code == 200
    with installation.busy():
        installation.some_close()
        with psycopg.connect(libpq(own_postgres.url)) as other:
            other.execute("lock table router.handlings, ledger.dossiers in exclusive mode")
            sleep(25)
        installation.some_close()
    installation.all_is_well()


def _two_cases(installation: Installation) -> list[str]:
    """Two cases that are closed, in the order in which a service locks them."""
    if len(installation.load.closed) < 2:
        installation.give()
    installation.load.wait_closed()
    return sorted(installation.load.closed)[:2]


def _accept(installation: Installation, *cases: str) -> httpx.Response:
    """Accept closed cases: refused, but not before their rows were locked."""
    url = f"{installation.running['router'].url}/commands/accept-case/batch"
    bodies = [{"case_id": case, "unit": "leaders-office"} for case in cases]
    return httpx.post(url, json=bodies, timeout=60)


@contextmanager
def _locked(server: PrivatePostgres, case: str) -> Iterator[psycopg.Connection]:
    """Somebody else's transaction that holds the handling of a case."""
    with psycopg.connect(libpq(server.url)) as other:
        _lock(other, case)
        yield other


def _lock(other: psycopg.Connection, case: str) -> None:
    other.execute("select 1 from router.handlings where key = %s for update", [case])


def _wait_for_a_waiter(server: PrivatePostgres) -> None:
    """Wait until a transaction waits for another's."""
    until = monotonic() + 10
    with psycopg.connect(libpq(server.url), autocommit=True) as looker:
        while monotonic() < until:
            row = looker.execute("select count(*) from pg_locks where not granted").fetchone()
            if row and row[0]:
                return
            sleep(0.01)
    raise AssertionError("nobody waits")
