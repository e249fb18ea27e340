"""What the router does when it hears of something or is asked for something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from services.router import logic
from services.router.policies import HEAD, apply_policy, try_policy
from services.router.store import DECISIONS, HANDLINGS, POLICY_HEAD, decisions, open_cases
from shared.domain.aggregates import Actor, Handling
from shared.domain.case import Case
from shared.domain.commands import (
    AcceptCase,
    ApplyPolicy,
    Command,
    ReplyToCase,
    RetriageCase,
    ReturnCase,
    TransferCase,
    UnitCommand,
)
from shared.domain.erasure import erased
from shared.domain.events import (
    CaseAccepted,
    CaseClosed,
    CaseErased,
    CaseEscalated,
    CaseRecalled,
    CaseRecorded,
    CaseReopened,
    CaseReplied,
    CaseReturned,
    CaseRouted,
    CaseTransferred,
    CaseWithdrawn,
    Event,
    RetriageRequested,
)
from shared.runtime.erasing import erase
from shared.runtime.handling import Context, Handler, Need, settle
from shared.storage.tx import Tx

OPEN_CASES = "open-cases-of-unit"
"""The count of the policy that the router makes; the others come with the case."""


def route_case(event: CaseRecorded, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Triage a recorded case; one that came in with its answer is answered at once."""
    known = _handling(tx, event.case_id)
    if known.version:
        return ()
    case = event.case
    decision = ctx.policy.triage(case, _open_cases_of_unit(case, ctx))
    handling = logic.route(known, event.record, case, decision)
    tx.append(DECISIONS, case.id, handling.version, decision.to_bytes())
    events: list[Event] = [
        CaseRouted(case_id=case.id, handling=handling, decision=decision),
    ]
    if case.answer is not None:
        handling = logic.answered_before(handling, case.answer.at, case.answer.by)
        events.append(_replied(handling, case.answer.text))
    tx.put(HANDLINGS, handling)
    return events


def reroute_case(event: CaseReopened, tx: Tx, ctx: Context) -> Sequence[Event]:
    """A dissatisfied rating sends the case round again."""
    known = _handling(tx, event.case_id)
    standing = known.standing.join(event.standing)
    if standing == known.standing:
        return ()
    handling = logic.start_round(known.standing_at(standing), event.at)
    tx.put(HANDLINGS, handling)
    decision = logic.decision_again(handling)
    return [CaseRouted(case_id=event.case_id, handling=handling, decision=decision)]


