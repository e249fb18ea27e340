"""Who may judge an answer, and what follows from the judgement, as pure functions."""

from __future__ import annotations

from datetime import datetime

from shared.domain.aggregates import Handling, Judgement, JudgementState, Rating
from shared.domain.case import Standing, State
from shared.domain.commands import RateReply
from shared.domain.errors import Conflict, NotFound, Refusal
from shared.domain.ids import digest
from shared.domain.policy import Policy

LONGEST_COMMENT = 5_000
"""Characters of a rating's comment: several pages."""


def follow(known: Judgement, handling: Handling) -> Judgement:
    """The judgement after a newer handling; no event of ours."""
    return known.standing_at(handling.standing).but(
        handling_version=handling.version,
        level=handling.level,
        unit=handling.unit,
        subject=handling.subject,
    )


def is_open(judgement: Judgement, handling: Handling) -> bool:
    """Whether the round that this handling is about is still without a judgement."""
    return (
        judgement.state is JudgementState.NONE
        and judgement.standing.state is State.OPEN
        and judgement.standing == handling.standing
    )


def is_asked(judgement: Judgement) -> bool:
    """Whether somebody is entitled to rate and has not done so."""
    return judgement.state is JudgementState.ASKED and judgement.standing.state is State.OPEN


def entitled(handling: Handling, policy: Policy) -> str | None:
    """Who is asked to rate: the policy's first choice, never one who rates the own work.

    None where the policy knows nobody, and where the answer was given before the case came in.
    """
    if handling.reply_preceded:
        return None
    asked = policy.evaluators(handling)
    return next((one for one in asked if not handling.is_work_of(one)), None)


def lives_until(handling: Handling, now: datetime, policy: Policy) -> datetime:
    """When a link that is given out now lapses, by the limits of the case's colour and level.

    Raises `ConfigurationError` where that lies outside the policy's calendar.
    """
    return policy.calendar.due(now, handling.limits.rating or policy.rating_days)


def ask(
    known: Judgement, evaluator: str, token: str, reply: str, now: datetime, lapses_at: datetime
) -> Judgement:
    """Somebody is asked to rate the answer of the present round, by a link with this token."""
    return known.next(
        state=JudgementState.ASKED,
        evaluator=evaluator,
        asked_at=now,
        lapses_at=lapses_at,
        links=(*known.links, digest(token)),
        reply=reply,
    )


def not_asked(known: Judgement, reply: str = "") -> Judgement:
    """Nobody will be asked to rate the present round. No event by itself: the case is closed."""
    return known.but(state=JudgementState.NOT_ASKED, reply=reply)


def rateable(judgement: Judgement | None, token: str, now: datetime) -> Judgement:
    """The judgement that a link's token still entitles to; otherwise raises why it does not."""
    link = digest(token)
    if judgement is None or link not in judgement.links:
        raise NotFound.of(
            "token",
            "unknown-link",
            "This is no link that we gave out: copy it whole from its letter",
        )
    if judgement.erased_at is not None:
        raise _dead("case-erased", "The case ended long ago; what was personal in it is erased")
    if judgement.standing.state is State.WITHDRAWN:
        raise _dead("case-withdrawn", "The case was taken back: there is nothing left to rate")
    if _is_used(judgement, link):
        raise _dead("link-used", "This answer has been rated; each answer is rated once")
    if judgement.state is JudgementState.LAPSED or _has_lapsed(judgement, now):
        raise _dead("link-lapsed", "The time for rating this answer is over")
    if not is_asked(judgement):
        raise _dead("link-superseded", "This link no longer stands for an answer that waits")
    return judgement


def _is_used(judgement: Judgement, link: str) -> bool:
    """Whether the answer was rated for which a link was given out: now, or in an earlier round."""
    earlier = link != judgement.links[-1] or judgement.state is JudgementState.NONE
    return earlier or judgement.rating is not None


def _has_lapsed(judgement: Judgement, now: datetime) -> bool:
    return judgement.lapses_at is not None and now > judgement.lapses_at


def _dead(code: str, message: str) -> Refusal:
    return Conflict.of("token", code, message)


def rate(known: Judgement, command: RateReply, now: datetime, policy: Policy) -> Judgement:
    """The judgement with its rating; refused if the score is not on the policy's scale."""
    score = policy.scale.get(command.score)
    if score is None:
        scale = ", ".join(policy.scale)
        raise Refusal.of("score", "unknown-score", f"{command.score!r} is none of: {scale}")
    comment = command.comment.replace("\r\n", "\n").strip()
    if len(comment) > LONGEST_COMMENT:
        raise Refusal.of(
            "comment",
            "too-long",
            f"{len(comment):,} characters: shorten it to {LONGEST_COMMENT:,} or fewer",
        )
    assert known.evaluator is not None
    rating = Rating(
        score=score.id,
        value=score.value,
        satisfied=score.satisfied,
        comment=comment,
        by=known.evaluator,
        at=now,
    )
    return known.next(state=JudgementState.RATED, rating=rating)


def lapse(known: Judgement) -> Judgement:
    """Nobody rated in time."""
    return known.next(state=JudgementState.LAPSED)


def close(known: Judgement) -> Judgement:
    """The loop is closed in the present round."""
    return known.next(standing=Standing(state=State.CLOSED, round=known.standing.round))


def goes_round_again(known: Judgement, policy: Policy) -> bool:
    """Whether a dissatisfied rating of the present round reopens the case."""
    return known.standing.round < policy.rounds


def reopen(known: Judgement) -> Judgement:
    """The next round, in which nobody has answered or judged yet."""
    return known.next(
        state=JudgementState.NONE,
        standing=Standing(state=State.OPEN, round=known.standing.round + 1),
        evaluator=None,
        asked_at=None,
        lapses_at=None,
        rating=None,
        reply="",
    )
