"""How a case is handled, as pure functions: every act gives the next handling or is refused."""

from __future__ import annotations

from datetime import datetime

from shared.domain.aggregates import Actor, Decision, Handling, HandlingState, Record
from shared.domain.case import Case, State
from shared.domain.errors import Conflict, NotFound, Refusal
from shared.domain.policy import Policy

ANSWERABLE = (HandlingState.ROUTED, HandlingState.ACCEPTED)


def route(known: Handling, record: Record, case: Case, decision: Decision) -> Handling:
    """The handling of a recorded case, as the policy decided."""
    state = HandlingState.ROUTED if decision.answer_owed else HandlingState.NOTED
    return known.next(
        state=state,
        kind=case.kind,
        channel=case.channel,
        colour=decision.colour,
        unit=decision.unit,
        level=decision.level,
        answer_owed=decision.answer_owed,
        limits=decision.limits,
        recorder=case.recorder,
        station=case.station,
        informant_ref=case.informant.ref,
        informant_reachable=case.informant.contact is not None,
        subject=case.subject,
        received_at=case.received_at,
        started_at=case.recorded_at,
        policy_version=decision.policy_version,
        standing=known.standing.join(record.standing),
    )


def start_round(known: Handling, at: datetime) -> Handling:
    """The handling of a reopened case: the same unit again, on a fresh clock."""
    return known.next(
        state=HandlingState.ROUTED,
        started_at=at,
        given_at=None,
        accepted_at=None,
        replied_at=None,
        replied_by=None,
        reply_preceded=False,
    )


def is_undecided(known: Handling) -> bool:
    """Whether the case is open and still waits for its answer."""
    return known.standing.state is State.OPEN and known.state in ANSWERABLE


def check_undecided(known: Handling) -> None:
    """Raise why the policy can no longer decide the case anew, where that is so."""
    if known.state is HandlingState.PENDING:
        raise _unknown(known)
    if not is_undecided(known):
        state = known.state if known.standing.state is State.OPEN else known.standing.state
        raise Conflict.of("case_id", f"case-{state}", f"the case is {state}: it is decided")


def retriage(known: Handling, decision: Decision, at: datetime) -> Handling:
    """The handling as another version of the policy decides it; the clock's start stays.

    With the unit that has it already, what that has done about it stays as well. The same object
    where nothing changes.
    """
    changes: dict[str, object] = {
        "colour": decision.colour,
        "unit": decision.unit,
        "level": decision.level,
        "answer_owed": decision.answer_owed,
        "limits": decision.limits,
        "policy_version": decision.policy_version,
    }
    if all(getattr(known, name) == value for name, value in changes.items()):
        return known
    if decision.unit != known.unit:
        changes |= {"assignee": None, "accepted_at": None, "came_from": known.unit}
        changes["given_at"] = at
        changes["state"] = HandlingState.ROUTED
    if not decision.answer_owed:
        changes["state"] = HandlingState.NOTED
    return known.next(**changes)


def decision_again(known: Handling) -> Decision:
    """The decision of a further round: what the first one decided goes on."""
    return Decision(
        colour=known.colour,
        unit=known.unit,
        level=known.level,
        answer_owed=known.answer_owed,
        limits=known.limits,
        table="reopening",
        row="whoever answered answers again",
        policy_version=known.policy_version,
    )


def answered_before(routed: Handling, at: datetime, by: str | None) -> Handling:
    """The handling of a case that came in with its answer."""
    return routed.next(
        state=HandlingState.REPLIED,
        replied_at=at,
        replied_by=Actor(unit=routed.unit, person=by),
        reply_preceded=True,
    )


def accept(known: Handling, by: Actor, at: datetime) -> Handling:
    """The unit takes the case on."""
    _may_act(known, by, ANSWERABLE[:1], "accepted")
    return known.next(state=HandlingState.ACCEPTED, assignee=by.person, accepted_at=at)


def transfer(known: Handling, by: Actor, to_unit: str, policy: Policy, at: datetime) -> Handling:
    """The case moves to another unit; recorder and reply clock stay as they are."""
    _may_act(known, by, ANSWERABLE, "transferred")
    unit = policy.units.get(to_unit)
    if unit is None:
        raise Refusal.of("to_unit", "unknown-unit", f"{to_unit!r} is no unit of this house")
    if to_unit == known.unit:
        raise Refusal.of("to_unit", "same-unit", f"the case lies with {to_unit!r} already")
    return known.next(
        state=HandlingState.ROUTED,
        unit=to_unit,
        level=unit.level,
        assignee=None,
        given_at=at,
        accepted_at=None,
        came_from=known.unit,
    )


def give_back(known: Handling, by: Actor, policy: Policy, at: datetime) -> Handling:
    """The case goes back to the unit that it came from, or to the one above."""
    _may_act(known, by, ANSWERABLE[:1], "returned")
    own = policy.units.get(known.unit)
    back = known.came_from or (own.parent if own else None)
    if back is None or back not in policy.units:
        raise Conflict.of(
            "unit", "nowhere-to-return", f"above {known.unit!r} there is no unit: transfer it"
        )
    return known.next(
        state=HandlingState.ROUTED,
        unit=back,
        level=policy.units[back].level,
        assignee=None,
        given_at=at,
        came_from=None,
    )


def reply(known: Handling, by: Actor, at: datetime) -> Handling:
    """The unit, or one that the case was escalated to, answers."""
    _may_act(known, by, ANSWERABLE, "answered")
    return known.next(state=HandlingState.REPLIED, replied_at=at, replied_by=by)


def escalate(known: Handling, to_unit: str) -> Handling:
    """Another service's fact: a unit above may act from now on. No event of ours."""
    if to_unit in known.supervisors:
        return known
    return known.but(supervisors=(*known.supervisors, to_unit))


def _may_act(
    known: Handling, by: Actor, states: tuple[HandlingState, ...], participle: str
) -> None:
    if known.state is HandlingState.PENDING:
        raise _unknown(known)
    if known.standing.state is not State.OPEN:
        state = known.standing.state
        raise Conflict.of(
            "case_id", f"case-{state}", f"the case is {state} and cannot be {participle}"
        )
    if by.unit not in (known.unit, *known.supervisors):
        raise Conflict.of(
            "unit", "wrong-unit", f"the case lies with {known.unit!r}, not with {by.unit!r}"
        )
    if known.state not in states:
        raise Conflict.of(
            "case_id", f"case-{known.state}", f"a case that is {known.state} cannot be {participle}"
        )


def _unknown(known: Handling) -> Refusal:
    return NotFound.of("case_id", "unknown-case", f"{known.case_id} has not been routed")
