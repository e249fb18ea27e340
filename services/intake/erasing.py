"""Erasing what is personal in cases that ended long enough ago, by the policy that is in force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.intake import counts, logic, repeats
from services.intake.store import FINGERPRINTS, MOST, RECORDS, SIGHTINGS, ended
from shared.domain.aggregates import Record
from shared.domain.case import Case, Kind
from shared.domain.events import CaseErased, Event
from shared.domain.keeping import kept_since
from shared.runtime.erasing import erase_parked
from shared.runtime.handling import Context
from shared.storage.tx import Tx


def erase_ended(tx: Tx, ctx: Context) -> Sequence[Event]:
    """Erase what the policy lets nobody keep any longer, and tell all who keep something of it."""
    if not ctx.certain:
        return ()  # the clock has just jumped ahead: what is erased stays erased
    return [_erase(known, tx, ctx) for known in _due(tx, ctx)]


def _due(tx: Tx, ctx: Context) -> Iterator[Record]:
    rule, left = ctx.policy.retention, MOST
    if rule is None:
        return
    for kind in Kind:
        days = rule.days_of(kind)
        if days is None or not left:
            continue
        found = ended(tx, kind, kept_since(ctx.now, days, ctx.policy.calendar), left)
        left -= len(found)
        yield from found


def _erase(known: Record, tx: Tx, ctx: Context) -> Event:
    assert known.case is not None, "a record without a case has no kind to be found by"
    assert known.ended_at is not None
    _forget_words(known.case, tx)
    record = logic.erase(known, ctx.now)
    tx.put(RECORDS, record)
    event = CaseErased(case_id=known.case_id, record=record, ended_at=known.ended_at, at=ctx.now)
    erase_parked(event, tx)
    return event


def _forget_words(case: Case, tx: Tx) -> None:
    """The digests by which repeats are found and counted tell whoever guesses what was said."""
    matter = tx.get(FINGERPRINTS, case.matter)
    if matter is not None:
        left = repeats.without(matter, case.recorded_at)
        if left.runs:
            tx.put(FINGERPRINTS, left)
        else:
            tx.remove(FINGERPRINTS, matter.fingerprint)
    for key in counts.all_keys_of(case):
        seen = tx.get(SIGHTINGS, key)
        if seen is None:
            continue
        rest = counts.without(seen, case.recorded_at)
        if rest.moments:
            tx.put(SIGHTINGS, rest)
        else:
            tx.remove(SIGHTINGS, key)
