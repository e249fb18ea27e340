"""What intake does when it hears of something or is asked for something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.intake import counts, logic
from services.intake.erasing import erase_ended
from services.intake.repeats import Matter, enter
from services.intake.store import FINGERPRINTS, RECORDS, SIGHTINGS
from shared.domain.aggregates import Record
from shared.domain.commands import Command, SubmitCase, WithdrawCase
from shared.domain.errors import Refusal
from shared.domain.events import (
    CaseClosed,
    CaseRecalled,
    CaseRecorded,
    CaseReopened,
    CaseWithdrawn,
    Event,
    PolicyApplied,
    RetriageRequested,
)
from shared.domain.policy import Policy
from shared.runtime.handling import Context, Handler, Need, Timer
from shared.runtime.versions import keep_policy
from shared.storage.tx import Tx


def submit_case(command: SubmitCase, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Record a case; one that is known stays as it is, and nothing is told twice."""
    known = _record(tx, command.about)
    if known.case is not None:
        return ()
    problems = logic.problems(command, ctx.policy, ctx.now)
    if problems:
        raise Refusal(problems)
    at = command.recorded_at or ctx.now
    matter, repeat_of = enter(
        tx.get(FINGERPRINTS, command.matter) or Matter(fingerprint=command.matter),
        known.case_id,
        at,
        ctx.policy.repeat_days,
    )
    seen = {
        name: tx.get(SIGHTINGS, key) or counts.Sightings(key=key)
        for name, key in counts.keys_of(command, ctx.policy.counts).items()
    }
    counted = counts.tally(seen, ctx.policy.counts, at)
    record = logic.record(known, command, ctx.policy, ctx.now, repeat_of, counted)
    for sightings in counts.entered(seen.values(), at):
        tx.put(SIGHTINGS, sightings)
    tx.put(FINGERPRINTS, matter)
    tx.put(RECORDS, record)
    return [CaseRecorded(case_id=record.case_id, record=record)]


def withdraw_case(command: WithdrawCase, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Whoever raised or recorded the case takes it back."""
    record = logic.withdraw(_record(tx, command.case_id), command.reason, ctx.now)
    tx.put(RECORDS, record)
    return [
        CaseWithdrawn(
            case_id=command.case_id,
            record=record,
            reason=command.reason,
            by=command.by,
            at=ctx.now,
        )
    ]


def enter_standing(event: CaseClosed | CaseReopened, tx: Tx, ctx: Context) -> Sequence[Event]:
    """The case is over, or goes round again."""
    tx.put(RECORDS, logic.settle(_record(tx, event.case_id), event.standing, event.at))
    return ()


def recall_case(event: RetriageRequested, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Tell what was recorded once more, for the router to decide by."""
    record = _record(tx, event.case_id)
    return [CaseRecalled(case_id=event.case_id, record=record)] if record.case else ()


def needs(cause: Event | Command) -> Iterable[Need]:
    """The record, and for a submission what is known of its words."""
    if isinstance(cause, Event):
        return ((RECORDS, cause.case_id),)
    if isinstance(cause, SubmitCase):
        return ((RECORDS, cause.about), (FINGERPRINTS, cause.matter))
    return ((RECORDS, cause.about),)


def policy_needs(cause: Event | Command, policy: Policy) -> Iterable[Need]:
    """What the policy counts about a submission."""
    if policy.counts and isinstance(cause, SubmitCase):
        yield from ((SIGHTINGS, key) for key in counts.keys_of(cause, policy.counts).values())


def _record(tx: Tx, case_id: str) -> Record:
    return tx.get(RECORDS, case_id) or _shell(case_id)


def _shell(case_id: str) -> Record:
    return Record(case_id=case_id)


HANDLERS: Mapping[type[Event], Handler] = {
    CaseClosed: enter_standing,
    CaseReopened: enter_standing,
    RetriageRequested: recall_case,
    PolicyApplied: keep_policy,
}

COMMANDS: Mapping[type[Command], Handler] = {
    SubmitCase: submit_case,
    WithdrawCase: withdraw_case,
}

TIMERS = (Timer("erasure", 60.0, erase_ended),)
