"""Events come late, twice and in any order: the clocks end up the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.deadline.handlers import HANDLERS
from services.deadline.service import DEADLINE
from services.deadline.store import CLOCKS
from shared.domain.aggregates import Actor, Clocks, Judgement
from shared.domain.case import Standing, State
from shared.domain.events import (
    CaseAccepted,
    CaseClosed,
    CaseDueSoon,
    CaseEscalated,
    CaseOverdue,
    CaseReopened,
    CaseRouted,
    CaseTransferred,
    ClocksEvent,
    DeadlineSet,
    Event,
)
from shared.domain.ids import new_id
from shared.storage.tx import Tx
from tests.support.desk import Desk, desk
from tests.support.house import (
    SmallPolicy,
    answering,
    at,
    replied,
    routed,
    routing,
    withdrawing,
)

START = at("2026-03-02 09:00")


class Life:
    """What the owners of a case might tell about it, in the order in which it happened."""

    def __init__(self) -> None:
        self.case_id = new_id()
        self.handling = routed(self.case_id)
        self.now = START
        self.events: list[Event] = [self._routed()]

    def act(self, act: str, hours: int) -> None:
        """One thing more, if it is possible by then."""
        self.now += timedelta(hours=hours)
        known = self.handling
        if known.standing.state is not State.OPEN:
            return
        if act == "withdraw":
            self._settle(Standing(state=State.WITHDRAWN, round=known.standing.round))
            self.events.append(withdrawing(self.case_id, self.now, known.standing.round))
        elif known.replied_at is None:
            self._work(act)
        elif act == "close":
            self._settle(Standing(state=State.CLOSED, round=known.standing.round))
            self.events.append(
                CaseClosed(
                    case_id=self.case_id, judgement=self._judged(), reason="satisfied", at=self.now
                )
            )
        elif act == "reopen":
            self._reopen()

    def _work(self, act: str) -> None:
        by = Actor(unit=self.handling.unit)
        if act == "accept":
            self.handling = self.handling.next()
            self.events.append(
                CaseAccepted(case_id=self.case_id, handling=self.handling, by=by, at=self.now)
            )
        elif act == "transfer":
            other = "north-station" if by.unit == "south-station" else "south-station"
            self.handling = self.handling.next(unit=other)
            self.events.append(
                CaseTransferred(
                    case_id=self.case_id,
                    handling=self.handling,
                    by=by,
                    reason="theirs",
                    from_unit=by.unit,
                    at=self.now,
                )
            )
        elif act == "reply":
            self.handling = replied(self.handling, self.now)
            self.events.append(answering(self.handling))

    def _reopen(self) -> None:
        self._settle(Standing(round=self.handling.standing.round + 1))
        self.events.append(
            CaseReopened(
                case_id=self.case_id, judgement=self._judged(), reason="dissatisfied", at=self.now
            )
        )
        self.handling = self.handling.next(
            started_at=self.now, replied_at=None, replied_by=None, accepted_at=None
        )
        self.events.append(self._routed())

    def _settle(self, standing: Standing) -> None:
        self.handling = self.handling.standing_at(standing)

    def _judged(self) -> Judgement:
        return Judgement(case_id=self.case_id, version=1, standing=self.handling.standing)

    def _routed(self) -> CaseRouted:
        return routing(self.handling)


ACTS = st.sampled_from(["accept", "transfer", "reply", "reply", "reopen", "close", "withdraw"])
STEPS = st.lists(st.tuples(ACTS, st.integers(1, 100)), max_size=10)

in_one_transaction = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    life = Life()
    for act, hours in draw(STEPS):
        life.act(act, hours)
    return life


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Desk]:
    with desk(DEADLINE, SmallPolicy(), START, tmp_path) as opened:
        yield opened


def tell(tables: Desk, tx: Tx, events: Sequence[Event]) -> list[Event]:
    """Handle events without ticking, and return what follows."""
    return [
        follows
        for event in events
        for follows in HANDLERS[type(event)](event, tx, tables.context())
    ]


def unversioned(clocks: Clocks | None) -> Clocks:
    assert clocks is not None
    return clocks.but(version=0)


@in_one_transaction
@given(life=lives(), data=st.data())
def test_any_order_and_any_repetition_leads_to_the_same_clocks(
    tables: Desk, life: Life, data: st.DataObject
) -> None:
    repeated = life.events + data.draw(st.lists(st.sampled_from(life.events)))
    shuffled = data.draw(st.permutations(repeated))
    with tables.storage.transaction(START) as tx:
        tell(tables, tx, life.events)
        expected = unversioned(tx.get(CLOCKS, life.case_id))
        tx.put(CLOCKS, Clocks(case_id=life.case_id))  # as if nothing had been heard of it
        tell(tables, tx, shuffled)
        assert unversioned(tx.get(CLOCKS, life.case_id)) == expected


@in_one_transaction
@given(life=lives(), data=st.data())
def test_each_round_gets_at_most_one_deadline_and_versions_rise_by_one(
    tables: Desk, life: Life, data: st.DataObject
) -> None:
    repeated = life.events + data.draw(st.lists(st.sampled_from(life.events)))
    with tables.storage.transaction(START) as tx:
        follow = tell(tables, tx, data.draw(st.permutations(repeated)))
    deadlines = [event.clocks.started_at for event in follow if isinstance(event, DeadlineSet)]
    assert len(deadlines) == len(follow) == len(set(deadlines))
    assert [event.version for event in follow] == list(range(1, len(follow) + 1))


@in_one_transaction
@given(life=lives(), moments=st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_every_mark_is_said_once_a_round_and_nothing_after_the_end(
    tables: Desk, life: Life, moments: list[int]
) -> None:
    marked: list[ClocksEvent] = []
    ticks = sorted(START + timedelta(hours=hours) for hours in moments)
    with tables.storage.transaction(START) as tx:
        for number, event in enumerate(life.events):
            tell(tables, tx, [event])
            for now in ticks[number::3]:
                marked += speak(tables, tx, life.case_id, now)
        ended = tx.get(CLOCKS, life.case_id)
        assert ended is not None
        marked += speak(tables, tx, life.case_id, START + timedelta(days=365))
    keys = [(event.clocks.started_at, type(event), event.clocks.said[-1].step) for event in marked]
    assert len(keys) == len(set(keys))
    if ended.stopped_at is not None or ended.standing.state is not State.OPEN:
        assert ended.marks == ()
    else:
        present = [key[1:] for key in keys if key[0] == ended.started_at]
        assert sorted(present, key=str) == sorted(
            [
                (CaseDueSoon, 0),
                (CaseDueSoon, 1),
                (CaseOverdue, 0),
                (CaseEscalated, 0),
                (CaseEscalated, 1),
            ],
            key=str,
        )


def speak(tables: Desk, tx: Tx, case_id: str, now: datetime) -> list[ClocksEvent]:
    """What the timer does, for the one case."""
    from services.deadline import logic

    known = tx.get(CLOCKS, case_id)
    assert known is not None
    said = logic.speak(known, tables.policy, now)
    if said:
        tx.put(CLOCKS, said[-1].clocks)
    return said
