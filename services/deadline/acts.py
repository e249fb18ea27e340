"""Pauses and extensions, as pure functions: every act gives the next clocks or is refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.deadline.plan import planned, runs
from shared.domain.aggregates import Actor, Clocks, Extension, ExtensionState, Pause
from shared.domain.case import State
from shared.domain.clock_rules import HANDLER, ExtensionRule, PauseRule, entitled
from shared.domain.commands import PauseClock, RequestExtension
from shared.domain.errors import ConfigurationError, Conflict, NotFound, Refusal
from shared.domain.policy import Policy


def pause(known: Clocks, command: PauseClock, policy: Policy, now: datetime) -> Clocks:
    """The clocks, which stand still from now on."""
    _running(known, now)
    rule = policy.clocks.pauses.get(command.reason)
    if rule is None:
        reasons = ", ".join(policy.clocks.pauses) or "none"
        raise Refusal.of(
            "reason",
            "unknown-reason",
            f"the policy knows no pause for {command.reason!r}; it knows: {reasons}",
        )
    by = Actor(unit=command.unit, person=command.person)
    _entitled(by, rule.by, known, policy, f"pause for {command.reason!r}")
    if known.pause is not None:
        raise Conflict.of(
            "case_id",
            "already-paused",
            f"the clocks stand still already, for {known.pause.reason!r}: resume them first",
        )
    _before_the_end(known, now, "paused")
    until = _until(command, rule, policy, now)
    paused = Pause(reason=command.reason, by=by, at=now, until=until)
    return _with(known, policy, pauses=(*known.pauses, paused))


def resume(known: Clocks, by: Actor, policy: Policy, now: datetime) -> Clocks:
    """The clocks, which go on from now on."""
    _known(known)
    lasting = known.pause
    if lasting is None or known.standing.state is not State.OPEN:
        raise Conflict.of("case_id", "not-paused", "the clocks do not stand still by a pause")
    rule = policy.clocks.pauses.get(lasting.reason, PauseRule(title={}))
    _entitled(by, (HANDLER, *rule.by), known, policy, f"resume after {lasting.reason!r}")
    # By another machine's clock the pause may be yet to begin, or over already.
    end = max(lasting.at, min(now, lasting.until))
    ended = lasting.but(ended_at=end, ended_by=by)
    return _with(known, policy, pauses=_replaced(known.pauses, lasting, ended))


def request(known: Clocks, command: RequestExtension, policy: Policy, now: datetime) -> Clocks:
    """The clocks with a request for more time; the due date stays."""
    _running(known, now)
    rule = _extensions(policy)
    by = Actor(unit=command.unit, person=command.person)
    _entitled(by, rule.asked_by, known, policy, "ask for more time")
    if command.days > rule.max_days:
        raise Refusal.of(
            "days", "too-large", f"too long: the policy grants at most {rule.max_days} at a time"
        )
    if _waiting(known) is not None:
        raise Conflict.of(
            "case_id", "already-asked", "more time has been asked for: wait for the decision"
        )
    counted = [each for each in known.extensions if each.state is not ExtensionState.REFUSED]
    if len(counted) >= rule.most:
        raise Conflict.of(
            "case_id",
            "no-more-extensions",
            f"the policy grants {rule.most} in a round, and that many there were",
        )
    _before_the_end(known, now, "extended")
    asked = Extension(days=command.days, reason=command.reason, by=by, at=now)
    return known.next(extensions=(*known.extensions, asked))


def decide(
    known: Clocks, by: Actor, policy: Policy, now: datetime, *, granted: bool, note: str
) -> Clocks:
    """The clocks once a request for more time is granted or refused."""
    _running(known, now)
    rule = _extensions(policy)
    _entitled(by, rule.decided_by, known, policy, "decide on more time")
    asked = _waiting(known)
    if asked is None:
        raise Conflict.of("case_id", "nothing-asked", "nobody has asked for more time")
    if granted:
        _before_the_end(known, now, "extended")
    decided = asked.but(
        state=ExtensionState.GRANTED if granted else ExtensionState.REFUSED,
        decided_by=by,
        decided_at=now,
        note=note,
    )
    return _with(known, policy, extensions=_replaced(known.extensions, asked, decided))


def _with(known: Clocks, policy: Policy, **changes: object) -> Clocks:
    try:
        return planned(known.but(**changes), policy).next()
    except ConfigurationError as outside:
        raise Refusal.of("case_id", "outside-calendar", f"{outside}") from outside


def _replaced(acts: tuple[object, ...], before: object, after: object) -> tuple[object, ...]:
    return tuple(after if act is before else act for act in acts)


def _waiting(clocks: Clocks) -> Extension | None:
    asked = (each for each in clocks.extensions if each.state is ExtensionState.ASKED)
    return next(asked, None)


def _until(command: PauseClock, rule: PauseRule, policy: Policy, now: datetime) -> datetime:
    """When the pause ends by itself."""
    latest = policy.calendar.due(now, rule.max_days)
    if command.until is None:
        return latest
    if command.until <= now:
        raise Refusal.of("until", "in-the-past", "the pause would be over: give a later moment")
    if command.until > latest:
        last = policy.calendar.local_day(latest)
        raise Refusal.of(
            "until",
            "too-long",
            f"the policy lets the clocks stand still for {rule.max_days} working days at most:"
            f" give a moment until the end of {last}",
        )
    return command.until


def _known(clocks: Clocks) -> None:
    if not clocks.handling_version:
        raise NotFound.of(
            "case_id", "unknown-case", f"nothing is known of a routed case {clocks.case_id}"
        )


def _running(clocks: Clocks, now: datetime) -> None:
    _known(clocks)
    state = clocks.standing.state
    if state is not State.OPEN:
        raise Conflict.of("case_id", f"case-{state}", f"the case is {state}: its clocks stand")
    if clocks.due_at is None:
        raise Conflict.of("case_id", "no-clock", "no answer is owed, so no clock runs")
    if not runs(clocks):
        raise Conflict.of("case_id", "clock-stopped", "the answer is given: the clocks stand")
    assert clocks.started_at is not None
    if now < clocks.started_at:
        raise Conflict.of(
            "case_id",
            "not-started",
            f"the clocks start at {clocks.started_at.isoformat()}, which is yet to come",
        )


def _before_the_end(clocks: Clocks, now: datetime, participle: str) -> None:
    assert clocks.due_at is not None
    if now > clocks.due_at:
        raise Conflict.of(
            "case_id",
            "deadline-passed",
            f"the deadline passed at {clocks.due_at.isoformat()}: it can no longer be {participle}",
        )


def _extensions(policy: Policy) -> ExtensionRule:
    rule = policy.clocks.extension
    if rule is None:
        raise Conflict.of("case_id", "no-extensions", "the policy grants no more time to anybody")
    return rule


def _entitled(by: Actor, roles: Sequence[str], clocks: Clocks, policy: Policy, what: str) -> None:
    own = policy.units.get(clocks.unit)
    units = entitled(roles, clocks.unit, own.parent if own else None)
    if by.unit not in units:
        who = " or ".join(map(repr, units)) or "nobody: the case lies at the top of the house"
        raise Conflict.of("unit", "not-entitled", f"{by.unit!r} may not {what}; who may: {who}")
