"""Measure what a stored case costs: `python -m bench.growth` (by `make bench-growth`).

Drives cases through the whole loop on RabbitMQ and PostgreSQL, multiplies what is stored, drives
as many again, and compares what a case costs. With --memory N it drives N cases instead and shows
what each service holds on the way. The exit code is 1 where a bound is broken.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import psutil
import psycopg
from psycopg import sql

from bench.doors import QueueDoor
from bench.journal import journal_in
from bench.loop import Journal, Loop
from bench.measure import Meter, resident_mb
from tests.support import servers
from tests.support.processes import Process, services
from tests.support.servers import fresh
from tests.support.servers.server import libpq

COSTS_AT_MOST = 1.2
"""How much more a case may cost among many than among few."""

GROWS_AT_MOST = 1.1
"""How much more a service may hold at the end of a long run than after its first fifth."""

WARM = 30_000
"""Cases between the checkpoint and the measurement. The first change to a page after a checkpoint
puts the whole page into PostgreSQL's log, and a case changes one of ten thousand pages in each of
a dozen indexes. Under load a page changes some thirty times before the next checkpoint."""

FEW = 10_000
PART = 5000
STEPS = 10


@dataclass(frozen=True)
class Cost:
    """What a case costs at some number of stored cases."""

    stored: int
    cpu_ms: dict[str, float]
    """By part, summed over its processes."""
    seconds: float

    @property
    def total(self) -> float:
        """Milliseconds of processor time, all parts together."""
        return sum(self.cpu_ms.values())


@dataclass(frozen=True)
class House:
    """Running services, and the way in."""

    running: Mapping[str, Process]
    door: QueueDoor
    servers: Mapping[str, str]
    journal: Journal

    def drive(self, run: str, cases: int) -> Cost:
        """Let so many cases live through the loop."""
        meter = Meter([each.pid for each in self.running.values()], self.servers)
        pace = Loop(self.door, self.journal, run).throughput(cases)
        used = meter.stop().cpu_seconds
        return Cost(0, {part: value / cases * 1000 for part, value in used.items()}, pace.entered)


def main() -> None:
    """Measure and print; exit with 1 where a bound is broken."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--stored", type=int, default=1_000_000, help="cases among which to end")
    parser.add_argument("--cases", type=int, default=5000, help="cases measured at each size")
    parser.add_argument("--memory", type=int, metavar="N", help="drive N cases, show the memory")
    given = parser.parse_args()
    with _house() as house:
        kept = _memory(house, given.memory) if given.memory else _cost(house, given)
    sys.exit(0 if kept else 1)


@contextmanager
def _house() -> Iterator[House]:
    with (
        servers.rabbitmq() as broker,
        servers.postgres() as database,
        fresh.vhost(broker) as amqp,
        fresh.database(database) as url,
        tempfile.TemporaryDirectory() as folder,
        services(Path(folder), amqp, url) as running,
        closing(QueueDoor(amqp, 50)) as door,
        journal_in(url) as journal,
    ):
        yield House(running, door, {"broker": amqp, "database": url}, journal)


def _cost(house: House, given: argparse.Namespace) -> bool:
    _fill(house, "few", FEW)
    with (
        psycopg.connect(libpq(house.servers["database"]), autocommit=True) as connection,
        _vacuumed_by_hand(connection),
    ):
        connection.execute("vacuum analyze")
        few = house.drive("among few", given.cases)
        few = _vacuumed(connection, few, given.cases)
        _tell(FEW, few)
        times = given.stored // FEW
        for schema, table in _grown(connection):
            began = perf_counter()
            _multiply(connection, schema, table, times - 1)
            _say(f"{schema}.{table} × {times} in {perf_counter() - began:.0f} s")
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
        _fill(house, "warm", WARM)
        many = house.drive("among many", given.cases)
        many = _vacuumed(connection, many, WARM + given.cases)
        _tell(given.stored, many)
    ratio = many.total / few.total
    print(f"a case among {given.stored:,} costs {ratio:.2f} × one among {FEW:,}", end="")
    print(f" (bound {COSTS_AT_MOST})")
    return ratio <= COSTS_AT_MOST


