"""A real Prometheus of the test's own, and the tool that checks its files."""

import math
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx

from tests.support.servers.install import ensured
from tests.support.servers.private import guard, release
from tests.support.servers.server import ServerError, free_ports

START = 30.0
"""Seconds that it has to answer."""


def program(name: str) -> Path:
    """`prometheus` or `promtool`, installed first where that is needed and possible.

    Raises `ServerError` that names the package where it is not.
    """

    def find() -> Path | None:
        found = shutil.which(name)
        return Path(found) if found else None

    found = ensured(find, "prometheus")
    if found is None:
        raise ServerError(
            f"There is no {name} here. Install it (Debian: apt-get install prometheus; "
            "macOS: brew install prometheus)."
        )
    return found


def promtool(*arguments: str | Path, folder: Path) -> str:
    """What promtool prints about files in a folder; fails with it where it finds a fault."""
    command = [str(program("promtool")), *map(str, arguments)]
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    said = result.stdout + result.stderr
    assert result.returncode == 0, said
    return said


class Prometheus:
    """A running Prometheus."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=10)

    def series(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query that have a number; raises what is wrong with the query.

        An expression with a mistyped metric is answered with success and no series.
        """
        response = self._client.get("/api/v1/query", params={"query": expression})
        answer = response.json()
        if answer["status"] != "success":
            raise ValueError(f"{expression}: {answer['error']}")
        result: list[dict[str, Any]] = answer["data"]["result"]
        return [each for each in result if not math.isnan(float(each["value"][1]))]

    def answers(self) -> bool:
        """Whether it is ready."""
        try:
            return self._client.get("/-/ready").status_code == 200
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    """A Prometheus that scrapes `target` (`HOST:PORT`) once a second, on data of its own."""
    [port] = free_ports(1)
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: concentric, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    command = [
        str(program("prometheus")),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    guarding = guard(process.pid)
    server = Prometheus(f"http://127.0.0.1:{port}")
    try:
        if not until(START, lambda: server.answers() or process.poll() is not None):
            raise ServerError(f"prometheus: no answer within {START:.0f} s")
        if process.poll() is not None:
            raise ServerError(f"prometheus ended:\n{(folder / 'prometheus.log').read_text()}")
        yield server
    finally:
        server.close()
        process.terminate()
        process.wait(timeout=30)
        release(guarding)


def until(seconds: float, true: Callable[[], bool]) -> bool:
    """Wait until something is so; False if it still is not after so long."""
    end = monotonic() + seconds
    while monotonic() < end:
        if true():
            return True
        sleep(0.1)
    return False
