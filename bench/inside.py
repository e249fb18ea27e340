"""The house in one process, measured in a process of its own: nothing else is in its memory."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bench.measure import Burst, Meter

WARM = 300
"""Cases after which every statement is prepared and every module loaded."""


class Inside:
    """A house in another process, told what to do."""

    def __init__(self, line: Connection) -> None:
        self._line = line

    def latency(self, cases: int, rate: float) -> list[float]:
        """Sorted seconds that single cases took which came at this rate per second."""
        took: list[float] = self._ask(cases, rate)
        return took

    def burst(self, cases: int) -> Burst:
        """Run so many cases through the whole loop."""
        burst: Burst = self._ask(cases, None)
        return burst

    def _ask(self, *order: float | None) -> Any:
        self._line.send(order)
        try:
            return self._line.recv()
        except EOFError as error:
            raise RuntimeError("the embedded house failed; its trace stands above") from error


@contextmanager
def inside() -> Iterator[Inside]:
    """A fresh process with a house in it that has handled a few cases."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_live, args=(there,))
    process.start()
    there.close()
    try:
        yield Inside(here)
    finally:
        here.close()
        process.join()


def _live(line: Connection) -> None:
    from bench.doors import EmbeddedDoor  # noqa: PLC0415 - only the child's memory counts
    from bench.journal import journal_of  # noqa: PLC0415
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
            loop = partial(Loop, EmbeddedDoor(house), journal_of(house))
            loop().throughput(WARM)
            with suppress(EOFError):  # whoever gives orders has gone
                while True:
                    cases, rate = line.recv()
                    if rate:
                        line.send(loop().latency(cases, rate))
                    else:
                        meter = Meter([os.getpid()])
                        pace = loop().throughput(cases)
                        line.send((pace, meter.stop()))
