"""Measure the clocks: `python -m bench.clocks` (by `make bench-clocks`, which brings PostgreSQL).

Working days a second; a look at armed clocks of which none is due; many that are due in the same
second; open deadlines reckoned anew by another calendar. Each with its bound beside it; the exit
code is 1 where one is broken.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.table import Table

from services.deadline import logic
from services.deadline.calendars import PATIENCE
from services.deadline.service import DEADLINE
from services.deadline.store import CLOCKS
from shared.domain.aggregates import Clocks, Handling, HandlingState, Limits
from shared.domain.calendar import WorkingCalendar
from shared.runtime.handling import Timer
from shared.runtime.main import collect_rarely
from tests.support import servers
from tests.support.desk import Desk, desk
from tests.support.house import SmallPolicy
from tests.support.servers import fresh

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
BLOCK = 5000


@dataclass(frozen=True)
class Measured:
    """One figure, and what it must not exceed or fall below."""

    what: str
    value: float
    unit: str
    bound: float
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the bound is kept."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench.clocks", description=__doc__)
    parser.add_argument("--armed", type=int, default=1_000_000, help="clocks that wait")
    parser.add_argument("--due", type=int, default=10_000, help="clocks due in the same second")
    parser.add_argument("--moved", type=int, default=100_000, help="deadlines reckoned anew")
    options = parser.parse_args()
    measured = []
    collect_rarely()  # as a service does
    for each in _run(options.armed, options.due, options.moved):
        measured.append(each)
        print(f"bench: {each.what}: {each.value:,.2f} {each.unit}", file=sys.stderr, flush=True)
    table = Table(title="Clocks")
    for column in ("", "measured", "bound"):
        table.add_column(column, justify="left" if not column else "right")
    for each in measured:
        sign = "≥" if each.at_least else "≤"
        value = f"{each.value:,.2f} {each.unit}"
        style = None if each.kept else "red"
        table.add_row(each.what, value, f"{sign} {each.bound:,.0f} {each.unit}", style=style)
    Console().print(table)
    sys.exit(not all(each.kept for each in measured))


def _run(armed: int, due: int, moved: int) -> Iterator[Measured]:
    yield from _working_days(SmallPolicy().calendar)
    with servers.postgres() as server, tempfile.TemporaryDirectory() as folder:
        for name, database in (("PostgreSQL", server), ("SQLite", None)):
            with _office(database, Path(folder) / name) as office:
                yield from _quiet(office, name, armed)
            with _office(database, Path(folder) / f"{name}-due") as office:
                yield _at_once(office, name, due)
            with _office(database, Path(folder) / f"{name}-moved") as office:
                yield _another_calendar(office, name, moved)


def _working_days(calendar: WorkingCalendar) -> Iterator[Measured]:
    days = [date(2020, 1, 1).toordinal() + number % 1500 for number in range(1_000_000)]
    seconds = _timed(lambda: calendar.nth_working_days(days, 20))
    yield Measured("Nth working days, many at once", len(days) / seconds, "/s", 1e6, at_least=True)
    some = [date.fromordinal(day) for day in days[:200_000]]
    seconds = _timed(lambda: [calendar.nth_working_day(day, 20) for day in some])
    yield Measured("Nth working days, one by one", len(some) / seconds, "/s", 2e5, at_least=True)


def _quiet(office: Desk, name: str, armed: int) -> Iterator[Measured]:
    _fill(office, 1000)
    for number in sorted({1000, armed}):
        _multiply(office, number)
        looks = [_timed(lambda: _tick(office, "marks")) for _ in range(50)]
        what = f"{name}: a look at {number:,} clocks, none due"
        yield Measured(what, median(looks) * 1000, "ms", 5)


def _at_once(office: Desk, name: str, due: int) -> Measured:
    _fill(office, due)
    office.now = START + timedelta(days=3)  # the first warning of all

    def fire() -> None:
        while _tick(office, "marks"):
            pass

    return Measured(f"{name}: {due:,} due in the same second", _timed(fire), "s", 10)


def _another_calendar(office: Desk, name: str, moved: int) -> Measured:
    _fill(office, moved)
    policy = office.policy
    assert isinstance(policy, SmallPolicy)
    calendar = policy.calendar
    days = {date.fromordinal(day) for day in calendar._ordinals} - {date(2026, 3, 9)}  # noqa: SLF001
    closed = WorkingCalendar.of(days, calendar.zone, calendar.published_until)
    office.policy = replace(policy, calendar=closed)
    _tick(office, "calendar")
    office.now += PATIENCE

    def sweep() -> None:
        while _tick(office, "calendar"):
            pass

    return Measured(f"{name}: {moved:,} deadlines moved", _timed(sweep), "s", 60)


def _tick(office: Desk, name: str) -> int:
    timers: dict[str, Timer] = {timer.name: timer for timer in office.service.timers}
    return office.fire(timers[name])


def _fill(office: Desk, number: int) -> None:
    """So many clocks of cases that are due in a week."""
    handling = Handling(
        case_id="",
        version=1,
        state=HandlingState.ROUTED,
        colour="red",
        unit="north-station",
        level="branches",
        limits=Limits(reply=5),
        started_at=START,
        received_at=START,
    )
    first = logic.follow(Clocks(case_id=""), handling, office.policy)
    for begin in range(0, number, BLOCK):
        with office.storage.transaction(START) as tx:
            for case in range(begin, min(begin + BLOCK, number)):
                tx.put(CLOCKS, first.but(case_id=f"case-{case:07}"))


def _multiply(office: Desk, number: int) -> None:
    """The same clocks again under other keys, until there are so many."""
    columns = [column.name for column in CLOCKS.table.columns if column.name != "key"]
    rest = ", ".join(columns)
    with office.storage.transaction(START) as tx:
        there, turn = 1000, 0
        while there < number:
            turn += 1
            more = min(there, number - there)
            tx.connection.exec_driver_sql(
                f"insert into clocks (key, {rest})"  # noqa: S608 - names of our own columns
                f" select key || '-{turn}', {rest} from clocks limit {more}"
            )
            there += more
        if office.storage.backend.is_remote:
            tx.connection.exec_driver_sql("analyze clocks")


def _timed(run: Callable[[], object]) -> float:
    began = perf_counter()
    run()
    return perf_counter() - began


@contextmanager
def _office(server: servers.Server | None, folder: Path) -> Iterator[Desk]:
    folder.mkdir(parents=True)
    if server is None:
        with desk(DEADLINE, SmallPolicy(), START, folder) as opened:
            yield opened
        return
    with (
        fresh.database(server) as url,
        desk(DEADLINE, SmallPolicy(), START, folder, url) as opened,
    ):
        yield opened


if __name__ == "__main__":
    main()
