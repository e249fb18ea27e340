"""durable-rules agrees with the reference interpreter, and cannot take a decision down."""

from __future__ import annotations

import gc
import random
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.policy.engine import durable as engine_module
from shared.policy.engine import interpreter
from shared.policy.engine.compile import CHUNK_ROWS, compile_table
from shared.policy.engine.durable import DurableEngine, EngineError, Fault
from shared.policy.engine.table import FactType, Hit, Predicate, Row, Table
from shared.policy.trying.trial import differences, generated
from tests.unit.policy.tables import big_table


@settings(max_examples=60, deadline=None)
@given(value=st.none() | st.text(max_size=8) | st.integers() | st.booleans(), data=st.data())
def test_no_value_from_outside_can_disturb_the_engine(value: Any, data: st.DataObject) -> None:
    """Whatever an attribute holds, only its class reaches the engine."""
    kind = data.draw(st.sampled_from(list(FactType)))
    named: dict[FactType, tuple[Any, ...]] = {
        FactType.TEXT: ("a", "0", "", "'\"\\{}"),
        FactType.INTEGER: (0, 1, -(10**15)),
        FactType.BOOLEAN: (True,),
    }
    rows = (Row("named", (Predicate("f", any_of=named[kind]),)),)
    table = Table.of("outside", {"f": kind}, rows)
    engine = DurableEngine(table)
    facts = {"f": kind.read(value)}
    assert engine.first(facts) == interpreter.first(table, facts)
    assert engine.fallbacks == 0


@pytest.mark.parametrize("rows", [58, 59, 120, 400])
def test_long_tables_are_split_and_still_agree(rows: int) -> None:
    table = big_table(rows)
    program = compile_table(table)
    assert len(program.chunks) == -(-(rows + 1) // (CHUNK_ROWS - 1))
    assert differences(table, samples=600) == []


@pytest.mark.parametrize("hit", Hit)
def test_long_tables_of_every_hit_policy_agree(hit: Hit) -> None:
    assert differences(big_table(150, hit), samples=300) == []


def test_generated_facts_reach_most_rows() -> None:
    """Otherwise the comparison before a swap would compare little."""
    table = big_table(100)
    reached = {interpreter.first(table, facts) for facts in generated(table, 1000)}
    assert len(reached) > 80


def test_rows_that_all_match_at_once_do_not_poison_the_engine() -> None:
    rows = tuple(Row(f"r{n}", (Predicate("n", at_least=n),)) for n in range(200))
    engine = DurableEngine(Table.of("all", {"n": FactType.INTEGER}, rows))
    assert [engine.first({"n": 1000 + n}) for n in range(5)] == [0] * 5
    assert engine.first({"n": -1}) is None
    assert engine.fallbacks == 0


def test_many_conditions_in_one_row_are_within_the_engines_limits() -> None:
    types = {f"f{n}": FactType.TEXT for n in range(90)}
    tests = tuple(Predicate(fact, any_of=("a", "c", "e")) for fact in types)
    others = tuple(Predicate(fact, none_of=("b", "d")) for fact in types)
    table = Table.of("wide", types, (Row("all", tests), Row("none", others), Row("rest", ())))
    engine = DurableEngine(table)
    assert engine.first(dict.fromkeys(types, "c")) == 0
    assert engine.first(dict.fromkeys(types, "x")) == 1
    assert engine.first(dict.fromkeys(types, "d")) == 2
    assert engine.fallbacks == 0


def simple_table() -> Table:
    rows = (Row("red", (Predicate("colour", any_of=("red",)),)), Row("rest", ()))
    return Table.of("simple", {"colour": FactType.TEXT}, rows)


def test_an_engine_error_is_answered_by_the_reference_counted_and_mended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Fault] = []
    engine = DurableEngine(simple_table(), told.append)
    real = engine_module._ask

    def broken(handle: int, message: str) -> int | None:
        if "f0" in message:
            raise EngineError("303")
        return real(handle, message)

    monkeypatch.setattr(engine_module, "_ask", broken)
    assert engine.first({"colour": "red"}) == 0
    assert engine.first({"colour": "red"}) == 0
    assert engine.fallbacks == 2
    assert told == [Fault("engine", "EngineError: 303")] * 2
    monkeypatch.undo()
    assert engine.first({"colour": "red"}) == 0
    assert engine.first({"colour": "blue"}) == 1
    assert engine.fallbacks == 2


def test_after_close_the_reference_decides_without_counting_as_a_failure() -> None:
    engine = DurableEngine(simple_table())
    engine.close()
    engine.close()
    assert engine.first({"colour": "red"}) == 0
    assert engine.fallbacks == 0


def test_equal_facts_are_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = DurableEngine(simple_table())
    asked = []
    real = engine_module._ask

    def counted(handle: int, message: str) -> int | None:
        asked.append(message)
        return real(handle, message)

    monkeypatch.setattr(engine_module, "_ask", counted)
    for number in range(50):
        engine.first({"colour": f"unnamed {number}"})
    assert [message for message in asked if "f0" in message] == ['{"on":1,"f0":2}']


def test_threads_get_their_own_answers() -> None:
    table = big_table(150)
    engine = DurableEngine(table)
    sets = list(generated(table, 400))
    expected = [interpreter.first(table, facts) for facts in sets]
    wrong: list[int] = []

    def ask(seed: int) -> None:
        order = list(range(len(sets)))
        random.Random(seed).shuffle(order)
        wrong.extend(n for n in order if engine.first(sets[n]) != expected[n])

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert engine.fallbacks == 0


def resident_kb() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux tells the memory there")
@pytest.mark.parametrize("closing", ["close", "drop"])
def test_a_thousand_reloads_keep_the_memory_flat(closing: str) -> None:
    table = big_table(3)
    facts = next(generated(table, 1))

    def cycle(times: int) -> None:
        for _ in range(times):
            engine = DurableEngine(table)
            engine.first(facts)
            if closing == "close":
                engine.close()
            del engine

    gc.disable()  # a dropped engine is freed at once, not by the collector
    try:
        cycle(200)
        before = resident_kb()
        cycle(1000)
        assert resident_kb() - before < 3000
    finally:
        gc.enable()
