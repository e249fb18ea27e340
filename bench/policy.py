"""Measure decisions: `python -m bench.policy` (by `make bench-policy`).

Tables like those of a policy, of 40 and of 1,000 rows, decided by this project's engine and by
zen-engine, a decision engine in Rust, in the same run on one core; then the memory over a million
decisions and a thousand reloads. Prints a table and, with --json FILE, writes the figures.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import psutil
import zen
from rich.console import Console
from rich.progress import track
from rich.table import Table as Printed

from shared.policy.engine.durable import DurableEngine
from shared.policy.engine.table import Facts, FactType, Hit, Predicate, Row, Table
from shared.policy.trying.trial import generated

SIZES = (40, 1000)
TYPES = {
    "item": FactType.TEXT,
    "customer": FactType.TEXT,
    "station": FactType.TEXT,
    "kind": FactType.TEXT,
    "affected": FactType.INTEGER,
    "repeat": FactType.BOOLEAN,
}
VALUES = {"item": 137, "customer": 9, "station": 84, "kind": 5}
"""How many values such a fact has in the bureau's policy."""

YARDSTICK = 2_000
"""Decisions of zen-engine that are timed: it is slower."""


@dataclass
class Figures:
    """What one engine did with one table."""

    name: str
    rows: int
    decisions_per_second: float
    build_ms: float


@dataclass
class Memory:
    """Resident memory of this process before and after, in MB."""

    what: str
    before: float
    after: float


def policy_like(rows: int, hit: Hit = Hit.FIRST) -> Table:
    """A table of rows like a policy's: a matter, often a customer or a station; then the rest."""
    chance = random.Random(rows)
    made = [Row(f"row {number}", tuple(_tests(chance))) for number in range(rows - 1)]
    return Table.of("bench", TYPES, (*made, Row("rest", ())), hit)


def _tests(chance: random.Random) -> Iterator[Predicate]:
    yield _one_of("item", chance.choice((1, 1, 2, 4)), chance)
    if chance.random() < 0.5:
        yield _one_of("customer", chance.choice((1, 3)), chance)
    if chance.random() < 0.4:
        yield _one_of("station", chance.choice((1, 5)), chance)
    if chance.random() < 0.4:
        yield _one_of("kind", 2, chance)
    if chance.random() < 0.2:
        yield Predicate("affected", at_least=10 ** chance.randrange(1, 4))
    if chance.random() < 0.1:
        yield Predicate("repeat", any_of=(True,))


def _one_of(fact: str, number: int, chance: random.Random) -> Predicate:
    values = chance.sample(range(VALUES[fact]), number)
    return Predicate(fact, any_of=tuple(f"{fact}-{value}" for value in values))


def measure(rows: int, decisions: int) -> Iterator[Figures]:
    """Both engines over one table, this project's with what it remembers and without."""
    table = policy_like(rows)
    sets = list(generated(table, 5_000))
    start = time.perf_counter()
    engine = DurableEngine(table)
    engine.warm()
    build = (time.perf_counter() - start) * 1000
    cold = engine.unremembered
    yield Figures("concentric, nothing remembered", rows, _rate(cold, sets, decisions), build)
    _rate(engine.decide, sets, len(sets))
    yield Figures("concentric, remembered", rows, _rate(engine.decide, sets, decisions), build)
    assert engine.fallbacks == 0
    engine.close()
    start = time.perf_counter()
    decide = yardstick(table)
    build = (time.perf_counter() - start) * 1000
    yield Figures("zen-engine", rows, _rate(decide, sets, min(decisions, YARDSTICK)), build)


def _rate(decide: Callable[[Facts], object], sets: Sequence[Facts], decisions: int) -> float:
    given = list(islice(cycle(sets), decisions))
    start = time.process_time()
    for facts in given:
        decide(facts)
    return decisions / (time.process_time() - start)


