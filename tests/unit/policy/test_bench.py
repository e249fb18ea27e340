"""Deciding is quick and its memory flat: `make bench-policy` in short; slow machines have room."""

from __future__ import annotations

from itertools import islice

import pytest

from bench import policy as bench
from shared.policy.engine import interpreter
from shared.policy.trying.trial import generated


@pytest.mark.parametrize("rows", bench.SIZES)
def test_decisions_are_quick_with_and_without_memory(rows: int) -> None:
    """On the development machine 60,000 and 600,000 a second at 1,000 rows."""
    cold, warm, _ = bench.measure(rows, 4_000)
    assert cold.decisions_per_second > 10_000
    assert warm.decisions_per_second > 100_000


@pytest.mark.parametrize("rows", bench.SIZES)
def test_the_yardstick_decides_as_we_do(rows: int) -> None:
    """Otherwise the two would not be comparable."""
    table = bench.policy_like(rows)
    decide = bench.yardstick(table)
    for facts in islice(generated(table, 1000), 0, None, 5):
        assert decide(facts) == interpreter.first(table, facts)


def test_decisions_and_reloads_keep_the_memory_flat() -> None:
    for memory in (bench.over_decisions(40_000, rows=200), bench.over_reloads(150)):
        assert memory.after - memory.before < 5, memory