@contextmanager
def _vacuumed_by_hand(connection: psycopg.Connection) -> Iterator[None]:
    """PostgreSQL's own comes when it likes: into the middle of a measurement, or into none."""
    connection.execute("alter system set autovacuum = off")
    connection.execute("select pg_reload_conf()")
    try:
        yield
    finally:
        connection.execute("alter system reset autovacuum")
        connection.execute("select pg_reload_conf()")


def _vacuumed(connection: psycopg.Connection, cost: Cost, cases: int) -> Cost:
    """The cost with what a vacuum takes for each of the cases that have come since the last one.

    PostgreSQL by itself would wait until a fifth of the rows is new or changed. Among many that is
    several times as long as here, so that the indexes, which are gone through whole, would count
    less.
    """
    session = psutil.Process(connection.info.backend_pid).cpu_times
    before = session()
    connection.execute("vacuum")
    now = session()
    seconds = now.user + now.system - before.user - before.system
    return replace(cost, cpu_ms={**cost.cpu_ms, "vacuum": seconds / cases * 1000})


def _fill(house: House, run: str, cases: int) -> None:
    for done in range(0, cases, PART):
        house.drive(f"{run} {done}", PART)
        _say(f"{run}: {done + PART:,} of {cases:,} cases")


def _memory(house: House, cases: int) -> bool:
    early: dict[str, float] = {}
    now: dict[str, float] = {}
    for step in range(1, STEPS + 1):
        house.drive(f"part {step}", cases // STEPS)
        now = {name: resident_mb(each.pid) for name, each in house.running.items()}
        early = early if step > STEPS // 5 else now
        held = ", ".join(f"{name} {size:.0f}" for name, size in now.items())
        print(f"{step * cases // STEPS:>9,} cases: {held} MB", flush=True)
    grown = {name: now[name] / early[name] for name in now}
    worst = max(grown, key=lambda name: grown[name])
    print(f"most grown since the first fifth: {worst} × {grown[worst]:.2f}", end="")
    print(f" (bound {GROWS_AT_MOST})")
    return grown[worst] <= GROWS_AT_MOST


_ALONE = {"alembic_version", "outbox", "parked"}
"""Tables that do not grow with the cases: what lies there is on its way."""


def _grown(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """The tables that hold rows by case, of all services: by schema and name."""
    tables = connection.execute(
        "select table_schema, table_name from information_schema.tables where table_type ="
        " 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema') order by 1, 2"
    ).fetchall()
    return [
        (schema, table)
        for schema, table in tables
        if table not in _ALONE and (table == "inbox" or _rows(connection, schema, table) >= FEW)
    ]


def _rows(connection: psycopg.Connection, schema: str, table: str) -> int:
    counted = connection.execute(
        sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))
    ).fetchone()
    return int(counted[0]) if counted else 0


def _multiply(connection: psycopg.Connection, schema: str, table: str, copies: int) -> None:
    """Copy every row so often, under other ids: scattered as real ones are, alike everywhere."""
    columns = connection.execute(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = %s and table_name = %s order by ordinal_position",
        (schema, table),
    ).fetchall()
    numbered = {name for name, kind in columns if name in _NUMBERS and kind == "bigint"}
    named = {name for name, kind in columns if name in _IDS and kind == "text"}
    values = [
        sql.SQL("md5({} || copy::text)").format(sql.Identifier(name))
        if name in named
        else sql.SQL("-({} + copy::bigint * 100000000)").format(sql.Identifier(name))
        if name in numbered
        else sql.Identifier(name)
        for name, _ in columns
    ]
    connection.execute(
        sql.SQL(
            "insert into {table} ({columns}) select {values}"
            " from (select * from {table}) as one, generate_series(1, {copies}) as copy"
        ).format(
            table=sql.Identifier(schema, table),
            columns=sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns),
            values=sql.SQL(", ").join(values),
            copies=sql.Literal(copies),
        )
    )


_NUMBERS = {"seq", "first_seq"}
_IDS = {"id", "key", "case_id", "event_id", "external_id", "message_id", "token"}


def _tell(stored: int, cost: Cost) -> None:
    parts = " · ".join(f"{part} {ms:.2f}" for part, ms in cost.cpu_ms.items())
    print(f"among {stored:,}: {cost.total:.2f} CPU ms a case ({parts}), {cost.seconds:.1f} s")


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
