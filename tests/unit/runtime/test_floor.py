"""Services of one process compute in turns, and nobody keeps the floor who waits."""

from __future__ import annotations

import sqlite3
from concurrent.futures import wait
from contextlib import closing as to_close
from pathlib import Path
from threading import Lock

from services.embedded.house import House
from services.intake.service import INTAKE
from shared.settings import Settings
from tests.support.machine import POLICIES
from tests.unit.runtime.at_work import SOON, intake, submitting


def test_nothing_is_carried_out_while_another_has_the_floor(tmp_path: Path) -> None:
    floor, request = Lock(), submitting()
    with intake(tmp_path, floor=floor) as (worker, _):
        with floor:
            worker.put(request)
            assert not wait([request.answer], 0.2).done
        assert len(request.answer.result(SOON)) == 1


def test_who_waits_for_a_locked_file_leaves_the_floor_to_the_others(tmp_path: Path) -> None:
    floor, kept, free = Lock(), submitting(), submitting()
    with (
        intake(tmp_path / "one", floor=floor) as (one, _),
        intake(tmp_path / "other", floor=floor) as (other, _),
        to_close(sqlite3.connect(tmp_path / "one" / f"{INTAKE.name}.sqlite")) as stranger,
    ):
        stranger.isolation_level = None
        stranger.execute("begin immediate")
        one.put(kept)
        assert not wait([kept.answer], 0.2).done
        other.put(free)
        assert len(free.answer.result(SOON)) == 1
        assert not kept.answer.done()
        stranger.execute("rollback")
        assert len(kept.answer.result(SOON)) == 1


def test_a_house_on_files_has_one_floor_for_all_its_services(tmp_path: Path) -> None:
    policy = POLICIES / "message-board.yaml"
    house = House(Settings.read({}, data=tmp_path, policy=policy, port=8080))
    floors = {id(host.storage.floor) for host in house.hosts.values()}
    house.bus.close()
    for host in house.hosts.values():
        host.storage.close()
    assert len(floors) == 1
