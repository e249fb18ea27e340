"""Letting a candidate policy decide from the journal, and telling what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from services.ledger import queries
from services.ledger.shadow import KEPT, Difference, Shadow, ShadowReport, changes, compare
from services.ledger.store import DIFFERENCES, JOURNAL, SHADOW
from shared.domain.aggregates import Decision
from shared.domain.case import Case
from shared.domain.commands import ShadowPolicy
from shared.domain.errors import NotFound, PolicyError
from shared.domain.events import CaseRecorded, CaseRouted, Event
from shared.domain.ids import new_id
from shared.domain.model import EPOCH
from shared.policy import CompiledPolicy, parse_policy
from shared.policy.trying.rehearsal import Trials
from shared.runtime.handling import Context, Sample, Timer
from shared.storage.tx import Tx

NAME = "shadow"

MOST = 500
"""Decisions that are compared in one transaction of the ledger."""

SHOWN = 100
"""Differences in a report."""

OUTCOMES = ("same", "different", "failed")

TRIALS = Trials()

_entry = JOURNAL.table.c
_difference = DIFFERENCES.table.c


def try_shadow(command: ShadowPolicy, ctx: Context) -> None:
    """Try a candidate where somebody can wait for it; the handler then finds it tried."""
    if command.content is not None:
        TRIALS.hold(command.content)


def shadow_policy(command: ShadowPolicy, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Begin with a candidate that passed its trial, in place of another; or stop."""
    known = tx.get(SHADOW, NAME)
    if command.content is None:
        if known is None or known.until is not None:
            raise NotFound.of("content", "no-shadow", "no candidate decides at present")
        tx.put(SHADOW, known.but(until=ctx.now))
        return ()
    shadow = Shadow(
        id=new_id(),
        version=TRIALS.passed(command.content),
        content=command.content,
        by=command.by,
        since=ctx.now,
        seq=queries.chain(tx.connection).seq,
    )
    tx.put(SHADOW, shadow)
    return ()


def decide_beside(tx: Tx, ctx: Context) -> Sequence[Event]:
    """Compare what has been decided since the last time; no event follows from it."""
    shadow = tx.get(SHADOW, NAME)
    if shadow is None or shadow.until is not None:
        return ()
    end = queries.chain(tx.connection).seq
    if end == shadow.seq:
        return ()
    try:
        candidate = _compiled(shadow.version, shadow.content)
    except PolicyError:  # a later release cannot use what this one could
        tx.put(SHADOW, shadow.but(until=ctx.now))
        return ()
    rows = _decided(tx.connection, shadow.seq, end)
    counts = {outcome: getattr(shadow, outcome) for outcome in OUTCOMES}
    for row, case in _with_cases(tx.connection, rows):
        decision = Decision.from_plain(json.loads(row.body)["decision"])
        if decision.table != "triage":
            continue  # a further round decides nothing anew
        at = EPOCH + timedelta(microseconds=row.at)
        outcome, difference = compare(case, decision, at, candidate)
        counts[outcome] += 1
        if difference is not None and counts["different"] <= KEPT:
            tx.append(DIFFERENCES, shadow.id, row.seq, difference.to_json())
    seq = rows[-1].seq if len(rows) == MOST else end
    tx.put(SHADOW, shadow.but(**counts, seq=seq))
    return ()


TIMERS = (Timer("shadow", 2.0, decide_beside),)


def report(connection: sa.Connection) -> ShadowReport:
    """What the present or last candidate has done so far."""
    shadow = _stored(connection)
    if shadow is None:
        return ShadowReport(version=None)
    query = (
        sa.select(_difference.body)
        .where(_difference.shadow == shadow.id)
        .order_by(_difference.seq.desc())
    )
    found = [Difference.from_json(body) for body in connection.scalars(query)]
    hidden = ("name", "id", "content", "seq")
    facts = {
        name: fact for name, fact in msgspec.structs.asdict(shadow).items() if name not in hidden
    }
    return ShadowReport(**facts, changes=changes(found), differences=found[:SHOWN])


def gauges(connection: sa.Connection) -> Iterable[Sample]:
    """How often the candidate decided as the policy in force did, otherwise, or not at all."""
    shadow = _stored(connection)
    for outcome in OUTCOMES:
        yield Sample(
            "concentric_shadow_decisions",
            "Decisions of the candidate beside the policy in force.",
            getattr(shadow, outcome) if shadow else 0,
            {"outcome": outcome},
        )


def _stored(connection: sa.Connection) -> Shadow | None:
    body = connection.scalar(sa.select(SHADOW.table.c.body))
    return None if body is None else SHADOW.parse(body)


def _decided(connection: sa.Connection, after: int, until: int) -> list[sa.Row[Any]]:
    query = (
        sa.select(_entry.seq, _entry.case_id, _entry.first_seq, _entry.at, _entry.body)
        .where(_entry.seq > after, _entry.seq <= until, _entry.type == CaseRouted.type)
        .order_by(_entry.seq)
        .limit(MOST)
    )
    return list(connection.execute(query))


def _with_cases(
    connection: sa.Connection, rows: Sequence[sa.Row[Any]]
) -> Iterator[tuple[sa.Row[Any], Case]]:
    """Each decision with the case as it was recorded, where that has been heard of and is kept."""
    query = sa.select(_entry.case_id, _entry.body).where(
        _entry.first_seq.in_({row.first_seq for row in rows}),
        _entry.aggregate == CaseRecorded.aggregate,
        _entry.type == CaseRecorded.type,
    )
    cases = {each.case_id: each.body for each in connection.execute(query)}
    for row in rows:
        if row.case_id in cases:
            record = CaseRecorded.from_json(cases[row.case_id]).record
            if record.case is not None and record.erased_at is None:
                yield row, record.case


@lru_cache(1)
def _compiled(version: str, content: str) -> CompiledPolicy:
    return parse_policy(version, content.encode())
