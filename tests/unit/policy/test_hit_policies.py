"""Engine and reference agree on which rows decide, for every hit policy."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.policy.engine import interpreter
from shared.policy.engine.durable import DurableEngine, Fault
from shared.policy.engine.table import FactType, Hit, Predicate, Row, Table, Verdict
from tests.unit.policy.tables import TYPES, facts_of, predicate, table_of

TESTS = st.builds(predicate, st.sampled_from(sorted(TYPES)), st.randoms(use_true_random=False))
ROWS = st.builds(
    Row,
    st.just("row"),
    st.lists(TESTS, max_size=4, unique_by=lambda test: test.fact).map(tuple),
    st.sampled_from("ab"),
    st.integers(0, 2),
)
TABLES = st.builds(
    lambda rows, hit: Table.of("drawn", TYPES, rows, hit),
    st.lists(ROWS, min_size=1, max_size=8).map(tuple),
    st.sampled_from(Hit),
)


@settings(max_examples=150, deadline=None)
@given(table=TABLES, chances=st.lists(st.randoms(use_true_random=False), min_size=1, max_size=5))
def test_whatever_the_table_engine_and_reference_agree(
    table: Table, chances: list[random.Random]
) -> None:
    engine = DurableEngine(table)
    for chance in chances:
        facts = facts_of(chance)
        assert engine.decide(facts) == interpreter.decide(table, facts)
    assert engine.fallbacks == 0
    engine.close()


def test_engine_and_reference_agree_on_a_hundred_thousand_decisions_of_all_hit_policies() -> None:
    seen = Counter[tuple[Hit, str]]()
    for hit, seed in itertools.product(Hit, range(42)):
        table, chance = table_of(seed, hit), random.Random(seed)
        engine = DurableEngine(table)
        for facts in (facts_of(chance) for _ in range(400)):
            verdict = engine.decide(facts)
            assert verdict == interpreter.decide(table, facts), (hit, seed, facts)
            kind = "conflict" if verdict.conflict else f"{min(len(verdict.rows), 2)} rows"
            seen[hit, kind] += 1
        assert engine.fallbacks == 0
        engine.close()
    assert seen.total() > 100_000
    # Each meaning was met, often.
    assert all(seen[hit, "0 rows"] > 100 and seen[hit, "1 rows"] > 100 for hit in Hit)
    assert all(seen[hit, "conflict"] > 100 for hit in (Hit.UNIQUE, Hit.ANY))
    assert all(seen[hit, "2 rows"] > 100 for hit in Hit if hit.takes_all)


HIGH, LOW = Predicate("n", at_least=10), Predicate("n", at_least=1)


def table_with(hit: Hit) -> Table:
    rows = (
        Row("low", (LOW,), outcome="b", rank=1),
        Row("high", (HIGH,), outcome="a", rank=0),
        Row("very high", (Predicate("n", at_least=20),), outcome="b", rank=1),
        Row("highest", (Predicate("n", at_least=30),), outcome="a", rank=0),
    )
    return Table.of("meaning", {"n": FactType.INTEGER}, rows, hit)


@pytest.mark.parametrize(
    ("hit", "n", "verdict"),
    [
        (Hit.FIRST, 40, Verdict((0,))),
        (Hit.PRIORITY, 5, Verdict((0,))),
        (Hit.PRIORITY, 40, Verdict((1,))),
        (Hit.UNIQUE, 5, Verdict((0,))),
        (Hit.UNIQUE, 40, Verdict((0,), (0, 1))),
        (Hit.ANY, 5, Verdict((0,))),
        (Hit.ANY, 40, Verdict((0,), (0, 1))),
        (Hit.RULE_ORDER, 25, Verdict((0, 1, 2))),
        (Hit.COLLECT, 40, Verdict((0, 1, 2, 3))),
        *((hit, 0, Verdict()) for hit in Hit),
    ],
)
def test_the_hit_policies_mean_what_dmn_says(hit: Hit, n: int, verdict: Verdict) -> None:
    table = table_with(hit)
    assert interpreter.decide(table, {"n": n}) == verdict
    assert DurableEngine(table).decide({"n": n}) == verdict


def test_rows_that_agree_may_all_match_where_any_decides() -> None:
    rows = tuple(Row(f"r{n}", (Predicate("n", at_least=n),), outcome="same") for n in range(70))
    table = Table.of("any", {"n": FactType.INTEGER}, rows, Hit.ANY)
    assert DurableEngine(table).decide({"n": 99}) == Verdict((0,))
    unique = Table.of("unique", {"n": FactType.INTEGER}, rows, Hit.UNIQUE)
    assert DurableEngine(unique).decide({"n": 99}) == Verdict((0,), (0, 1))


def test_an_overlap_is_decided_by_the_first_row_and_counted_each_time() -> None:
    told: list[Fault] = []
    engine = DurableEngine(table_with(Hit.UNIQUE), told.append)
    assert [engine.first({"n": 15}) for _ in range(3)] == [0, 0, 0]
    assert engine.conflicts == 3
    assert engine.fallbacks == 0
    assert told == [Fault("overlap", "`low` and `high` of meaning both match")] * 3
    engine.close()
    assert engine.decide({"n": 15}).conflict == (0, 1)
    assert engine.conflicts == 4
