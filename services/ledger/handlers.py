"""What the ledger does when it hears of something: whatever it is, it enters it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.ledger import logic
from services.ledger.dossier import Dossier
from services.ledger.entering import NAME, append, chain_end
from services.ledger.erasing import erase_entries, erase_facts
from services.ledger.reviewing import sign_review
from services.ledger.shadowing import NAME as SHADOW_NAME
from services.ledger.shadowing import shadow_policy, try_shadow
from services.ledger.store import CHAIN, DOSSIERS, FACTS, RATINGS, REVIEWS, SHADOW
from shared.domain.commands import Command, ShadowPolicy, SignReview
from shared.domain.erasure import erased
from shared.domain.events import EVENTS, CaseErased, Event, PolicyApplied
from shared.domain.reviews import key_of
from shared.runtime.handling import Context, Handler, Need
from shared.runtime.versions import keep_policy
from shared.storage.tx import Tx


def enter(event: Event, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Append the event to the journal and take it into its case's dossier."""
    if event.aggregate is None:
        append(event, tx, ctx)
        return ()
    known = tx.get(DOSSIERS, event.case_id) or Dossier(case_id=event.case_id)
    if not known.first_seq:
        known = known.but(first_seq=chain_end(tx).seq + 1)
    append(event, tx, ctx, known.first_seq)
    dossier = logic.enter(known, event)
    tx.put(DOSSIERS, dossier)
    rating = logic.rating(dossier, event)
    if rating is not None:
        tx.put(RATINGS, rating)
    if known.recorded_at is None:
        facts = logic.facts(event, known.first_seq)
        if facts is not None:
            tx.append(FACTS, *facts)
    return ()


def erase_case(event: CaseErased, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Enter that the case is erased, and erase what the ledger holds of it."""
    enter(event, tx, ctx)
    dossier = tx.get(DOSSIERS, event.case_id)
    assert dossier is not None, "it was entered just now"
    tx.put(DOSSIERS, erased(dossier, event.at))
    erase_facts(event, dossier.first_seq, tx)
    erase_entries(event, dossier.first_seq, tx, ctx)
    return ()


def enter_policy(event: PolicyApplied, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Append the event to the journal, and keep the version as every service does."""
    append(event, tx, ctx)
    return keep_policy(event, tx, ctx)


def needs(cause: Event | Command) -> Sequence[Need]:
    """The chain's end, and the dossier of the event's case; for a command, its own row."""
    if isinstance(cause, Event):
        return (_END, (DOSSIERS, cause.case_id)) if cause.case_id else (_END,)
    if isinstance(cause, ShadowPolicy):
        return ((SHADOW, SHADOW_NAME),)
    if isinstance(cause, SignReview):
        return ((REVIEWS, key_of(cause.reviewed, cause.month)),)
    return (_END,)


_END = (CHAIN, NAME)

HANDLERS: Mapping[type[Event], Handler] = {
    **dict.fromkeys(EVENTS.values(), enter),
    PolicyApplied: enter_policy,
    CaseErased: erase_case,
}

COMMANDS: Mapping[type[Command], Handler] = {ShadowPolicy: shadow_policy, SignReview: sign_review}

PREPARE: Mapping[type[Command], Callable[[Any, Context], None]] = {ShadowPolicy: try_shadow}
