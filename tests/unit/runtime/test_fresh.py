"""What costs a pass over all cases is made once for all who ask within a moment."""

from __future__ import annotations

from shared.runtime.fresh import BRIEF, MOST, SHARE, Fresh


class Kitchen:
    """Makes values that take a second each, or less, by a clock of its own."""

    def __init__(self, takes: float = 1.0) -> None:
        self.takes = takes
        self.now = 0.0
        self.made = 0
        self.fresh: Fresh[int] = Fresh(lambda: self.now)

    def get(self, key: object = "report") -> int:
        return self.fresh.get(key, self._make)

    def _make(self) -> int:
        self.now += self.takes
        self.made += 1
        return self.made


def test_whoever_asks_within_ten_times_the_making_gets_the_same() -> None:
    kitchen = Kitchen()
    assert kitchen.get() == 1
    kitchen.now += SHARE - 0.1
    assert kitchen.get() == 1


def test_whoever_asks_later_gets_a_new_one() -> None:
    kitchen = Kitchen()
    kitchen.get()
    kitchen.now += SHARE
    assert kitchen.get() == 2


def test_what_takes_hardly_any_time_is_made_anew_for_everybody() -> None:
    kitchen = Kitchen(BRIEF / 2)
    assert [kitchen.get(), kitchen.get()] == [1, 2]


def test_another_question_has_another_answer_and_the_oldest_is_forgotten() -> None:
    kitchen = Kitchen()
    kitchen.get(0)
    assert kitchen.get(1) == 2
    assert kitchen.get(0) == 1
    for key in range(2, MOST + 1):
        kitchen.now = 2.0  # so that none grows old
        kitchen.get(key)
    made = kitchen.made
    kitchen.now = 2.0
    kitchen.get(0)
    assert kitchen.made == made + 1
