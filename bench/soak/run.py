"""A soak from beginning to end: load, strikes, draining, audit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import BoundedSemaphore, Event
from time import monotonic, sleep

from bench.soak.strikes import Site, Strike
from tests.support.audited import all_closed
from tests.support.installation import Installation, installed
from tests.support.servers.postgres import PrivatePostgres
from tests.support.servers.rabbitmq import PrivateRabbit

BATCH = 5
"""Cases of one request or one connection."""

AT_ONCE = 8
"""Clients that hand in at the same time: so many may wait while a server is away."""

PROGRESS = 10.0
"""Seconds between two lines that say how far it is."""

Say = Callable[[str], None]


@dataclass
class Report:
    """What was done, and how it ended."""

    accepted: int = 0
    closed: int = 0
    seconds: float = 0.0
    recoveries: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Seconds from each strike to the first case that came through afterwards, by kind."""
    draining: float = 0.0
    """Seconds from the load's end until every case was closed and the books agreed."""
    failure: str | None = None
    """Why it did not end well."""


def soak(folder: Path, strikes: Iterable[Strike], seconds: float, rate: float, say: Say) -> Report:
    """Run it with servers of its own; `rate` is in cases per second, `seconds` without draining.

    It ends earlier where the strikes come to an end.
    """
    broker, database = PrivateRabbit(), PrivatePostgres()
    try:
        say("RabbitMQ, PostgreSQL and six services are starting")
        broker.start()
        database.start()
        with installed(folder, broker.url, database.url) as installation:
            return endure(Site(installation, broker, database), strikes, seconds, rate, say)
    finally:
        broker.close()
        database.close()


def endure(site: Site, strikes: Iterable[Strike], seconds: float, rate: float, say: Say) -> Report:
    """The same with an installation that runs already."""
    report, load = Report(), site.installation.load
    try:
        _suffer(site, strikes, monotonic() + seconds, rate, report, say)
        _drain(site.installation, report, say)
    except AssertionError as failure:
        report.failure = f"{failure}"
    report.accepted, report.closed = len(load.submitted), len(load.closed)
    return report


def _suffer(
    site: Site, strikes: Iterable[Strike], until: float, rate: float, report: Report, say: Say
) -> None:
    began = monotonic()
    with _steady(site.installation, rate), _progress(site.installation, until, report, say):
        for strike in strikes:
            if monotonic() + strike.pause > until:
                break
            sleep(strike.pause)
            site.check_alive()
            took = site.suffer(strike)
            report.recoveries[strike.kind].append(took)
            say(f"{strike.kind} ({strike.target}): the next case came through after {took:.1f} s")
        else:
            until = 0.0
        sleep(max(0.0, until - monotonic()))
    report.seconds = monotonic() - began


def _drain(installation: Installation, report: Report, say: Say) -> None:
    say("the load has ended: everything drains")
    began = monotonic()
    installation.load.wait_closed()
    all_closed(installation.folder, installation.database, len(installation.load.submitted))
    report.draining = monotonic() - began


@contextmanager
def _steady(installation: Installation, rate: float) -> Iterator[None]:
    """So many cases a second, half of them over HTTP and half over AMQP."""
    enough, free = Event(), BoundedSemaphore(AT_ONCE)

    def give(numbers: list[int], over: str) -> None:
        try:
            installation.load.submit(numbers, over=over)
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            installation.load.failures.append(error)
        finally:
            free.release()

    def go_on(givers: ThreadPoolExecutor) -> None:
        round_ = 0
        while not enough.wait(BATCH / rate):
            if not free.acquire(timeout=1.0):
                continue
            numbers = [next(installation.numbers) for _ in range(BATCH)]
            givers.submit(give, numbers, ("http", "amqp")[round_ % 2])
            round_ += 1

    with ThreadPoolExecutor(AT_ONCE) as givers, ThreadPoolExecutor(1) as clock:
        going = clock.submit(go_on, givers)
        try:
            yield
        finally:
            enough.set()
            going.result()


@contextmanager
def _progress(installation: Installation, until: float, report: Report, say: Say) -> Iterator[None]:
    enough = Event()

    def go_on() -> None:
        while not enough.wait(PROGRESS):
            load, left = installation.load, max(0.0, until - monotonic())
            struck = sum(map(len, report.recoveries.values()))
            say(
                f"{left:.0f} s to go · {len(load.submitted)} accepted · {len(load.closed)} closed"
                f" · {struck} strikes"
            )

    with ThreadPoolExecutor(1) as clock:
        going = clock.submit(go_on)
        try:
            yield
        finally:
            enough.set()
            going.result()
