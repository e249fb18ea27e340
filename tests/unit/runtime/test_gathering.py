"""The worker gathers events that can wait, and makes nobody wait who asks for something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from shared.bus.protocol import Subscription
from shared.domain.events import CaseClosed, RetriageRequested
from shared.runtime.inlet import LARGER, MANY, Inlet
from shared.runtime.work import Work
from tests.unit.runtime.at_work import NOW, SOON, closing, delivery, intake, submitting

LONG = 60.0
"""Seconds that no test takes: what ends before them did not wait."""


def test_what_comes_alone_is_carried_out_at_once(tmp_path: Path) -> None:
    with intake(tmp_path, LONG) as (worker, reader):
        worker.put(closing("case-1"))
        assert reader.acked(1)


def test_events_that_can_wait_and_come_soon_after_share_a_transaction(tmp_path: Path) -> None:
    with intake(tmp_path, 0.5) as (worker, reader):
        for number in range(5):
            worker.put(closing(f"case-{number}"))
            assert reader.acked(1)
        assert reader.acked(5)
        assert worker.transactions == 2


def test_whoever_asks_for_something_ends_the_waiting(tmp_path: Path) -> None:
    with intake(tmp_path, LONG) as (worker, reader):
        worker.put(closing("case-1"))
        assert reader.acked(1)
        worker.put(closing("case-2"))
        sleep(0.05)
        assert not worker.idle
        request = submitting()
        worker.put(request)
        assert len(request.answer.result(SOON)) == 1
        assert reader.acked(2)
        assert worker.transactions == 2


def test_an_event_that_others_wait_for_ends_it_as_well(tmp_path: Path) -> None:
    recall = RetriageRequested(case_id="case-1", by="i", reason="r", at=NOW)
    with intake(tmp_path, LONG) as (worker, reader):
        worker.put(closing("case-1"))
        assert reader.acked(1)
        worker.put(closing("case-2"))
        worker.put(delivery(recall))
        assert reader.acked(3)


def test_nobody_waits_any_more_once_the_bus_might_have_nothing_left_to_deliver(
    tmp_path: Path,
) -> None:
    with intake(tmp_path, LONG) as (worker, reader):
        worker.put(closing("case"))
        assert reader.acked(1)
        for number in range(MANY):
            worker.put(closing(f"case-{number}"))
        assert reader.acked(1 + MANY)
        assert worker.transactions == 2


def test_a_batch_of_what_can_wait_is_larger_by_far() -> None:
    inlet = Inlet(2, frozenset({CaseClosed.type}), 0.0)
    for number in range(2 * 2 * LARGER):
        inlet.put(closing(f"case-{number}"))
    assert len(inlet.take(0)[0]) == 2 * LARGER
    inlet.put(submitting())
    assert len(inlet.take(0)[0]) == 2 * LARGER
    assert len(inlet.take(0)[0]) == 1


def test_with_what_cannot_wait_it_is_as_large_as_any_other() -> None:
    inlet = Inlet(2, frozenset({CaseClosed.type}), 0.0)
    inlet.put(closing("case-1"))
    for _ in range(3):
        inlet.put(submitting())
    assert len(inlet.take(0)[0]) == 2
    assert len(inlet.take(0)[0]) == 2


def test_nothing_waits_where_the_senders_would_wait_for_it(tmp_path: Path) -> None:
    with intake(tmp_path, 0.0) as (worker, reader):
        worker.put(closing("case-1"))
        assert reader.acked(1)


def test_a_worker_with_nothing_to_do_sleeps_and_still_deletes_what_was_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.runtime.worker.QUIET", 0.01)
    with intake(tmp_path, 0) as (worker, _):
        parts, looks = worker._parts, list[float]()
        take = parts.inlet.take

        def looked(patience: float) -> tuple[list[Work], bool]:
            looks.append(patience)
            return take(patience)

        monkeypatch.setattr(parts.inlet, "take", looked)
        bus = parts.relay._bus
        ears = bus.subscribe(Subscription("ears", ("case.recorded",)), lambda d: ears.ack([d]))
        parts.relay.start()
        _until(lambda: parts.relay.clean)
        sleep(0.1)
        before = len(looks)
        sleep(0.3)
        assert len(looks) == before
        request = submitting()
        worker.put(request)
        request.answer.result(SOON)
        _until(lambda: parts.relay.clean)
        assert parts.storage.counts().outbox == 0


def _until(reached: Callable[[], bool]) -> None:
    end = monotonic() + SOON
    while not reached():
        assert monotonic() < end
        sleep(0.01)
