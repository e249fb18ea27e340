"""Each service as a process of its own, started and stopped together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import FrameType

import typer

from services.embedded.catalogue import NAMES
from shared.settings import Settings


def run_all(first_port: int) -> None:
    """Start every service and wait; should one end, all end."""
    Settings.read().amqp()  # says at once if there is no broker to talk to
    running = {name: _start(name, first_port + index) for index, name in enumerate(NAMES)}
    for index, name in enumerate(NAMES):
        typer.echo(f"{name:12} http://127.0.0.1:{first_port + index}", err=True)

    def stop(_number: int, _frame: FrameType | None) -> None:
        for process in running.values():
            process.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    ended, _ = os.wait()
    stop(0, None)
    codes = {name: process.wait() for name, process in running.items() if process.pid != ended}
    if any(codes.values()):
        raise typer.Exit(1)


def _start(name: str, port: int) -> subprocess.Popen[bytes]:
    environment = {
        "CONCENTRIC_PUBLIC_URL": f"http://127.0.0.1:{port}",
        **os.environ,
        "CONCENTRIC_PORT": str(port),
    }
    command = [sys.executable, "-m", f"services.{name}"]
    return subprocess.Popen(command, env=environment)  # noqa: S603 - our own services
