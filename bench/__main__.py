"""Measure closed-loop cases: `python -m bench` (by `make bench`, which brings the servers).

Prints a table and, with --json FILE, writes the figures. All are of one run on one machine: compare
the ratios to the yardstick, not seconds from two machines.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.doors import QueueDoor, RemoteDoor
from bench.inside import inside
from bench.journal import journal_in
from bench.loop import BATCH, Journal, Loop
from bench.measure import Burst, Meter
from bench.rounds import Variant, Yardstick, by_turns, say
from tests.support import servers
from tests.support.processes import services
from tests.support.servers import fresh

RATE = 20.0
"""Cases per second of the latency run."""

PACKED = 50
"""Commands that a client which has many at hand puts into one message."""

WARM = 300
"""Cases by which a client warms up."""

PARTS = "python", "broker", "database"
"""Whose processor time is told."""

Opening = Callable[[], RemoteDoor | QueueDoor]


@dataclass
class Paces:
    """Of all bursts of a variant."""

    cases_per_second: float
    """The median."""
    ratio: float
    """To the yardstick right before and after; the median."""
    ratios: list[float]


@dataclass
class Figures:
    """What one variant did."""

    name: str
    closed: Paces
    """Until the last case of a burst was closed."""
    entered: Paces | None = None
    """Until the ledger had entered all of it."""
    cpu_ms_per_case: dict[str, float] | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    peak_mb: float | None = None


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--cases", type=int, default=6000, help="cases of a burst")
    parser.add_argument("--rounds", type=int, default=5, help="bursts of each variant")
    parser.add_argument("--seconds", type=float, default=15, help="length of a latency run")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    figures = _run(options.cases, options.rounds, int(options.seconds * RATE))
    _show(figures)
    if options.json:
        facts = {"machine": platform.platform(), "python": platform.python_version()}
        options.json.write_text(
            json.dumps({**facts, "figures": [asdict(each) for each in figures]}, indent=2)
        )


def _run(cases: int, rounds: int, singles: int) -> list[Figures]:
    with servers.rabbitmq() as broker, servers.postgres() as database:
        yardstick = Yardstick(broker, database)
        yardstick.look(200)  # the first declares, allocates, warms up
        yardstick.storing.clear()
        with inside() as house, fresh.vhost(broker) as amqp, fresh.database(database) as url:
            say(f"in one process: {singles} cases at {RATE:.0f}/s")
            os.sync()  # to write out what servers and yardstick left behind is no part of it
            took = house.latency(singles, RATE)
            variants = [Variant("in one process", house.burst, took)]
            with _remote(amqp, url, singles) as others:
                variants += others
                by_turns(variants, yardstick, cases, rounds)
    passing = median(yardstick.storing) / median(yardstick.passing)
    return [
        Figures("chain, storing", Paces(cases / median(yardstick.storing), 1, [])),
        Figures("chain, storing nothing", Paces(cases / median(yardstick.passing), passing, [])),
        *(_figures(variant, cases) for variant in variants),
    ]


@contextmanager
def _remote(amqp: str, url: str, singles: int) -> Iterator[list[Variant]]:
    """Six services on both servers, and the ways into them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        services(Path(folder), amqp, url) as running,
        journal_in(url) as journal,
    ):
        pids = [process.pid for process in running.values()]
        meter = partial(Meter, pids, {"broker": amqp, "database": url})
        urls = {name: process.url for name, process in running.items()}
        doors: Mapping[str, Opening] = {
            f"HTTP, {BATCH} a request": partial(RemoteDoor, urls, amqp),
            f"queued, {PACKED} a message": partial(QueueDoor, amqp, PACKED),
            "queued one by one": partial(QueueDoor, amqp, 1),
        }
        # Light load first: what many cases leave behind, such as dirty pages, is no part of it.
        yield [
            Variant(
                name, partial(_burst, door, journal, meter), _singly(door, journal, name, singles)
            )
            for name, door in doors.items()
        ]


def _singly(opening: Opening, journal: Journal, name: str, singles: int) -> list[float]:
    say(f"RabbitMQ and PostgreSQL, {name}: {singles} cases at {RATE:.0f}/s")
    with closing(opening()) as door:  # one after the other: they listen at one queue
        Loop(door, journal).throughput(WARM)
        os.sync()
        return Loop(door, journal).latency(singles, RATE)


def _burst(opening: Opening, journal: Journal, meter: Callable[[], Meter], cases: int) -> Burst:
    with closing(opening()) as door:
        Loop(door, journal).throughput(WARM)
        running = meter()
        pace = Loop(door, journal).throughput(cases)
        return pace, running.stop()


def _figures(variant: Variant, cases: int) -> Figures:
    return Figures(
        variant.name,
        _paces(variant, "closed", cases),
        _paces(variant, "entered", cases),
        cpu_ms_per_case={
            part: used / cases * 1000 for part, used in variant.processor_seconds().items()
        },
        p50_ms=variant.latency(0.5) * 1000,
        p99_ms=variant.latency(0.99) * 1000,
        peak_mb=max(usage.peak_mb for _, usage in variant.bursts),
    )


def _paces(variant: Variant, what: str, cases: int) -> Paces:
    ratios = variant.ratios(what)
    return Paces(cases / variant.seconds(what), median(ratios), ratios)


def _show(figures: list[Figures]) -> None:
    table = Table(
        box=SIMPLE_HEAD,
        title="Closed loop: recorded → routed → answered → rated → closed",
        caption=f"p50, p99: ms at {RATE:.0f} cases/s; the others in bursts; CPU: ms a case",
    )
    paces = "closed/s", "× chain", "entered/s", "× chain"
    for column in ("", *paces, "p50", "p99", *PARTS, "MB"):
        table.add_column(column, justify="right" if table.columns else "left", no_wrap=True)
    for each in figures:
        cpu = each.cpu_ms_per_case or {}
        table.add_row(
            each.name,
            *_pace(each.closed),
            *_pace(each.entered),
            *(f"{value:.0f}" if value else "" for value in (each.p50_ms, each.p99_ms)),
            *(f"{cpu[part]:.2f}" if part in cpu else "" for part in PARTS),
            f"{each.peak_mb:.0f}" if each.peak_mb else "",
        )
    # a file has no width of its own
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _pace(paces: Paces | None) -> tuple[str, str]:
    """Cases a second; the ratio, its least and its greatest."""
    if paces is None:
        return "", ""
    spread = f" ({min(paces.ratios):.2f}–{max(paces.ratios):.2f})" if paces.ratios else ""
    return f"{paces.cases_per_second:,.0f}", f"{paces.ratio:.2f}{spread}"


if __name__ == "__main__":
    main()
