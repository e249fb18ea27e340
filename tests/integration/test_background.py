"""What a service does outside its transactions: its errands are committed, its failures end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic, sleep

import pytest
from structlog.testing import capture_logs

from services.router.service import ROUTER
from services.router.store import HANDLINGS
from shared.domain.aggregates import Handling
from shared.domain.errors import Unavailable
from shared.domain.events import CaseRouted, Event
from shared.runtime import background
from shared.runtime.background import Means
from shared.runtime.handling import Context
from shared.storage.tx import Tx
from tests.support.house import SmallPolicy, Unchanging, routed, routing
from tests.support.machine import Machine, machine, recorded, storage_of

Start = Callable[[Callable[[Means], None]], AbstractContextManager[Machine]]


@contextmanager
def running(folder: Path, run: Callable[[Means], None]) -> Iterator[Machine]:
    service = replace(ROUTER, background=run)
    storage = storage_of(service, folder)
    with machine(service, storage, Unchanging(SmallPolicy()), folder) as house:
        yield house


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    monkeypatch.setattr(background, "PAUSE", 0.02)
    return partial(running, tmp_path)


def until(true: Callable[[], object]) -> None:
    end = monotonic() + 10
    while not true():
        assert monotonic() < end, "it did not come about"
        sleep(0.005)


def put(handling: Handling, tx: Tx, ctx: Context) -> Sequence[Event]:
    tx.put(HANDLINGS, handling)
    return [routing(handling)]


def test_what_an_errand_writes_is_committed_and_its_events_are_published(start: Start) -> None:
    done = threading.Event()

    def run(means: Means) -> None:
        means.transact(partial(put, routed("from outside")))
        with means.read() as connection:
            assert connection.scalar(HANDLINGS.table.select()) == "from outside"
        done.set()
        means.stopping.wait()

    with start(run) as house:
        assert done.wait(10)
        assert [event.case_id for event in house.of(CaseRouted)] == ["from outside"]


def test_an_errand_that_fails_is_told_to_whoever_gave_it_and_leaves_nothing(start: Start) -> None:
    told: list[str] = []

    def fail(tx: Tx, ctx: Context) -> Sequence[Event]:
        put(routed("half done"), tx, ctx)
        raise ZeroDivisionError("a bug")

    def run(means: Means) -> None:
        try:
            means.transact(fail)
        except ZeroDivisionError as error:
            told.append(f"{error}")
        means.stopping.wait()

    with start(run) as house:
        until(lambda: told)
        house.send(recorded("after"))
        assert len(house.of(CaseRouted)) == 1
        with house.host.read() as connection:
            keys = [row.key for row in connection.execute(HANDLINGS.table.select())]
    assert keys == [recorded("after").case_id]


def test_a_background_that_fails_begins_again_and_its_log_names_nobody(start: Start) -> None:
    runs: list[int] = []

    def run(means: Means) -> None:
        runs.append(len(runs))
        if len(runs) < 3:
            raise ValueError("what Ms Li wrote")
        means.stopping.wait()

    with capture_logs() as logs, start(run):
        until(lambda: len(runs) == 3)
    failed = [entry for entry in logs if entry["event"] == "background failed"]
    assert len(failed) == 2
    assert "Ms Li" not in f"{failed}"


def test_a_stopping_service_lets_its_background_write_down_what_it_has_done(
    start: Start, tmp_path: Path
) -> None:
    def run(means: Means) -> None:
        means.stopping.wait()
        means.transact(partial(put, routed("at the end")))

    with start(run):
        pass
    storage = storage_of(ROUTER, tmp_path)
    with storage.read() as connection:
        assert connection.scalar(HANDLINGS.table.select()) == "at the end"
    storage.close()


def test_an_errand_that_comes_too_late_is_answered(start: Start) -> None:
    kept: list[Means] = []

    def run(means: Means) -> None:
        kept.append(means)
        means.stopping.wait()

    with start(run):
        until(lambda: kept)
    with pytest.raises(Unavailable):
        kept[0].transact(partial(put, routed()))
