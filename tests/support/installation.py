"""Six processes under a load of whole cases, and the proof of their books."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Event
from time import monotonic, sleep

from tests.support.audited import all_closed
from tests.support.caseload import CaseLoad
from tests.support.processes import Process, services

BATCH = 10
"""Cases handed in at once."""

UNDER_WAY = 50
"""Cases that are open at a time, about."""


@dataclass
class Installation:
    """The processes, and the cases that they have been given so far."""

    folder: Path
    database: str
    running: Mapping[str, Process]
    load: CaseLoad
    numbers: Iterator[int] = field(default_factory=count)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Cases go on coming in, over both ways."""
        enough = Event()

        def give() -> None:
            while not enough.wait(0.05):
                if len(self.load.open) < UNDER_WAY:
                    self.give()

        with ThreadPoolExecutor(1) as giver:
            giving = giver.submit(give)
            try:
                yield
            finally:
                enough.set()
        giving.result()

    def give(self) -> None:
        """Some cases over HTTP, and as many over AMQP."""
        for over in ("http", "amqp"):
            self.load.submit([next(self.numbers) for _ in range(BATCH)], over=over)

    def some_close(self, seconds: float = 60.0) -> None:
        """Wait until a case is closed that was not when this was called."""
        before, until = len(self.load.closed), monotonic() + seconds
        while len(self.load.closed) <= before:
            assert monotonic() < until, f"no case was closed in {seconds:.0f} s"
            sleep(0.02)

    def all_is_well(self) -> None:
        """Everything drains, everything is closed, and the books say so exactly."""
        self.load.wait_closed()
        all_closed(self.folder, self.database, len(self.load.submitted))


@contextmanager
def installed(
    folder: Path, amqp: str, database: str, *, afflicted: bool = False
) -> Iterator[Installation]:
    """An installation that is ready."""
    with (
        services(folder, amqp, database, afflicted=afflicted) as running,
        CaseLoad({name: each.url for name, each in running.items()}, amqp) as load,
    ):
        yield Installation(folder, database, running, load)