def yardstick(table: Table) -> Callable[[Facts], int]:
    """The same table in zen-engine; its decisions name the row."""
    inputs = [{"id": fact, "name": fact, "field": fact} for fact in table.types]
    content = {
        "hitPolicy": "first",
        "inputs": inputs,
        "outputs": [{"id": "row", "name": "row", "field": "row"}],
        "rules": [
            {"_id": f"{number}", "row": f"{number}", **_cells(row, table.types)}
            for number, row in enumerate(table.rows)
        ],
    }
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode"},
        {"id": "table", "name": "table", "type": "decisionTableNode", "content": content},
        {"id": "out", "name": "out", "type": "outputNode"},
    ]
    edges = [
        {"id": f"{one}-{other}", "type": "edge", "sourceId": one, "targetId": other}
        for one, other in (("in", "table"), ("table", "out"))
    ]
    decision = zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))
    return lambda facts: int(decision.evaluate(dict(facts))["result"]["row"])


def _cells(row: Row, types: Mapping[str, FactType]) -> dict[str, str]:
    cells = dict.fromkeys(types, "")
    for test in row.tests:
        if test.any_of is not None:
            cells[test.fact] = ", ".join(json.dumps(value) for value in test.any_of)
        else:
            cells[test.fact] = f">= {test.at_least}"
    return cells


def over_decisions(decisions: int, rows: int = SIZES[-1]) -> Memory:
    """Memory over so many decisions, few of them remembered, once all that is kept is full."""
    table = policy_like(rows)
    sets = [*generated(table, 20_000)]  # more than are remembered
    engine = DurableEngine(table)
    engine.warm()
    for facts in sets:
        engine.decide(facts)
    before = resident_mb()
    rounds = range(max(1, decisions // len(sets)))
    for _ in track(rounds, "decisions", console=Console(stderr=True)):
        for facts in sets:
            engine.decide(facts)
    after = resident_mb()
    engine.close()
    return Memory(f"{len(rounds) * len(sets):,} decisions, {rows:,} rows", before, after)


def over_reloads(reloads: int, rows: int = SIZES[0]) -> Memory:
    """Memory over so many engines built, asked and closed."""
    table = policy_like(rows)
    facts = next(generated(table, 1))

    def load() -> None:
        engine = DurableEngine(table)
        engine.warm()
        engine.decide(facts)
        engine.close()

    for _ in range(100):
        load()
    before = resident_mb()
    for _ in track(range(reloads), "reloads", console=Console(stderr=True)):
        load()
    return Memory(f"{reloads:,} reloads, {rows:,} rows", before, resident_mb())


def resident_mb() -> float:
    """Resident memory of this process."""
    return float(psutil.Process().memory_info().rss) / 1_000_000


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench.policy", description=__doc__)
    parser.add_argument("--decisions", type=int, default=1_000_000, help="of the memory run")
    parser.add_argument("--reloads", type=int, default=1_000, help="of the memory run")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    figures = [one for rows in SIZES for one in measure(rows, 50_000)]
    memory = [over_decisions(options.decisions), over_reloads(options.reloads)]
    _show(figures, memory)
    if options.json:
        facts: dict[str, Any] = {
            "machine": platform.platform(),
            "python": platform.python_version(),
        }
        facts["speed"] = [asdict(one) for one in figures]
        facts["memory"] = [asdict(one) for one in memory]
        options.json.write_text(json.dumps(facts, indent=2))


def _show(figures: Sequence[Figures], memory: Sequence[Memory]) -> None:
    speed = Printed(title="Decisions of one table, one core")
    for column in ("", "rows", "decisions/s", "build ms"):
        speed.add_column(column, justify="right" if column else "left")
    for one in figures:
        rate, build = f"{one.decisions_per_second:,.0f}", f"{one.build_ms:,.1f}"
        speed.add_row(one.name, f"{one.rows:,}", rate, build)
    flat = Printed(title="Resident memory")
    for column in ("", "before MB", "after MB"):
        flat.add_column(column, justify="right" if column else "left")
    for each in memory:
        flat.add_row(each.what, f"{each.before:.1f}", f"{each.after:.1f}")
    Console().print(speed, flat)


if __name__ == "__main__":
    main()
