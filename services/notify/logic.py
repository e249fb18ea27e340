"""Who is told what and when, as pure functions of what happened, the policy and the moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.notify.notices import Notice, NoticeState, Outcome, Told, Watch
from shared.domain.aggregates import Clocks, Handling
from shared.domain.case import Standing
from shared.domain.errors import Conflict
from shared.domain.ids import digest
from shared.domain.notices import Addressee, Happening, is_lost_before
from shared.domain.policy import Policy

SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""Pauses after the first try and each further one: the Standard Webhooks specification's."""

TRIES = 1 + len(SCHEDULE)
"""Tries in three days; then a message has failed."""

JITTER = 0.2
"""The share by which a pause is longer or shorter, so that not all come back at once."""

LEASE = timedelta(minutes=5)
"""How long a message is in one replica's hands: longer than any try can last."""

LONGEST_WAIT = timedelta(days=1)
"""The most that a receiver may ask us to wait."""

_ASKS = frozenset(("case.routed", "case.accepted", "case.returned", "case.transferred"))
_WARNS = frozenset(("case.due-soon", "case.overdue", "case.escalated"))


# ── what is known of a case ───────────────────────────────────────────────────────────────────


def follow(known: Watch, handling: Handling) -> Watch:
    """The watch after a handling; an older one changes nothing."""
    if known.handling is not None and handling.version <= known.handling.version:
        return known
    standing = known.standing.join(handling.standing)
    kept = known.supervisors if standing.round == known.standing.round else ()
    return known.but(
        handling=handling,
        standing=standing,
        supervisors=tuple(dict.fromkeys((*kept, *handling.supervisors))),
    )


def keep_time(known: Watch, clocks: Clocks, to_unit: str | None = None) -> Watch:
    """The watch after an event about its clocks; an older due date changes nothing."""
    changes: dict[str, object] = {"standing": known.standing.join(clocks.standing)}
    if clocks.version > known.clocks_version:
        changes |= {"due_at": clocks.due_at, "clocks_version": clocks.version}
    if to_unit is not None:
        changes["supervisors"] = tuple(dict.fromkeys((*known.supervisors, to_unit)))
    return known.but(**changes)


def settle(known: Watch, standing: Standing) -> Watch:
    """The watch after a fact about where the case stands."""
    joined = known.standing.join(standing)
    if joined == known.standing:
        return known
    kept = known.supervisors if joined.round == known.standing.round else ()
    return known.but(standing=joined, supervisors=kept)


def holds(told: Told, watch: Watch | None) -> bool:
    """Whether it is still of use to tell: nobody is called to what has been answered."""
    if watch is None or watch.handling is None or not told.answer_owed:
        return True
    if told.event in _WARNS:
        return watch.waits and told.round == watch.standing.round
    if told.event in _ASKS:
        here = told.unit == watch.handling.unit
        return here and watch.waits and told.round == watch.standing.round
    return True


# ── what is told ──────────────────────────────────────────────────────────────────────────────


def tell(
    happening: Happening, told: Told, watch: Watch, policy: Policy, ways: frozenset[str]
) -> Sequence[Addressee]:
    """Who is told; nobody where it no longer matters, or was lost before the case came in."""
    lost = told.event == "case.routed" and is_lost_before(happening.handling, policy.calendar)
    if lost or not holds(told, watch):
        return ()
    return [one for one in policy.addressees(happening) if one.way in ways]


def notice(
    addressee: Addressee,
    told: Told,
    cause: str,
    happened_at: datetime,
    now: datetime,
    policy: Policy,
) -> Notice:
    """The message to one addressee; `cause` is the id of the event that is told.

    Its id follows from the cause and the address, so that the same event makes it once.
    """
    planned = policy.messages.opens(now, told.colour, policy.calendar)
    return Notice(
        id=digest(f"{cause}\n{addressee.way}\n{addressee.to}"),
        case_id=told.case_id,
        event=told.event,
        way=addressee.way,
        to=addressee.to,
        role=addressee.role,
        unit=addressee.unit,
        row=addressee.row,
        colour=told.colour,
        urgency=0 if told.colour == next(iter(policy.colours), None) else 1,
        told=told,
        happened_at=happened_at,
        planned_at=planned,
        next_at=planned,
    )


# ── tries ─────────────────────────────────────────────────────────────────────────────────────


def lease(known: Notice, holder: str, now: datetime) -> Notice:
    """The message in the hands of whoever tries it now."""
    return known.but(lease=holder, tries=known.tries + 1, next_at=now + LEASE)


def drop(known: Notice, now: datetime) -> Notice:
    """The message that nobody needs any more."""
    return _without_subjects(_over(known, NoticeState.DROPPED, now, known.reason))


def conclude(known: Notice, outcome: Outcome, now: datetime, chance: float) -> Notice:
    """The message after a try; `chance` from 0 to 1 draws the jitter."""
    if not outcome.reason:
        return _without_subjects(_over(known, NoticeState.DELIVERED, now, ""))
    if outcome.final or known.tries >= TRIES:
        return _over(known, NoticeState.FAILED, now, outcome.reason)
    pause = SCHEDULE[known.tries - 1] * (1 + JITTER * (2 * chance - 1))
    asked = min(timedelta(seconds=outcome.wait), LONGEST_WAIT)
    return known.but(next_at=now + max(pause, asked), reason=outcome.reason, lease="")


def without_case(known: Notice, case_id: str, now: datetime) -> Notice:
    """The message once one of its cases was erased: it is not sent any more if it was about that.

    Who was told is known by unit; the address of a person goes.
    """
    if known.case_id != case_id:
        return _without_subjects(known, case_id)
    left = _without_subjects(known)
    if not known.unit:
        left = left.but(to="")
    return left if known.state is not NoticeState.WAITING else drop(left, now)


def _without_subjects(known: Notice, case_id: str = "") -> Notice:
    """A message without the subjects of its cases, or of one of them: nobody reads them again."""
    changes: dict[str, object] = {}
    if known.told is not None and known.told.subject is not None:
        changes["told"] = known.told.but(subject=None)
    if known.day_list is not None:
        changes["day_list"] = known.day_list.without_subjects(case_id)
    return known.but(**changes) if changes else known


def again(known: Notice, now: datetime) -> Notice:
    """A failed message from the beginning of its schedule; raises `Conflict` for any other."""
    if known.state is not NoticeState.FAILED:
        raise Conflict.of(
            "notification_id",
            "not-failed",
            f"this notification is {known.state.value}: only a failed one can be tried again",
        )
    return known.but(state=NoticeState.WAITING, tries=0, next_at=now, done_at=None)


def _over(known: Notice, state: NoticeState, now: datetime, reason: str) -> Notice:
    return known.but(state=state, done_at=now, next_at=None, reason=reason, lease="")
