"""The embedded house, measured in a process of its own so that nothing else is in its memory."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from bench.measure import Meter, Usage

Outcome = tuple[float, list[float], Usage]
"""Seconds of the throughput run, seconds of each single case, and what was used."""


def in_own_process(cases: int, singles: int, rate: float = 20.0) -> Outcome:
    """Run both measurements in a fresh process."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_measure, args=(there, cases, singles, rate))
    process.start()
    there.close()
    try:
        outcome: Outcome = here.recv()
    except EOFError as error:
        raise RuntimeError("the embedded house failed; its trace stands above") from error
    finally:
        process.join()
    return outcome


def _measure(answer: Connection, cases: int, singles: int, rate: float) -> None:
    from bench.doors import EmbeddedDoor  # noqa: PLC0415 - only the child's memory counts
    from bench.loop import Loop  # noqa: PLC0415
    from services.embedded.house import running  # noqa: PLC0415
    from shared.observe import logs  # noqa: PLC0415
    from shared.settings import Settings  # noqa: PLC0415
    from tests.support.machine import POLICIES  # noqa: PLC0415

    logs.configure("warning")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.read(
            {}, data=Path(folder), policy=POLICIES / "message-board.yaml", port=8080
        )
        with running(settings) as house:
            door = EmbeddedDoor(house)
            Loop(door, "warm").throughput(min(cases, 300))
            took = Loop(door, "single").latency(singles, rate)
            meter = Meter([os.getpid()])
            seconds = Loop(door, "many").throughput(cases)
            usage = meter.stop()
        answer.send((seconds, took, usage))
