"""A clock that jumps ahead is not believed at first sight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.runtime.clockwatch import CONFIRMATION, ClockWatch

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
YEAR = timedelta(days=365)


class Machine:
    """Time that passes when a test says so, and a clock that somebody may set."""

    def __init__(self) -> None:
        self.passed, self.set_ahead = 0.0, timedelta()
        self.watch = ClockWatch(lambda: self.passed)

    def certain_after(self, seconds: float) -> bool:
        self.passed += seconds
        return self.watch.certain(START + timedelta(seconds=self.passed) + self.set_ahead)


def test_a_clock_that_goes_as_time_does_is_believed() -> None:
    machine = Machine()
    assert all(machine.certain_after(seconds) for seconds in (0, 1, 1, 3600, 86_400))


def test_small_corrections_are_believed_even_if_they_add_up() -> None:
    machine = Machine()
    assert machine.certain_after(0)
    for _ in range(20):
        machine.set_ahead += timedelta(seconds=5)
        assert machine.certain_after(1)


def test_a_jump_ahead_is_doubted_until_the_clock_has_stayed_there() -> None:
    machine = Machine()
    assert machine.certain_after(0)
    machine.set_ahead = YEAR
    assert not machine.certain_after(1)
    assert not machine.certain_after(CONFIRMATION - 1)
    assert machine.certain_after(1)
    assert machine.certain_after(1)


def test_a_jump_that_is_taken_back_leaves_nothing_behind() -> None:
    machine = Machine()
    assert machine.certain_after(0)
    machine.set_ahead = YEAR
    assert not machine.certain_after(1)
    machine.set_ahead = timedelta()
    assert machine.certain_after(1)
    machine.set_ahead = YEAR
    assert not machine.certain_after(CONFIRMATION)


def test_a_clock_that_jumps_about_is_not_confirmed_by_that() -> None:
    machine = Machine()
    assert machine.certain_after(0)
    for years in range(1, 5):
        machine.set_ahead = years * YEAR
        assert not machine.certain_after(CONFIRMATION)


def test_a_jump_backwards_is_harmless_and_believed() -> None:
    machine = Machine()
    assert machine.certain_after(0)
    machine.set_ahead = -YEAR
    assert machine.certain_after(1)
    machine.set_ahead = timedelta()
    assert not machine.certain_after(1)  # and back again, that is a jump ahead
