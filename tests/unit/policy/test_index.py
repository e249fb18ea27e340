"""An index tells which rulesets can hold the row that decides, and costs no more than its bound."""

from __future__ import annotations

import pytest

from shared.policy import engine as engine_module
from shared.policy import index as index_module
from shared.policy.compile import compile_table
from shared.policy.engine import DurableEngine
from shared.policy.index import RowIndex
from shared.policy.table import Hit
from shared.policy.trial import differences, generated
from tests.unit.policy.tables import big_table


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
    telling = [{0: frozenset((number,)), 1: frozenset((0, 1))} for number in range(10)]
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
