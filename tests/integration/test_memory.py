"""How much memory the house takes: what docs/operations.md promises to whoever sizes machines."""

from __future__ import annotations

import sys
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from bench.measure import resident_mb
from services.embedded.catalogue import NAMES
from tests.support.processes import house, services

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the memory")

ONE_SERVICE, WHOLE_HOUSE = 90, 150
"""MB resident."""

CASES, BATCH = 2800, 400


def test_a_service_just_started_stays_under_its_limit(
    tmp_path: Path, vhost: str, database: str
) -> None:
    with services(tmp_path, vhost, database) as running:
        for name in NAMES:
            assert httpx.get(f"{running[name].url}/metrics").status_code == 200
        most = {name: round(resident_mb(running[name].pid, peak=True)) for name in NAMES}
    assert max(most.values()) < ONE_SERVICE, most


def test_the_house_in_one_process_stays_under_its_limit_under_load(tmp_path: Path) -> None:
    with house(tmp_path) as up, httpx.Client(base_url=up.url, timeout=60) as http:
        for first in range(0, CASES, BATCH):
            batch = [_case(number) for number in range(first, first + BATCH)]
            answers = http.post("/commands/submit-case/batch", json=batch).json()
            assert all(answer["events"] for answer in answers)
        _wait_until_quiet(http)
        assert http.get("/report").json()["cases"] == CASES
        most = round(resident_mb(up.pid, peak=True))
    assert most < WHOLE_HOUSE, most


def _case(number: int) -> dict[str, object]:
    return {
        "source": "memory",
        "external_id": f"{number}",
        "channel": "message-board",
        "subject": f"路灯 {number} 不亮",
        "text": f"第 {number} 盏路灯坏了，夜里看不见路。" * 20,
        "informant": {"ref": f"caller-{number}"},
    }


def _wait_until_quiet(http: httpx.Client) -> None:
    """Until the ledger knows every case and nobody has anything left to send."""
    until = monotonic() + 60
    while monotonic() < until:
        waiting = sum(books["outbox"] for books in http.get("/books").json().values())
        if not waiting and http.get("/report").json()["cases"] == CASES:
            return
        sleep(0.2)
    raise AssertionError("the house did not come to rest")
