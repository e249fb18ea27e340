"""An index tells which rulesets can hold the row that decides, and costs no more than its bound."""

from __future__ import annotations

import itertools
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.policy.engine import durable as engine_module
from shared.policy.engine import index as index_module
from shared.policy.engine.compile import Coder, compile_table
from shared.policy.engine.durable import DurableEngine
from shared.policy.engine.index import RowIndex
from shared.policy.engine.table import FactType, Hit, Predicate, Row, Table, Verdict
from shared.policy.trying.trial import differences, generated
from tests.unit.policy.tables import TYPES, big_table, predicate, values_of

TESTS = st.builds(predicate, st.sampled_from(sorted(TYPES)), st.randoms(use_true_random=False))


def test_only_the_ruleset_that_can_match_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = DurableEngine(big_table(400))
    sets = list(generated(big_table(400), 200))
    engine.warm()
    asked = []
    real = engine_module._ask

    def counted(handle: int, message: str) -> int | None:
        asked.append(handle)
        return real(handle, message)

    monkeypatch.setattr(engine_module, "_ask", counted)
    for facts in sets:
        engine.decide(facts)
    assert len(asked) <= len(sets)
    assert len(set(asked)) > 3


def test_rulesets_are_built_when_they_are_first_asked() -> None:
    engine = DurableEngine(big_table(400))
    assert not engine._rulesets._handles
    engine.decide({})
    assert len(engine._rulesets._handles) == 1
    engine.warm()
    assert len(engine._rulesets._handles) == len(engine._program.chunks)


def test_an_index_too_large_for_its_bound_leaves_the_least_telling_facts_out() -> None:
    telling = [{0: 1 << number, 1: 0b11} for number in range(10)]
    whole = RowIndex(telling, [9, 1])
    bounded = RowIndex(telling, [9, 1], max_bytes=450)
    assert len(whole._facts) == 2
    assert [position for position, _ in bounded._facts] == [0]
    assert bounded.candidates((3, 0)) == whole.candidates((3, 0)) == 1 << 3
    nothing = RowIndex(telling, [9, 1], max_bytes=0)
    assert nothing.candidates((3, 0)) == (1 << 10) - 1


def test_without_its_index_the_engine_still_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the bound leaves out must cost time alone."""
    monkeypatch.setattr(index_module.RowIndex.__init__, "__defaults__", (0,))
    for hit in Hit:
        table = big_table(130, hit)
        assert compile_table(table).index._facts == []
        assert differences(table, samples=150) == []


@settings(max_examples=300, deadline=None)
@given(tests=st.lists(TESTS, min_size=1, max_size=4), chance=st.randoms(use_true_random=False))
def test_a_value_satisfies_a_test_exactly_if_its_code_does(
    tests: list[Predicate], chance: random.Random
) -> None:
    fact = tests[0].fact
    asked = [test for test in tests if test.fact == fact]
    coder = Coder.of(fact, TYPES[fact], asked)
    values = [None, *(values_of(TYPES[fact], chance) for _ in range(20))]
    for test, value in itertools.product(asked, values):
        assert (coder.code(value) in coder.codes(test)) is test.holds(value)
        assert max(coder.codes(test), default=0) <= coder.top


def test_two_thousand_rows_that_exclude_a_hundred_thousand_values_are_compiled_in_seconds() -> None:
    """As many as a file of the largest size can name."""
    rows = tuple(
        Row(f"r{n}", (Predicate("f", none_of=tuple(f"{n}-{v}" for v in range(50))),))
        for n in range(1950)
    )
    start = time.process_time()
    engine = DurableEngine(Table.of("exclusive", {"f": FactType.TEXT}, rows))
    assert engine.decide({"f": "0-0"}) == Verdict((1,))
    assert engine.decide({"f": "x"}) == Verdict((0,))
    assert time.process_time() - start < 10
    assert engine.fallbacks == 0
