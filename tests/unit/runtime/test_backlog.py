"""A backlog is full at its bound, and has room again only well below it."""

from __future__ import annotations

import pytest

from shared.domain.errors import Overloaded
from shared.runtime.backlog import RETRY, Backlog, Bounds
from shared.storage.messaging import OutboxRow


def rows(number: int, size: int = 10) -> list[OutboxRow]:
    return [OutboxRow(f"{each}", "case.recorded", b"x" * size, "text") for each in range(number)]


class Told:
    """A backlog of at most 10 messages and 1000 bytes, and what it told of its changes."""

    def __init__(self) -> None:
        self.changes: list[bool] = []
        self.backlog = Backlog(Bounds(10, 1000), self.changes.append)


@pytest.fixture
def told() -> Told:
    return Told()


def test_it_takes_on_work_until_so_many_wait(told: Told) -> None:
    told.backlog.committed(rows(9))
    told.backlog.admit()
    told.backlog.committed(rows(1))
    with pytest.raises(Overloaded, match="10 messages") as turned_away:
        told.backlog.admit()
    assert turned_away.value.seconds == RETRY
    assert told.changes == [True]


def test_it_is_full_by_bytes_as_well(told: Told) -> None:
    told.backlog.committed(rows(2, size=500))
    assert told.backlog.full
    told.backlog.confirmed(rows(1, size=500))
    assert not told.backlog.full


def test_it_opens_again_only_below_four_fifths(told: Told) -> None:
    told.backlog.committed(rows(10))
    told.backlog.confirmed(rows(2))
    assert told.backlog.full, "8 of 10"
    told.backlog.confirmed(rows(1))
    told.backlog.admit()
    assert told.changes == [True, False], "each change is told once"


def test_a_count_of_the_table_outweighs_what_was_reckoned(told: Told) -> None:
    told.backlog.committed(rows(3))
    told.backlog.counted(10, 100)
    assert told.backlog.full, "a replica has filled it"
    told.backlog.counted(0, 0)
    assert not told.backlog.full
    told.backlog.confirmed(rows(5))
    told.backlog.committed(rows(9))
    assert not told.backlog.full, "what others published does not count below nothing"
