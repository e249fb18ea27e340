"""Concentric as real processes, all services in one or each on its own, to be killed at will."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import httpx

from services.embedded.catalogue import NAMES
from tests.support.machine import POLICIES
from tests.support.servers.server import free_ports

START = 90.0
"""Seconds that a process has to become ready, on a machine that does other things as well."""


class Process:
    """One process of Concentric with its HTTP address; it can be killed and started again."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = command
        [self._port] = free_ports(1)
        self._environment = {**os.environ, **environment, "CONCENTRIC_PORT": str(self._port)}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The running process's id."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start without waiting."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=log
            )

    def wait_ready(self) -> None:
        """Wait until everything that it needs is there; raises with its log otherwise."""
        assert self._process is not None
        until = monotonic() + START
        while monotonic() < until and self._process.poll() is None:
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            sleep(0.05)
        log = self._log.read_text(errors="replace")[-3000:]
        raise AssertionError(f"{' '.join(self._command)} did not become ready:\n{log}")

    def start(self) -> None:
        """Start and wait until ready."""
        self.launch()
        self.wait_ready()

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        assert self._process is not None
        return self._process.poll()

    @property
    def said(self) -> str:
        """Its log so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        shown = httpx.get(f"{self.url}/metrics", timeout=10).text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in shown if re.match(rf"{name}\b", line))

    def wait_ended(self) -> int:
        """Wait until it has ended by itself; its exit code."""
        assert self._process is not None
        return self._process.wait(timeout=START)

    def kill(self) -> None:
        """End it as a power cut would, by SIGKILL."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=40)


@contextmanager
def house(folder: Path, database: str | None = None) -> Iterator[Process]:
    """`concentric up` on a data folder, ready; killed at the end if it is still there."""
    process = Process([concentric(), "up"], environment(folder, database), folder / "up.log")
    process.start()
    try:
        yield process
    finally:
        process.kill()


def service(
    folder: Path,
    amqp: str,
    database: str | None,
    name: str,
    *,
    replica: str = "",
    afflicted: bool = False,
) -> Process:
    """A service as a process on RabbitMQ, not started yet.

    An `afflicted` one (`tests.support.afflicted`) has the troubles that the test writes down.
    """
    module = ["tests.support.afflicted", name] if afflicted else [f"services.{name}"]
    common = environment(folder, database) | {"AMQP_URL": amqp}
    return Process([sys.executable, "-m", *module], common, folder / f"{name}{replica}.log")


@contextmanager
def services(
    folder: Path, amqp: str, database: str | None = None, *, afflicted: bool = False
) -> Iterator[Mapping[str, Process]]:
    """Each service as a process on RabbitMQ, ready; killed at the end."""
    running = {name: service(folder, amqp, database, name, afflicted=afflicted) for name in NAMES}
    with started(running):
        yield running


@contextmanager
def started(running: Mapping[str, Process]) -> Iterator[None]:
    """Processes that are ready; killed at the end."""
    try:
        for process in running.values():
            process.launch()
        for process in running.values():
            process.wait_ready()
        yield
    finally:
        for process in running.values():
            process.kill()


def environment(folder: Path, database: str | None) -> dict[str, str]:
    """The settings of an installation of the test's own."""
    return {
        "CONCENTRIC_DATA": str(folder),
        "CONCENTRIC_POLICY": str(POLICIES / "message-board.yaml"),
        "CONCENTRIC_LOG_LEVEL": "warning",
        "DATABASE_URL": database or "",
        "AMQP_URL": "",
    }


def concentric() -> str:
    """The installed command, beside the interpreter that runs the tests."""
    return str(Path(sys.executable).with_name("concentric"))
