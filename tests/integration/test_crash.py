"""kill -9 in the middle of a load: nothing is lost, nothing happens twice, the books balance."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from services.embedded.catalogue import NAMES
from shared.domain.ids import case_id
from tests.support.cases import plain_case
from tests.support.processes import Process, concentric, environment, house, services

CASES = 600
BATCH = 25
PATIENCE = 60.0

pytestmark = pytest.mark.timeout(300)


def test_the_house_in_one_process_survives_kill_9(url: str | None, tmp_path: Path) -> None:
    with house(tmp_path, url) as up, _load(dict.fromkeys(NAMES, up)) as load:
        for _ in range(4):
            sleep(0.4)
            up.kill()
            up.start()
        load.finish()
        _all_is_well(tmp_path, url)


def test_every_service_on_rabbitmq_survives_kill_9(
    url: str | None, vhost: str, tmp_path: Path
) -> None:
    with services(tmp_path, vhost, url) as running, _load(running) as load:
        for name in NAMES:
            sleep(0.3)
            running[name].kill()
            running[name].start()
        load.finish()
        _all_is_well(tmp_path, url)


class _Load:
    """Somebody who submits cases and answers them, and who tries again when nobody answers."""

    def __init__(self, running: Mapping[str, Process]) -> None:
        self._running = running
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def finish(self) -> None:
        """Wait until everything has been submitted and answered."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            for first in range(0, CASES, BATCH):
                self._submit(range(first, first + BATCH))
            for number in range(0, CASES, 10):
                self._answer(case_id("load", str(number)))
        except Exception as error:  # noqa: BLE001 - told to whoever waits for it
            self._failure = error

    def _submit(self, numbers: range) -> None:
        answers = self._insist(
            lambda: self._post("intake", "submit-case/batch", [plain_case(n) for n in numbers])
        )
        refused = [answer["problems"] for answer in answers.json() if answer["problems"]]
        assert not refused, refused

    def _answer(self, case: str) -> None:
        """Reply to a case, once it has been routed; a reply that was lost is given again."""

        def reply() -> httpx.Response:
            where = f"{self._running['router'].url}/cases/{case}/handling"
            handling = httpx.get(where, timeout=10)
            handling.raise_for_status()
            if handling.json()["state"] == "replied":
                return handling
            body = {"case_id": case, "unit": handling.json()["unit"], "reply": "done"}
            return self._post("router", "reply-to-case", body)

        self._insist(reply)

    def _post(self, service: str, path: str, body: Any) -> httpx.Response:
        where = f"{self._running[service].url}/commands/{path}"
        answer = httpx.post(where, json=body, timeout=20)
        answer.raise_for_status()
        return answer

    def _insist(self, act: Callable[[], httpx.Response]) -> httpx.Response:
        until = monotonic() + PATIENCE
        while True:
            try:
                return act()
            except (httpx.TransportError, httpx.HTTPStatusError) as error:
                if monotonic() > until:
                    raise AssertionError("no answer for a minute") from error
                sleep(0.1)


@contextmanager
def _load(running: Mapping[str, Process]) -> Iterator[_Load]:
    load = _Load(running)
    yield load
    load._thread.join()


def _all_is_well(folder: Path, url: str | None) -> None:
    audit = subprocess.run(
        [concentric(), "audit", "--json", "--wait", "60"],
        env={**_path(), **environment(folder, url)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert audit.returncode == 0, audit.stdout + audit.stderr
    books = json.loads(audit.stdout)["services"]
    assert {name: book["recorded"] for name, book in books.items()} == dict.fromkeys(NAMES, CASES)
    closed = sum(1 for n in range(CASES) if n % 3 == 1 or n % 10 == 5)
    assert {book["closed"] for book in books.values()} == {closed}


def _path() -> dict[str, str]:
    import os

    return {"PATH": os.environ["PATH"]}
