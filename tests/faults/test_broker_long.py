"""As test_broker.py: what takes longer, because a broker or a clock does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import httpx
import pytest

from shared.bus.topology import DELIVERIES, queue_name
from tests.faults.broker_deadly import one_case_kills_the_router
from tests.faults.broker_house import BrokerHouse, broker_house, until

pytestmark = [pytest.mark.faults_long, pytest.mark.timeout(600)]

READERS = ("router", "deadline", "evaluation", "notify", "ledger")
HEARTBEAT = 5


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerHouse]:
    """One house for these tests, which leave it in good order."""
    with broker_house(tmp_path_factory.mktemp("house"), heartbeat=HEARTBEAT) as made:
        yield made


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 MB in memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_broker_that_is_stopped_in_an_orderly_way_and_started_again(house: BrokerHouse) -> None:
    with house.load(200):
        sleep(0.3)
        house.broker.stop()
        house.broker.start()
    house.check()


def test_a_broker_that_is_killed_again_and_again(house: BrokerHouse) -> None:
    with house.load(400):
        for _ in range(3):
            sleep(1)
            house.broker.kill()
            house.broker.start()
    house.check()


def test_a_way_that_leads_nowhere_without_a_word_is_left_and_tried_anew(
    house: BrokerHouse,
) -> None:
    before = house.metric("router", "concentric_connection_losses_total")
    house.wire.swallow()
    with house.load(100):
        until(lambda: len(house.problems()) == len(house.running), "somebody noticed nothing")
        assert (
            "silent" in house.problems()["ledger"] or "says nothing" in house.problems()["ledger"]
        )
        house.wire.mend()
    house.check()
    assert house.metric("router", "concentric_connection_losses_total") >= before + 2


def test_queues_that_were_deleted_under_a_house_at_rest_are_there_before_the_next_message(
    house: BrokerHouse,
) -> None:
    until(house.at_rest, "something was still on its way")
    with house.stopped(*READERS):
        with house.stranger() as channel:
            for name in READERS:
                channel.queue_delete(queue_name(name))
        house.submit(40)
        until(lambda: house.said("intake", "nobody is bound to case.recorded"), "nobody said so")
        until(lambda: queue_name("router") in house.waiting(), "the queues were not declared anew")
    house.check()


def test_a_broker_short_of_disk_takes_nothing_and_the_house_goes_on_recording(
    house: BrokerHouse,
) -> None:
    house.broker.control("set_disk_free_limit", "100000GB")
    try:
        house.submit(60)
        until(lambda: "intake" in house.problems(), "the alarm did not show in /readyz")
        assert "takes no messages: low on disk; make room" in house.problems()["intake"]
        # Longer than a blocked connection is kept: the next one is blocked as well.
        sleep(40)
        house.submit(20)
        assert httpx.get(f"{house.running['intake'].url}/books").json()["intake"]["outbox"] > 0
    finally:
        house.broker.control("set_disk_free_limit", "1MB")
    house.check()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_broker_whose_disk_is_full_and_that_is_started_again_once_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    with broker_house(tmp_path, data=small_disk) as house:
        house.broker.control("set_disk_free_limit", "1")  # no alarm: it runs into the wall
        house.submit(40)
        with (small_disk / "filler").open("wb", buffering=0) as filler:
            subprocess.run(
                ["dd", "if=/dev/zero", f"of={filler.name}", "bs=1M"],
                check=False,
                capture_output=True,
            )
        house.submit(400)
        until(
            lambda: (
                httpx.get(f"{house.running['intake'].url}/books").json()["intake"]["outbox"] > 0
            ),
            "the disk was not full",
        )
        (small_disk / "filler").unlink()
        house.broker.kill()
        house.broker.start()
        house.check()


def test_the_process_that_one_message_kills_twenty_times_does_all_the_others(
    house: BrokerHouse,
) -> None:
    one_case_kills_the_router(house, limit=DELIVERIES)
