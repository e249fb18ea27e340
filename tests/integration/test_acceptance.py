"""The acceptance clock in a whole house: it starts anew for the unit that gets the case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.deadline.store import CLOCKS
from shared.domain.aggregates import Clocks
from shared.domain.commands import AcceptCase, PauseClock, ReturnCase, TransferCase
from shared.domain.errors import Conflict
from tests.support.lived import LivedHouse


@pytest.fixture
def house(tmp_path: Path) -> Iterator[LivedHouse]:
    opened = LivedHouse(tmp_path)
    opened.house.start()
    try:
        yield opened
    finally:
        opened.house.stop()


def clocks(house: LivedHouse, case: str) -> Clocks:
    house.quiet()
    return house.house.hosts["deadline"].gateway.fetch(CLOCKS, case)


def test_a_transfer_and_a_return_start_it_anew_and_the_answer_stays_due(house: LivedHouse) -> None:
    case = house.submit("new")
    at_first = clocks(house, case)
    unit = at_first.unit
    house._do("router", AcceptCase(case_id=case, unit=unit))
    assert clocks(house, case).accepted_at is not None
    house.ahead = timedelta(days=20)
    house._do("router", TransferCase(case_id=case, unit=unit, to_unit="dispatch", reason="bills"))
    moved = clocks(house, case)
    assert (moved.unit, moved.accepted_at, moved.due_at) == ("dispatch", None, at_first.due_at)
    assert moved.accept_due_at is not None
    assert moved.given_at is not None
    assert at_first.accept_due_at is not None
    assert moved.accept_due_at > moved.given_at > at_first.accept_due_at
    house.ahead = timedelta(days=21)
    house._do("router", ReturnCase(case_id=case, unit="dispatch", reason="not ours"))
    returned = clocks(house, case)
    assert returned.given_at is not None
    assert returned.given_at > moved.given_at


def test_the_policys_rights_hold_in_the_house(house: LivedHouse) -> None:
    case = house.submit("paused")
    unit = clocks(house, case).unit
    with pytest.raises(Conflict, match=r"who may: .* or 'dispatch'"):
        house._do("deadline", PauseClock(case_id=case, unit=unit, reason="planned-outage"))
    house._do("deadline", PauseClock(case_id=case, unit="dispatch", reason="planned-outage"))
    assert clocks(house, case).pause is not None
