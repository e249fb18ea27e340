"""What the deadline service does when it hears of something, and when time has passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.deadline import acts, logic
from services.deadline.calendars import follow_calendar
from services.deadline.store import CLOCKS, due
from shared.domain.aggregates import Actor, Clocks
from shared.domain.commands import (
    Command,
    DecideExtension,
    PauseClock,
    RequestExtension,
    ResumeClock,
    UnitCommand,
)
from shared.domain.events import (
    CaseAccepted,
    CaseClosed,
    CaseErased,
    CasePaused,
    CaseReopened,
    CaseReplied,
    CaseReturned,
    CaseRouted,
    CaseTransferred,
    CaseWithdrawn,
    DeadlineExtended,
    Event,
    ExtensionRefused,
    ExtensionRequested,
    HandlingEvent,
    PolicyApplied,
)
from shared.runtime.erasing import erase
from shared.runtime.handling import Context, Handler, Timer
from shared.runtime.versions import keep_policy
from shared.storage.tx import Tx


def follow_handling(event: HandlingEvent, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Set the clocks of a new round, stop them at the answer, let them go on at a transfer."""
    known = _clocks(tx, event.case_id)
    if event.handling.version <= known.handling_version:
        return ()
    clocks = logic.follow(known, event.handling, ctx.policy)
    tx.put(CLOCKS, clocks)
    return logic.news(known, clocks, ctx.policy.calendar)


def enter_standing(
    event: CaseClosed | CaseReopened | CaseWithdrawn, tx: Tx, ctx: Context
) -> Sequence[Event]:
    """Silence the clocks of a case or a round that is over."""
    tx.put(CLOCKS, logic.settle(_clocks(tx, event.case_id), event.standing))
    return ()


def pause_clock(command: PauseClock, tx: Tx, ctx: Context) -> Sequence[Event]:
    """The clocks stand still."""
    clocks = acts.pause(_clocks(tx, command.case_id), command, ctx.policy, ctx.now)
    tx.put(CLOCKS, clocks)
    assert clocks.pause is not None
    return [CasePaused(case_id=command.case_id, clocks=clocks, pause=clocks.pause)]


def resume_clock(command: ResumeClock, tx: Tx, ctx: Context) -> Sequence[Event]:
    """The clocks go on."""
    clocks = acts.resume(_clocks(tx, command.case_id), _actor(command), ctx.policy, ctx.now)
    tx.put(CLOCKS, clocks)
    return [logic.resumed(clocks, clocks.pauses[-1], ctx.policy.calendar)]


def request_extension(command: RequestExtension, tx: Tx, ctx: Context) -> Sequence[Event]:
    """More time is asked for."""
    clocks = acts.request(_clocks(tx, command.case_id), command, ctx.policy, ctx.now)
    tx.put(CLOCKS, clocks)
    asked = clocks.extensions[-1]
    return [ExtensionRequested(case_id=command.case_id, clocks=clocks, extension=asked)]


def decide_extension(command: DecideExtension, tx: Tx, ctx: Context) -> Sequence[Event]:
    """More time is granted or refused."""
    known = _clocks(tx, command.case_id)
    clocks = acts.decide(
        known,
        _actor(command),
        ctx.policy,
        ctx.now,
        granted=command.granted,
        note=command.note,
    )
    tx.put(CLOCKS, clocks)
    decided = clocks.extensions[-1]
    if not command.granted:
        return [ExtensionRefused(case_id=command.case_id, clocks=clocks, extension=decided)]
    assert known.due_at is not None
    assert clocks.due_at is not None
    return [
        DeadlineExtended(
            case_id=command.case_id,
            clocks=clocks,
            extension=decided,
            moved_from=known.due_at,
            moved_to=clocks.due_at,
        )
    ]


def let_clocks_speak(tx: Tx, ctx: Context) -> Sequence[Event]:
    """Warn, declare overdue, escalate: all that has fallen due, also while nobody was up."""
    events: list[Event] = []
    for known in due(tx, ctx.now):
        said = logic.speak(known, ctx.policy, ctx.now, certain=ctx.certain)
        if said:
            tx.put(CLOCKS, said[-1].clocks)
            events.extend(said)
    return events


def _clocks(tx: Tx, case_id: str) -> Clocks:
    return tx.get(CLOCKS, case_id) or _shell(case_id)


def _shell(case_id: str) -> Clocks:
    return Clocks(case_id=case_id)


def _actor(command: UnitCommand) -> Actor:
    return Actor(unit=command.unit, person=command.person)


HANDLERS: Mapping[type[Event], Handler] = {
    CaseRouted: follow_handling,
    CaseAccepted: follow_handling,
    CaseReturned: follow_handling,
    CaseTransferred: follow_handling,
    CaseReplied: follow_handling,
    CaseClosed: enter_standing,
    CaseReopened: enter_standing,
    CaseWithdrawn: enter_standing,
    CaseErased: erase(CLOCKS, _shell, logic.settle),
    PolicyApplied: keep_policy,
}

COMMANDS: Mapping[type[Command], Handler] = {
    PauseClock: pause_clock,
    ResumeClock: resume_clock,
    RequestExtension: request_extension,
    DecideExtension: decide_extension,
}

TIMERS = (
    Timer("marks", 1.0, let_clocks_speak),
    Timer("calendar", 5.0, follow_calendar),
)
