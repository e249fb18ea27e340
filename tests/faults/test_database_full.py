"""A database whose disk is full: nothing is accepted that is not kept, and room mends it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from tests.support.audited import all_closed, audited
from tests.support.caseload import case
from tests.support.installation import installed
from tests.support.processes import Process, house
from tests.support.servers import Server, fresh
from tests.support.servers.postgres import PrivatePostgres
from tests.support.small_disk import small_disk

pytestmark = pytest.mark.timeout(200)


def test_a_house_on_a_full_disk_goes_on_once_there_is_room(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    with small_disk(folder, 24) as disk, house(folder) as up:
        assert all(_hand_in(up, number).is_success for number in range(20))
        disk.fill()
        numbers = count(20)
        # the write-ahead log may have some room left in itself
        refused = next(answer for n in numbers if not (answer := _hand_in(up, n)).is_success)
        assert refused.status_code == 503
        assert "full" in refused.text
        _until(lambda: "full" in httpx.get(f"{up.url}/readyz", timeout=10).text)
        disk.make_room()
        # it has not ended, and everybody is told 503 until its next try
        _until(lambda: httpx.get(f"{up.url}/readyz", timeout=10).status_code == 200)
        given = next(numbers)
        assert all(_hand_in(up, number).is_success for number in range(given))
        books = audited(folder)
        assert {book["recorded"] for book in books.values()} == {given}


@pytest.mark.faults_long
def test_a_postgresql_on_a_full_disk_is_waited_for(rabbitmq: Server, tmp_path: Path) -> None:
    server = PrivatePostgres()
    with small_disk(server.folder, 160) as disk, fresh.vhost(rabbitmq) as amqp:
        try:
            server.start()
            with installed(tmp_path, amqp, server.url) as installation:
                with installation.busy():
                    installation.some_close()
                    running = installation.running.values()
                    disk.fill()
                    _until(lambda: any("No space left" in each.said for each in running))
                    sleep(5)
                    disk.make_room()
                    server.kill()  # it may have ended by itself: its log, too, needs room
                    server.start()
                    installation.some_close()
                installation.load.wait_closed()
                all_closed(tmp_path, server.url, len(installation.load.submitted))
        finally:
            server.close()


def _hand_in(up: Process, number: int) -> httpx.Response:
    return httpx.post(f"{up.url}/commands/submit-case", json=case(number), timeout=30)


def _until(holds: Callable[[], bool]) -> None:
    until = monotonic() + 60
    while not holds():
        assert monotonic() < until, "not within a minute"
        sleep(0.05)
