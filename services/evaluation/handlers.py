"""What the evaluation service does about an answer: ask, record the rating, close or reopen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.evaluation import logic
from services.evaluation.store import JUDGEMENTS, lapsing
from shared.domain.aggregates import Judgement
from shared.domain.commands import Command, RateReply
from shared.domain.events import (
    CaseClosed,
    CaseErased,
    CaseReopened,
    CaseReplied,
    CaseRouted,
    CaseWithdrawn,
    EvaluationLapsed,
    EvaluationReceived,
    EvaluationRequested,
    Event,
    PolicyApplied,
)
from shared.runtime.erasing import erase
from shared.runtime.handling import Context, Handler, Need, Timer, settle
from shared.runtime.versions import keep_policy
from shared.storage.tx import Tx


def enter_case(event: CaseRouted, tx: Tx, ctx: Context) -> Sequence[Event]:
    """A case is in the books; one that is owed no answer is closed."""
    known, handling = _judgement(tx, event.case_id), event.handling
    if handling.version <= known.handling_version:
        return ()
    judgement = logic.follow(known, handling)
    if handling.answer_owed or not logic.is_open(judgement, handling):
        tx.put(JUDGEMENTS, judgement)
        return ()
    return [_close(logic.not_asked(judgement), "no-answer-owed", tx, ctx)]


def ask_for_rating(event: CaseReplied, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Ask whoever is entitled to rate the answer; where nobody is, the case is closed."""
    known, handling = _judgement(tx, event.case_id), event.handling
    if handling.version <= known.handling_version:
        return ()
    judgement = logic.follow(known, handling)
    if not logic.is_open(judgement, handling):
        tx.put(JUDGEMENTS, judgement)
        return ()
    evaluator = logic.entitled(handling, ctx.policy)
    if evaluator is None:
        return [_close(logic.not_asked(judgement, event.reply), "not-rated", tx, ctx)]
    lapses_at = logic.lives_until(handling, ctx.now, ctx.policy)
    token = ctx.new_token(event.case_id)
    judgement = logic.ask(judgement, evaluator, token, event.reply, ctx.now, lapses_at)
    tx.put(JUDGEMENTS, judgement)
    return [
        EvaluationRequested(case_id=event.case_id, judgement=judgement, link=ctx.link(token)),
    ]


def rate_reply(command: RateReply, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Record a rating: a satisfied one closes the case, another sends it round again."""
    known = logic.rateable(tx.get(JUDGEMENTS, command.claimed), command.token, ctx.now)
    judgement = logic.rate(known, command, ctx.now, ctx.policy)
    rating = judgement.rating
    assert rating is not None
    received = EvaluationReceived(case_id=known.case_id, judgement=judgement, rating=rating)
    if rating.satisfied:
        return [received, _close(judgement, "satisfied", tx, ctx)]
    if not logic.goes_round_again(judgement, ctx.policy):
        return [received, _close(judgement, "rounds-exhausted", tx, ctx)]
    judgement = logic.reopen(judgement)
    tx.put(JUDGEMENTS, judgement)
    return [
        received,
        CaseReopened(case_id=known.case_id, judgement=judgement, reason="dissatisfied", at=ctx.now),
    ]


def let_links_lapse(tx: Tx, ctx: Context) -> Sequence[Event]:
    """Close what nobody rated in time, also while nobody was up."""
    if not ctx.certain:
        return ()  # the clock has just jumped ahead: a case that is closed stays closed
    events: list[Event] = []
    for known in lapsing(tx, ctx.now):
        judgement = logic.lapse(known)
        events.append(EvaluationLapsed(case_id=known.case_id, judgement=judgement))
        events.append(_close(judgement, "lapsed", tx, ctx))
    return events


def needs(cause: Event | Command) -> Iterable[Need]:
    """The case's judgement; a rating's token names its case."""
    case_id = cause.claimed if isinstance(cause, RateReply) else cause.about
    return ((JUDGEMENTS, case_id),)


def _close(judgement: Judgement, reason: str, tx: Tx, ctx: Context) -> CaseClosed:
    closed = logic.close(judgement)
    tx.put(JUDGEMENTS, closed)
    return CaseClosed(case_id=closed.case_id, judgement=closed, reason=reason, at=ctx.now)


def _judgement(tx: Tx, case_id: str) -> Judgement:
    return tx.get(JUDGEMENTS, case_id) or _shell(case_id)


def _shell(case_id: str) -> Judgement:
    return Judgement(case_id=case_id)


HANDLERS: Mapping[type[Event], Handler] = {
    CaseRouted: enter_case,
    CaseReplied: ask_for_rating,
    CaseWithdrawn: settle(JUDGEMENTS, _shell),
    CaseErased: erase(JUDGEMENTS, _shell),
    PolicyApplied: keep_policy,
}

COMMANDS: Mapping[type[Command], Handler] = {RateReply: rate_reply}

TIMERS = (Timer("lapses", 10.0, let_links_lapse),)
