"""What the deadline service does when it hears of something, and when time has passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.deadline import logic
from services.deadline.store import CLOCKS, due
from shared.domain.aggregates import Clocks
from shared.domain.events import (
    CaseAccepted,
    CaseClosed,
    CaseReopened,
    CaseReplied,
    CaseReturned,
    CaseRouted,
    CaseTransferred,
    CaseWithdrawn,
    DeadlineSet,
    Event,
    HandlingEvent,
    PolicyApplied,
)
from shared.runtime.handling import Context, Handler, Timer
from shared.runtime.versions import keep_policy
from shared.storage.tx import Tx


def follow_handling(event: HandlingEvent, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Set the clock of a new round, stop it at the answer, let it go on through a transfer."""
    known = _clocks(tx, event.case_id)
    if event.handling.version <= known.handling_version:
        return ()
    clocks = logic.follow(known, event.handling, ctx.policy)
    tx.put(CLOCKS, clocks)
    if clocks.version == known.version:
        return ()
    return [DeadlineSet(case_id=event.case_id, clocks=clocks)]


def enter_standing(
    event: CaseClosed | CaseReopened | CaseWithdrawn, tx: Tx, ctx: Context
) -> Sequence[Event]:
    """Silence the clock of a case or a round that is over."""
    tx.put(CLOCKS, logic.settle(_clocks(tx, event.case_id), event.standing))
    return ()


def let_clocks_speak(tx: Tx, ctx: Context) -> Sequence[Event]:
    """Warn, declare overdue, escalate: all that has fallen due, also while nobody was up."""
    events: list[Event] = []
    for known in due(tx, ctx.now):
        said = logic.speak(known, ctx.policy.calendar, ctx.now)
        if said:
            tx.put(CLOCKS, said[-1].clocks)
            events.extend(said)
    return events


def _clocks(tx: Tx, case_id: str) -> Clocks:
    return tx.get(CLOCKS, case_id) or Clocks(case_id=case_id)


HANDLERS: Mapping[type[Event], Handler] = {
    CaseRouted: follow_handling,
    CaseAccepted: follow_handling,
    CaseReturned: follow_handling,
    CaseTransferred: follow_handling,
    CaseReplied: follow_handling,
    CaseClosed: enter_standing,
    CaseReopened: enter_standing,
    CaseWithdrawn: enter_standing,
    PolicyApplied: keep_policy,
}

TIMERS = (Timer("marks", 1.0, let_clocks_speak),)
