"""What costs a pass over all cases is made once for all who ask within a moment."""

from __future__ import annotations

from services.ledger.fresh import MOST, SHARE, Fresh


class Kitchen:
    """Makes values that take a second each, by a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.made = 0
        self.fresh: Fresh[int] = Fresh(lambda: self.now)

    def get(self, key: object = "report") -> int:
        return self.fresh.get(key, self._make)

    def _make(self) -> int:
        self.now += 1.0
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


def test_what_takes_no_time_is_always_made_anew() -> None:
    fresh: Fresh[int] = Fresh(lambda: 0.0)
    values = iter(range(2))
    assert [fresh.get("report", lambda: next(values)) for _ in range(2)] == [0, 1]


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
