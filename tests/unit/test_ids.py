"""Ids sort by time, also within a millisecond, and are UUIDs of version 7."""

from __future__ import annotations

import subprocess
import sys
import uuid
from itertools import pairwise
from textwrap import dedent
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


def test_ids_are_others_after_a_fork_and_wherever_chance_was_seeded() -> None:
    script = dedent(
        """
        import os, random
        from shared.domain.ids import new_id
        new_id()
        if os.fork() == 0:
            print(new_id()[20:], flush=True)
            os._exit(0)
        os.wait()
        for _ in range(2):
            random.seed(7)
            print(new_id()[20:], flush=True)
        """
    )
    told = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    made = told.stdout.split()
    assert len(made) == len(set(made)) == 3
