"""From the ledger's tables to what is shown: the report, the list of cases, one case's file."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel

from services.ledger import queries
from services.ledger.dossier import Dossier, Facts
from services.ledger.figures import Report
from services.ledger.journal import Entry
from services.ledger.queries import Period
from services.ledger.report import BY, VOTES_BY, Frame, make
from shared.domain.case import State
from shared.domain.errors import NotFound, Refusal
from shared.domain.model import EPOCH, Instant, micros
from shared.domain.policy import Policy

EARLIEST, LATEST = date(1970, 1, 2), date(2999, 12, 31)
"""Days between which a period may lie."""


class CaseLine(BaseModel):
    """A case in a list."""

    id: str
    source: str | None
    external_id: str | None
    subject: str | None
    state: State
    round: int
    progress: str
    """Where the handling stands: `pending`, `routed`, `accepted`, `replied` or `noted`."""
    kind: str | None
    channel: str | None
    category: str | None
    item: str | None
    colour: str
    unit: str
    level: str
    station: str | None
    campaign: str | None
    repeat_of: str | None
    recorded_at: Instant | None
    due_at: Instant | None
    replied_at: Instant | None
    overdue: bool
    """Open, and the answer was due before now."""
    late: bool
    """An answer of this or an earlier round came after its due date."""
    erased_at: Instant | None
    """When what was personal was erased; null as long as it is kept."""


class Happening(BaseModel):
    """An event in a case's history."""

    seq: int
    """Its number in the journal."""
    id: str
    type: str
    at: Instant
    aggregate: str | None
    version: int | None
    correlation: str | None
    policy_version: str | None
    event: dict[str, Any]


class CaseFile(BaseModel):
    """All that is known of a case: its facts by owner, its rounds, and everything that happened."""

    case: CaseLine
    record: dict[str, Any] | None
    handling: dict[str, Any] | None
    clocks: dict[str, Any] | None
    judgement: dict[str, Any] | None
    rounds: list[dict[str, Any]]
    history: list[Happening]


def read_report(
    connection: sa.Connection, policy: Policy, now: datetime, start: date | None, end: date | None
) -> Report:
    """The report on the cases recorded in a period; raises `Refusal` for an impossible one."""
    period = period_of(policy, start, end)
    figures = queries.figures(connection, BY, _micros(now), period)
    votes = queries.votes(connection, VOTES_BY, period)
    return make(Frame(now, start, end, policy), figures, votes)


def period_of(policy: Policy, start: date | None, end: date | None) -> Period:
    """The days of the policy's time zone, both included; raises `Refusal`."""
    for field, day in (("from", start), ("to", end)):
        if day is not None and not EARLIEST <= day <= LATEST:
            reason = f"{day} is out of range: give a day from {EARLIEST} to {LATEST}"
            raise Refusal.of(field, "out-of-range", reason)
    if start is not None and end is not None and start > end:
        raise Refusal.of("from", "empty-period", f"{start} is after {end}: exchange the two days")
    return Period(
        None if start is None else micros(policy.calendar.start_of(start)),
        None if end is None else micros(policy.calendar.end_of(end)),
    )


def line_of(dossier: Dossier, facts: Facts | None, now: datetime) -> CaseLine:
    """A case as it is listed."""
    part = dossier.current
    overdue = (
        dossier.standing.state is State.OPEN
        and bool(dossier.answer_owed)
        and part.replied_at is None
        and part.due_at is not None
        and part.due_at < now
    )
    recorded = facts._asdict() if facts else {}
    return CaseLine(
        id=dossier.case_id,
        **{name: recorded.get(name) for name in _RECORDED},
        channel=dossier.channel,
        category=dossier.category,
        item=dossier.item,
        state=dossier.standing.state,
        round=dossier.standing.round,
        progress=dossier.progress,
        colour=dossier.colour,
        unit=dossier.unit,
        level=dossier.level,
        repeat_of=dossier.repeat_of,
        recorded_at=dossier.recorded_at,
        due_at=part.due_at,
        replied_at=part.replied_at,
        overdue=overdue,
        late=dossier.breached,
        erased_at=dossier.erased_at,
    )


_RECORDED = ("source", "external_id", "subject", "kind", "station", "campaign")


def read_file(connection: sa.Connection, case_id: str, now: datetime) -> CaseFile:
    """Everything about a case; raises `NotFound`."""
    # no id holds a NUL, which PostgreSQL would not even be asked for
    known = None if "\0" in case_id else queries.one(connection, case_id)
    if known is None:
        raise NotFound.of("case_id", "unknown-case", f"nothing is known of {case_id!r}")
    dossier, facts = known
    history = [_happening(entry) for entry in queries.history(connection, dossier)]
    return CaseFile(
        case=line_of(dossier, facts, now),
        **{name: _newest(history, name) for name in ("record", "handling", "clocks", "judgement")},
        rounds=[part.plain() for part in dossier.rounds],
        history=history,
    )


def _happening(entry: Entry) -> Happening:
    return Happening(
        seq=entry.seq,
        id=entry.event_id,
        type=entry.type,
        at=EPOCH + timedelta(microseconds=entry.at),
        aggregate=entry.aggregate,
        version=entry.version,
        correlation=entry.correlation,
        policy_version=entry.policy_version,
        event=json.loads(entry.body),
    )


def _newest(history: list[Happening], aggregate: str) -> Any:
    told = [one for one in history if one.aggregate == aggregate]
    return max(told, key=lambda one: one.version or 0).event[aggregate] if told else None


def _micros(at: datetime) -> int:
    found = micros(at)
    assert found is not None
    return found
