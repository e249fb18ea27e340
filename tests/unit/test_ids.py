"""Ids sort by time, also within a millisecond, and are UUIDs of version 7."""

from __future__ import annotations

import uuid
from itertools import pairwise
from time import time_ns

from shared.domain.ids import new_id


def test_ids_made_one_after_the_other_sort_in_that_order() -> None:
    made = [new_id() for _ in range(10_000)]
    assert len(set(made)) == len(made)
    later = sum(second > first for first, second in pairwise(made))
    assert later > 9_990, "but for a clock that was set back, or stood still"


def test_an_id_is_a_uuid_of_version_7_and_tells_its_millisecond() -> None:
    before = time_ns() // 1_000_000
    made = uuid.UUID(new_id())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= time_ns() // 1_000_000