def retriage_case(command: RetriageCase, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Ask intake, which has the case, for what the policy in force is to decide anew."""
    logic.check_undecided(_handling(tx, command.case_id))
    return [
        RetriageRequested(case_id=command.case_id, by=command.by, reason=command.reason, at=ctx.now)
    ]


def decide_anew(event: CaseRecalled, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Triage a case that is still undecided by the policy that is in force now."""
    known = _handling(tx, event.case_id)
    if event.case is None or not logic.is_undecided(known):
        return ()  # answered, or taken back, while it was on its way
    decision = ctx.policy.triage(event.case, _open_cases_of_unit(event.case, ctx))
    handling = logic.retriage(known, decision, ctx.now)
    if handling == known:
        return ()
    tx.put(HANDLINGS, handling)
    tx.append(DECISIONS, event.case_id, handling.version, decision.to_bytes())
    return [CaseRouted(case_id=event.case_id, handling=handling, decision=decision)]


def raise_level(event: CaseEscalated, tx: Tx, ctx: Context) -> Sequence[Event]:
    """An overdue case may be acted on by the unit above as well."""
    tx.put(HANDLINGS, logic.escalate(_handling(tx, event.case_id), event.to_unit))
    return ()


def erase_case(event: CaseErased, tx: Tx, ctx: Context) -> Sequence[Event]:
    """What was personal in the case is erased, the facts of its decisions with it.

    Sees what was committed: `case.erased` is handled in a transaction of its own for that.
    """
    for version, decision in decisions(tx.connection, event.case_id).items():
        left = erased(decision, event.at)
        if left is not decision:
            tx.revise(DECISIONS, (event.case_id, version), "body", left.to_json())
    return _erase_handling(event, tx, ctx)


def accept_case(command: AcceptCase, tx: Tx, ctx: Context) -> Sequence[Event]:
    """The unit takes the case on."""
    by = _actor(command)
    handling = logic.accept(_handling(tx, command.case_id), by, ctx.now)
    tx.put(HANDLINGS, handling)
    return [CaseAccepted(case_id=command.case_id, handling=handling, by=by, at=ctx.now)]


def return_case(command: ReturnCase, tx: Tx, ctx: Context) -> Sequence[Event]:
    """The unit gives the case back."""
    by = _actor(command)
    handling = logic.give_back(_handling(tx, command.case_id), by, ctx.policy, ctx.now)
    tx.put(HANDLINGS, handling)
    return [
        CaseReturned(
            case_id=command.case_id, handling=handling, by=by, reason=command.reason, at=ctx.now
        )
    ]


def transfer_case(command: TransferCase, tx: Tx, ctx: Context) -> Sequence[Event]:
    """The case goes to the unit that can solve it."""
    by = _actor(command)
    known = _handling(tx, command.case_id)
    handling = logic.transfer(known, by, command.to_unit, ctx.policy, ctx.now)
    tx.put(HANDLINGS, handling)
    return [
        CaseTransferred(
            case_id=command.case_id,
            handling=handling,
            by=by,
            reason=command.reason,
            from_unit=known.unit,
            at=ctx.now,
        )
    ]


def reply_to_case(command: ReplyToCase, tx: Tx, ctx: Context) -> Sequence[Event]:
    """The unit answers."""
    handling = logic.reply(_handling(tx, command.case_id), _actor(command), ctx.now)
    tx.put(HANDLINGS, handling)
    return [_replied(handling, command.reply)]


def needs(cause: Event | Command) -> Iterable[Need]:
    """The case's handling; for a policy, the row by which policies are numbered."""
    if isinstance(cause, ApplyPolicy):
        return ((POLICY_HEAD, HEAD),)
    return ((HANDLINGS, cause.about),)


def _replied(handling: Handling, text: str) -> CaseReplied:
    assert handling.replied_by is not None
    assert handling.replied_at is not None
    return CaseReplied(
        case_id=handling.case_id,
        handling=handling,
        reply=text,
        by=handling.replied_by,
        at=handling.replied_at,
    )


def survey(causes: Sequence[Event | Command], tx: Tx, ctx: Context) -> Mapping[str, int]:
    """The open cases of the units that the batch's new cases fall to, where the policy asks."""
    if not any(count.of == OPEN_CASES for count in ctx.policy.counts.values()):
        return {}
    cases = (cause.case for cause in causes if isinstance(cause, CaseRecorded | CaseRecalled))
    units = {_unit_of(case, ctx) for case in cases if case is not None}
    return open_cases(tx.connection, units) if units else {}


def _open_cases_of_unit(case: Case, ctx: Context) -> Mapping[str, int]:
    wanted = [name for name, count in ctx.policy.counts.items() if count.of == OPEN_CASES]
    return dict.fromkeys(wanted, ctx.figures.get(_unit_of(case, ctx), 0)) if wanted else {}


def _unit_of(case: Case, ctx: Context) -> str:
    return ctx.policy.category_unit(case.category, case.item)


def _handling(tx: Tx, case_id: str) -> Handling:
    return tx.get(HANDLINGS, case_id) or Handling(case_id=case_id)


def _actor(command: UnitCommand) -> Actor:
    return Actor(unit=command.unit, person=command.person)


def _shell(case_id: str) -> Handling:
    return Handling(case_id=case_id)


_erase_handling = erase(HANDLINGS, _shell)


HANDLERS: Mapping[type[Event], Handler] = {
    CaseRecorded: route_case,
    CaseRecalled: decide_anew,
    CaseReopened: reroute_case,
    CaseEscalated: raise_level,
    CaseClosed: settle(HANDLINGS, _shell),
    CaseWithdrawn: settle(HANDLINGS, _shell),
    CaseErased: erase_case,
}

COMMANDS: Mapping[type[Command], Handler] = {
    AcceptCase: accept_case,
    ReturnCase: return_case,
    TransferCase: transfer_case,
    ReplyToCase: reply_to_case,
    ApplyPolicy: apply_policy,
    RetriageCase: retriage_case,
}

PREPARE: Mapping[type[Command], Callable[[Any, Context], None]] = {ApplyPolicy: try_policy}
