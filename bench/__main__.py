"""Measure closed-loop cases: `python -m bench` (by `make bench`, which brings the servers).

Prints a table and, with --json FILE, writes the figures. All are of one run on one machine: compare
the ratios to the yardstick, not seconds from two machines.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.doors import QueueDoor, RemoteDoor
from bench.inside import in_own_process
from bench.loop import Loop
from bench.measure import Meter, Usage
from bench.yardstick import HOPS, chain
from tests.support import servers
from tests.support.processes import services
from tests.support.servers import fresh
from tests.support.servers.server import Server

RATE = 20.0
"""Cases per second of the latency run."""

PACKED = 50
"""Commands that a client which has many at hand puts into one message."""


@dataclass
class Figures:
    """What one variant did."""

    name: str
    cases: int
    cases_per_second: float
    ratio: float | None = None
    """To the yardstick of the same run."""
    cpu_ms_per_case: dict[str, float] | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    peak_mb: float | None = None


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--cases", type=int, default=3000, help="cases of a throughput run")
    parser.add_argument("--seconds", type=float, default=15, help="length of a latency run")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    figures = _run(options.cases, int(options.seconds * RATE))
    yardstick = figures[0].cases_per_second
    for each in figures:
        each.ratio = each.cases_per_second / yardstick
    _show(figures)
    if options.json:
        facts = {"machine": platform.platform(), "python": platform.python_version()}
        options.json.write_text(
            json.dumps({**facts, "figures": [asdict(each) for each in figures]}, indent=2)
        )


def _run(cases: int, singles: int) -> list[Figures]:
    with servers.rabbitmq() as broker, servers.postgres() as database:
        with fresh.vhost(broker) as amqp, fresh.database(database) as url:
            chain(amqp, 200, url)  # the first declares, allocates, warms up
        before = _yardsticks(broker, database, cases)
        _say(f"embedded: {cases} cases, then {singles} at {RATE:.0f}/s")
        seconds, took, usage = in_own_process(cases, singles)
        embedded = _figures("embedded, SQLite", cases, seconds, took, usage)
        with fresh.vhost(broker) as amqp, fresh.database(database) as url:
            remote = _remote(amqp, url, cases, singles)
        after = _yardsticks(broker, database, cases)
    names = "pika chain, storing", "pika chain, storing nothing"
    # a shared machine changes its pace: what stands between two looks is compared to their mean
    seconds_of = [(first + last) / 2 for first, last in zip(before, after, strict=True)]
    chains = [
        Figures(name, cases, cases / seconds)
        for name, seconds in zip(names, seconds_of, strict=True)
    ]
    return [*chains, embedded, *remote]


def _yardsticks(broker: Server, database: Server, cases: int) -> tuple[float, float]:
    """Seconds of the chain that stores its cases, and of one that stores nothing."""
    _say(f"yardstick: {cases} cases through {HOPS} hops of bare pika")
    with fresh.vhost(broker) as amqp, fresh.database(database) as url:
        return chain(amqp, cases, url), chain(amqp, cases)


def _remote(amqp: str, url: str, cases: int, singles: int) -> list[Figures]:
    with (
        tempfile.TemporaryDirectory() as folder,
        services(Path(folder), amqp, url) as running,
    ):
        pids = [process.pid for process in running.values()]
        meter = partial(Meter, pids, {"broker": amqp, "database": url})
        urls = {name: process.url for name, process in running.items()}
        doors: dict[str, Callable[[], RemoteDoor | QueueDoor]] = {
            "HTTP in bulk": partial(RemoteDoor, urls, amqp),
            f"queued, {PACKED} a message": partial(QueueDoor, amqp, PACKED),
            "queued one by one": partial(QueueDoor, amqp, 1),
        }
        # Light load first: what many cases leave behind, such as dirty pages, is no part of it.
        took = {name: _singly(door, name, singles) for name, door in doors.items()}
        return [_many(door, name, meter, cases, took[name]) for name, door in doors.items()]


def _singly(make: Callable[[], RemoteDoor | QueueDoor], name: str, singles: int) -> list[float]:
    _say(f"RabbitMQ and PostgreSQL, {name}: {singles} cases at {RATE:.0f}/s")
    with closing(make()) as door:  # one after the other: they listen at one queue
        Loop(door, f"{name} warm").throughput(300)
        return Loop(door, f"{name} single").latency(singles, RATE)


def _many(
    make: Callable[[], RemoteDoor | QueueDoor],
    name: str,
    meter: Callable[[], Meter],
    cases: int,
    took: list[float],
) -> Figures:
    _say(f"RabbitMQ and PostgreSQL, {name}: {cases} cases")
    with closing(make()) as door:
        Loop(door, f"{name} warm again").throughput(min(cases, 300))
        running = meter()
        seconds = Loop(door, f"{name} many").throughput(cases)
        return _figures(f"RabbitMQ, PostgreSQL, {name}", cases, seconds, took, running.stop())


def _figures(name: str, cases: int, seconds: float, took: list[float], usage: Usage) -> Figures:
    return Figures(
        name,
        cases,
        cases / seconds,
        cpu_ms_per_case={part: used / cases * 1000 for part, used in usage.cpu_seconds.items()},
        p50_ms=took[len(took) // 2] * 1000,
        p99_ms=took[int(len(took) * 0.99)] * 1000,
        peak_mb=usage.peak_mb,
    )


def _show(figures: list[Figures]) -> None:
    table = Table(title=f"Closed loop: recorded → routed → answered → rated → closed, {RATE:.0f}/s")
    for column in ("", "cases/s", "× chain", "CPU ms/case", "p50 ms", "p99 ms", "peak MB"):
        table.add_column(column, justify="left" if not column else "right")
    for each in figures:
        cpu = each.cpu_ms_per_case or {}
        table.add_row(
            each.name,
            f"{each.cases_per_second:,.0f}",
            f"{each.ratio:.2f}",
            " · ".join(f"{part} {used:.2f}" for part, used in cpu.items()) or "–",
            *(f"{value:.0f}" if value else "–" for value in (each.p50_ms, each.p99_ms)),
            f"{each.peak_mb:.0f}" if each.peak_mb else "–",
        )
    Console().print(table)


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
