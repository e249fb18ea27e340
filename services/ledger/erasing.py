"""Erasing what is personal in the journal, whose chain stays whole and verifiable, and in facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import sqlalchemy as sa

from services.ledger.dossier import Facts
from services.ledger.entering import append_entry
from services.ledger.erasure import ERASED_ENTRIES, ErasedEntries, left_of
from services.ledger.journal import as_json, digest_of
from services.ledger.logic import facts
from services.ledger.store import DOSSIERS, FACTS, JOURNAL, about
from shared.domain.events import CaseErased
from shared.domain.ids import new_id
from shared.domain.model import micros
from shared.runtime.handling import Context
from shared.storage.tx import Tx

REMEMBERED = 2000
"""Cases whose erased entries a verification keeps in mind: a case's stand near each other."""

_entry = JOURNAL.table.c


def erase_entries(event: CaseErased, first_seq: int, tx: Tx, ctx: Context) -> None:
    """Erase every entry of the case, and write down what is left of each, sealed by the chain.

    Sees what was committed: `case.erased` is handled in a transaction of its own for that.
    """
    query = (
        sa.select(_entry.seq, _entry.type, _entry.body)
        .where(about(event.case_id, first_seq))
        .order_by(_entry.seq)
    )
    digests: dict[int, str] = {}
    for seq, type_, body in tx.connection.execute(query):
        left = left_of(type_, body, event.at)
        if left != body:
            tx.revise(JOURNAL, (seq,), "body", left)
            digests[seq] = digest_of(left.encode())
    cause = ctx.cause
    assert cause is not None, "an event is heard in an envelope"
    append_entry(
        tx,
        new_id(),
        ERASED_ENTRIES,
        event.case_id,
        None,
        None,
        micros(ctx.now),
        cause.correlationid,
        cause.policyversion,
        body=as_json(ErasedEntries(case_id=event.case_id, left=digests)),
    )


def erase_facts(event: CaseErased, first_seq: int, tx: Tx) -> None:
    """Leave of what was recorded what is left of it in the event."""
    left = facts(event, first_seq)
    query = sa.select(FACTS.table).where(FACTS.table.c.first_seq == first_seq)
    known = tx.connection.execute(query).one_or_none()
    if left is None or known is None:  # what the event itself brought is erased already
        return
    for column, was, now in zip(Facts._fields, known, left, strict=True):
        if was != now:
            tx.revise(FACTS, (first_seq,), column, now)


def erasures(connection: sa.Connection) -> Callable[[str], Mapping[int, str]]:
    """What the journal says is left of a case's entries: the digests of their bodies, by number.

    Empty where the journal does not hold that the case was erased.
    """

    @lru_cache(REMEMBERED)
    def left(case_id: str) -> Mapping[int, str]:
        dossier = sa.select(DOSSIERS.table.c.body).where(DOSSIERS.table.c.key == case_id)
        known_as = connection.scalar(dossier)
        if known_as is None:
            return {}
        query = (
            sa.select(_entry.type, _entry.body)
            .where(about(case_id, DOSSIERS.parse(known_as).first_seq))
            .where(_entry.type.in_((CaseErased.type, ERASED_ENTRIES)))
            .order_by(_entry.seq)
        )
        found: dict[int, str] = {}
        known = False
        for type_, body in connection.execute(query):
            known = known or type_ == CaseErased.type
            if known and type_ == ERASED_ENTRIES:
                found |= ErasedEntries.from_json(body).left
        return found

    return left
