"""Events come late, twice and in any order: who is asked, and what is closed, stays the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.evaluation.handlers import HANDLERS
from services.evaluation.service import EVALUATION
from services.evaluation.store import JUDGEMENTS
from shared.domain.aggregates import Judgement, Limits
from shared.domain.case import State
from shared.domain.events import (
    CaseClosed,
    EvaluationRequested,
    Event,
)
from shared.domain.ids import new_id
from shared.storage.tx import Tx
from tests.support.desk import Desk, desk
from tests.support.house import SmallPolicy, answering, at, replied, routed, routing, withdrawing

NOW = at("2026-03-04 10:00")

small = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Desk]:
    with desk(EVALUATION, SmallPolicy(), NOW, tmp_path) as opened:
        yield opened


@st.composite
def rounds(draw: st.DrawFn) -> list[Event]:
    """What evaluation hears of the first round of a case: of each kind of case."""
    handling = routed(new_id(), recorder=draw(st.sampled_from(["recorder", None])))
    if draw(st.booleans()):
        handling = handling.but(informant_ref=None)
    if not draw(st.booleans()):
        return [routing(handling.but(answer_owed=False, limits=Limits()))]
    answered = replied(handling, NOW).but(reply_preceded=draw(st.booleans()))
    return [routing(handling), answering(answered)]


def tell(tables: Desk, tx: Tx, events: Sequence[Event]) -> list[Event]:
    context = tables.context().but(new_token="{}.secret".format)  # no chance in it
    return [follows for event in events for follows in HANDLERS[type(event)](event, tx, context)]


@small
@given(heard=rounds(), data=st.data())
def test_any_order_and_any_repetition_leads_to_the_same_judgement(
    tables: Desk, heard: list[Event], data: st.DataObject
) -> None:
    case_id = heard[0].case_id
    shuffled = data.draw(st.permutations(heard + data.draw(st.lists(st.sampled_from(heard)))))
    with tables.storage.transaction(NOW) as tx:
        follow = tell(tables, tx, heard)
        expected = tx.get(JUDGEMENTS, case_id)
        tx.put(JUDGEMENTS, Judgement(case_id=case_id))  # as if nothing had been heard of it
        again = tell(tables, tx, shuffled)
        assert tx.get(JUDGEMENTS, case_id) == expected
    assert [event.type for event in again] == [event.type for event in follow]
    assert len(follow) == 1


@small
@given(heard=rounds(), data=st.data())
def test_a_withdrawal_at_any_time_leaves_nothing_to_rate(
    tables: Desk, heard: list[Event], data: st.DataObject
) -> None:
    case_id = heard[0].case_id
    shuffled = data.draw(st.permutations([*heard, withdrawing(case_id, NOW)]))
    with tables.storage.transaction(NOW) as tx:
        follow = tell(tables, tx, shuffled)
        known = tx.get(JUDGEMENTS, case_id)
        assert known is not None
        assert known.standing.state is State.WITHDRAWN
        lapses_at = dict(zip(JUDGEMENTS.table.c.keys(), JUDGEMENTS.row(known), strict=True))
        assert lapses_at["lapses_at"] is None
    before = shuffled[: [event.type for event in shuffled].index("case.withdrawn")]
    if not before:
        assert follow == []
    assert sum(isinstance(event, CaseClosed | EvaluationRequested) for event in follow) <= 1
