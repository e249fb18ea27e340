"""Commands meet events that are late: what was allowed has the same effect all the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.deadline.handlers import COMMANDS, HANDLERS
from services.deadline.plan import extended_by, stood_still
from services.deadline.service import DEADLINE
from services.deadline.store import CLOCKS
from shared.domain.aggregates import Clocks
from shared.domain.clock_rules import ClockRules, ExtensionRule, PauseRule
from shared.domain.commands import (
    Command,
    DecideExtension,
    PauseClock,
    RequestExtension,
    ResumeClock,
)
from shared.domain.errors import Refusal
from shared.domain.events import Event
from shared.domain.working_time import merged
from shared.storage.tx import Tx
from tests.support.desk import Desk, desk
from tests.support.house import SmallPolicy, at, replied, routed, routing
from tests.support.house import answering as answered

START = at("2026-03-02 09:00")
LEADERS = "leaders"
POLICY = replace(
    SmallPolicy(),
    clocks=ClockRules(
        pauses={"waiting": PauseRule({"zh": "等", "en": "Waiting"}, (LEADERS,), 5)},
        extension=ExtensionRule(5, 10, (LEADERS,), (LEADERS,)),
    ),
)
law = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@dataclass(frozen=True)
class Step:
    """Something that happens after so many hours, and is heard later."""

    what: Event | Command
    hours: int
    delay: int = 0


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """A case is routed, moves about, is paused and extended, and perhaps answered."""
    case = f"case-{draw(st.uuids())}"
    handling, hours = routed(case), 0
    steps = [Step(routing(handling), 0)]
    kinds = [
        "pause",
        "resume",
        "resume",
        "ask",
        "grant",
        "refuse",
        "transfer",
        "accept",
        "recolour",
    ]
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=8)):
        hours += draw(st.integers(1, 20))
        delay = draw(st.integers(0, 100))
        if kind == "transfer":
            other = "north" if handling.unit == "south-station" else "south-station"
            moved = START + timedelta(hours=hours)
            handling = handling.next(unit=other, given_at=moved, accepted_at=None)
            steps.append(Step(routing(handling), hours, delay))
        elif kind == "accept":
            handling = handling.next(accepted_at=START + timedelta(hours=hours))
            steps.append(Step(routing(handling), hours, delay))
        elif kind == "recolour":
            limits = handling.limits.but(reply=draw(st.integers(5, 9)))
            handling = handling.next(limits=limits, colour="yellow")
            steps.append(Step(routing(handling), hours, delay))
        else:
            steps.append(Step(_command(case, kind), hours))
    if draw(st.booleans()):
        hours += draw(st.integers(1, 20))
        late = draw(st.integers(0, 100))
        steps.append(Step(answered(replied(handling, START + timedelta(hours=hours))), hours, late))
        for kind in draw(
            st.lists(st.sampled_from(["pause", "resume", "ask", "grant"]), max_size=3)
        ):
            hours += draw(st.integers(1, 20))
            steps.append(Step(_command(case, kind), hours))
    return steps


def _command(case: str, kind: str) -> Command:
    if kind == "pause":
        return PauseClock(case_id=case, unit=LEADERS, reason="waiting")
    if kind == "resume":
        return ResumeClock(case_id=case, unit=LEADERS)
    if kind == "ask":
        return RequestExtension(case_id=case, unit=LEADERS, days=3, reason="more")
    return DecideExtension(case_id=case, unit=LEADERS, granted=kind == "grant")


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Desk]:
    with desk(DEADLINE, POLICY, START, tmp_path) as opened:
        yield opened


def live(tables: Desk, tx: Tx, steps: Sequence[Step]) -> tuple[Clocks, list[str]]:
    """The clocks in the end, and what became of each command, by its place."""
    outcomes = ["" for _ in steps]
    case = steps[0].what.case_id  # type: ignore[union-attr]
    tx.put(CLOCKS, Clocks(case_id=case))
    for number, step in sorted(
        enumerate(steps), key=lambda pair: (pair[1].hours + pair[1].delay, pair[0])
    ):
        tables.now = START + timedelta(hours=step.hours + step.delay)
        if isinstance(step.what, Event):
            HANDLERS[type(step.what)](step.what, tx, tables.context())
            continue
        try:
            COMMANDS[type(step.what)](step.what, tx, tables.context())
        except Refusal as refused:
            outcomes[number] = refused.problems[0].code
    clocks = tx.get(CLOCKS, case)
    assert clocks is not None
    return clocks, outcomes


def effect(clocks: Clocks) -> object:
    """Everything that counts: pauses and requests after the answer have no effect."""
    bare = clocks.but(version=0, pauses=(), extensions=())
    return bare, merged(stood_still(clocks)), extended_by(clocks)


@law
@given(histories())
def test_what_was_allowed_has_the_same_effect_however_late_events_are_heard(
    tables: Desk, steps: list[Step]
) -> None:
    with tables.storage.transaction(START) as tx:
        at_once, allowed = live(tables, tx, [replace(step, delay=0) for step in steps])
        late, allowed_late = live(tables, tx, steps)
    void = {"", "clock-stopped", "not-paused", "nothing-asked", "already-paused", "already-asked"}
    last = next((n for n, s in enumerate(steps) if s.what.__class__.__name__ == "CaseReplied"), 99)
    for number, (one, other) in enumerate(zip(allowed, allowed_late, strict=True)):
        # Until the answer all commands end alike, unless a due date that is not known yet decides.
        assume(one == other or (number > last and {one, other} <= void))
    assert effect(at_once) == effect(late)


@law
@given(histories())
def test_events_that_come_twice_change_nothing(tables: Desk, steps: list[Step]) -> None:
    twice = [
        again
        for step in steps
        for again in ([step, step] if isinstance(step.what, Event) else [step])
    ]
    with tables.storage.transaction(START) as tx:
        once, _ = live(tables, tx, steps)
        repeated, _ = live(tables, tx, twice)
    assert once == repeated
