"""What the notify service does when it hears of something: it notes whom to tell, and when.

Nothing is sent from here: `sender.py` does that, outside the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.notify import day_list, logic
from services.notify.notices import Told, Watch
from services.notify.store import DIGESTS, NOTICES, WATCHES, MadeDay, messages_of, waiting
from shared.domain.aggregates import Handling
from shared.domain.commands import Command, RetryNotification
from shared.domain.errors import NotFound
from shared.domain.events import (
    CaseAccepted,
    CaseClosed,
    CaseDueSoon,
    CaseErased,
    CaseEscalated,
    CaseOverdue,
    CasePaused,
    CaseReopened,
    CaseReplied,
    CaseResumed,
    CaseReturned,
    CaseRouted,
    CaseTransferred,
    CaseWithdrawn,
    ClocksEvent,
    DeadlineExtended,
    DeadlineMoved,
    DeadlineSet,
    Event,
    HandlingEvent,
    PolicyApplied,
)
from shared.domain.notices import Happening, Way, end_of_week
from shared.runtime.erasing import erase, erased_refusal
from shared.runtime.handling import Context, Handler, Need, Timer, settle
from shared.runtime.versions import keep_policy
from shared.storage.tx import Tx


def follow_handling(event: HandlingEvent, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Somebody else has to answer, or has answered."""
    watch = logic.follow(_watch(tx, event.case_id), event.handling)
    tx.put(WATCHES, watch)
    _tell(event, event.handling, watch, tx, ctx)
    return ()


def follow_clocks(event: ClocksEvent, tx: Tx, ctx: Context) -> Sequence[Event]:
    """A due date was reckoned, comes near, or has passed."""
    to_unit = event.to_unit if isinstance(event, CaseEscalated) else None
    watch = logic.keep_time(_watch(tx, event.case_id), event.clocks, to_unit)
    tx.put(WATCHES, watch)
    if isinstance(event, CaseDueSoon | CaseOverdue | CaseEscalated):
        clocks = event.clocks
        known = watch.handling or Handling(case_id=event.case_id)
        here = {"unit": clocks.unit, "colour": clocks.colour, "standing": clocks.standing}
        _tell(event, known.but(**here), watch, tx, ctx)
    return ()


def follow_standing(event: CaseClosed | CaseReopened, tx: Tx, ctx: Context) -> Sequence[Event]:
    """The case is over, or goes round again."""
    watch = logic.settle(_watch(tx, event.case_id), event.standing)
    tx.put(WATCHES, watch)
    if watch.handling is not None:
        _tell(event, watch.handling, watch, tx, ctx)
    return ()


def erase_case(event: CaseErased, tx: Tx, ctx: Context) -> Sequence[Event]:
    """What was personal in the case is erased, in the messages about it as well."""
    for known in messages_of(tx, event.case_id):
        tx.put(NOTICES, logic.without_case(known, event.case_id, ctx.now))
    return _erase_watch(event, tx, ctx)


def retry_notification(command: RetryNotification, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Begin the schedule of a failed message again."""
    known = tx.get(NOTICES, command.notification_id)
    if known is None:
        reason = "there is no such notification: take an id from /notifications"
        raise NotFound.of("notification_id", "unknown-notification", reason)
    watch = tx.get(WATCHES, known.case_id) if known.case_id else None
    if watch is not None and watch.erased_at is not None:
        raise erased_refusal("notification_id", watch.erased_at)
    tx.put(NOTICES, logic.again(known, ctx.now))
    return ()


def make_lists(tx: Tx, ctx: Context) -> Sequence[Event]:
    """Once on each working day: what lies before every unit."""
    day = day_list.day_due(ctx.policy, ctx.now) if Way.MAIL in ctx.ways else None
    if day is None or tx.get(DIGESTS, day.isoformat()) is not None:
        return ()
    watches = waiting(tx, end_of_week(ctx.now, ctx.policy.calendar))
    for notice in day_list.notices(watches, ctx.policy, ctx.now):
        tx.put(NOTICES, notice)
    tx.put(DIGESTS, MadeDay(day=day.isoformat()))
    return ()


def needs(cause: Event | Command) -> Iterable[Need]:
    """The message that is tried again; otherwise the case."""
    if isinstance(cause, RetryNotification):
        return ((NOTICES, cause.notification_id),)
    return ((WATCHES, cause.about),)


def _tell(event: Event, handling: Handling, watch: Watch, tx: Tx, ctx: Context) -> None:
    """Note a message for everybody whom the policy wants to be told."""
    if not ctx.ways or ctx.cause is None or watch.erased_at is not None:
        return
    told = _told(event, handling, watch, shown=ctx.policy.messages.shows_subject)
    happening = Happening(
        event=event.type,
        handling=handling.but(supervisors=watch.supervisors),
        step=told.step,
        days_left=told.days_left,
        clock=told.clock,
    )
    for one in logic.tell(happening, told, watch, ctx.policy, ctx.ways):
        cause = ctx.cause
        tx.put(NOTICES, logic.notice(one, told, cause.id, cause.time, ctx.now, ctx.policy))


def _told(event: Event, handling: Handling, watch: Watch, *, shown: bool) -> Told:
    escalated = event if isinstance(event, CaseEscalated) else None
    return Told(
        case_id=event.case_id,
        event=event.type,
        colour=handling.colour,
        unit=handling.unit,
        round=handling.standing.round,
        answer_owed=handling.answer_owed,
        due_at=event.clocks.due_at if isinstance(event, ClocksEvent) else watch.due_at,
        days_left=event.working_days_left if isinstance(event, CaseDueSoon) else None,
        step=escalated.step + 1 if escalated else None,
        to_unit=escalated.to_unit if escalated else None,
        clock=event.clock if isinstance(event, CaseOverdue) else "reply",
        subject=handling.subject or None if shown else None,
    )


def _watch(tx: Tx, case_id: str) -> Watch:
    return tx.get(WATCHES, case_id) or _shell(case_id)


def _shell(case_id: str) -> Watch:
    return Watch(case_id=case_id)


_erase_watch = erase(WATCHES, _shell, logic.settle)


HANDLERS: Mapping[type[Event], Handler] = {
    CaseRouted: follow_handling,
    CaseAccepted: follow_handling,
    CaseReturned: follow_handling,
    CaseTransferred: follow_handling,
    CaseReplied: follow_handling,
    DeadlineSet: follow_clocks,
    DeadlineMoved: follow_clocks,
    DeadlineExtended: follow_clocks,
    CasePaused: follow_clocks,
    CaseResumed: follow_clocks,
    CaseDueSoon: follow_clocks,
    CaseOverdue: follow_clocks,
    CaseEscalated: follow_clocks,
    CaseClosed: follow_standing,
    CaseReopened: follow_standing,
    CaseWithdrawn: settle(WATCHES, _shell),
    CaseErased: erase_case,
    PolicyApplied: keep_policy,
}

COMMANDS: Mapping[type[Command], Handler] = {RetryNotification: retry_notification}

TIMERS = (Timer("lists", 20.0, make_lists),)
