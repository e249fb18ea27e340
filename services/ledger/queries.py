"""The ledger's reading: counts over the dossiers, the list of cases, one case's history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from services.ledger.dossier import Dossier, Facts
from services.ledger.journal import Chain, Entry
from services.ledger.store import CHAIN, DOSSIERS, FACTS, JOURNAL, RATINGS, about
from shared.domain.case import State
from shared.domain.events import CaseRecorded, MessageDiscarded, MessageReplayed
from shared.domain.message_events import ParkedMessageEvent

BLOCK = 1000
"""Rows fetched at a time where the number of rows has no limit."""

case = DOSSIERS.table.c
_fact = FACTS.table.c
_rating = RATINGS.table.c
_entry = JOURNAL.table.c
_ENTRIES = sa.select(*(_entry[field.name] for field in fields(Entry)))
_open = case.state == State.OPEN.value
_owed = case.answer_owed.is_(sa.true())
_late = case.breached.is_(sa.true())
_answered = case.replied_at.is_not(None)


@dataclass(frozen=True, slots=True)
class Period:
    """Cases recorded from one moment to another, both included, in microseconds; None: no bound."""

    start: int | None = None
    end: int | None = None

    def __bool__(self) -> bool:
        return (self.start, self.end) != (None, None)

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """The period as conditions on cases."""
        found = []
        if self.start is not None:
            found.append(case.recorded_at >= self.start)
        if self.end is not None:
            found.append(case.recorded_at <= self.end)
        return found


EVER = Period()


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of cases; they add up."""

    cases: int = 0
    open: int = 0
    closed: int = 0
    withdrawn: int = 0
    repeats: int = 0
    on_time: int = 0
    """Closed cases that owed an answer, every round of which was answered by its due date."""
    late: int = 0
    """Closed cases that owed an answer and are not on time."""
    open_overdue: int = 0
    """Open cases whose promise is broken: no answer by the due date, or an answer after it."""
    overdue: int = 0
    """Those of them that still wait for their answer."""
    paused: int = 0
    """Cases whose clocks stood still for a while."""
    extended: int = 0
    """Cases for which more time was granted."""

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, n) + getattr(other, n) for n in Figures.__slots__))


@dataclass(frozen=True, slots=True)
class Votes:
    """Counts of judgements; they add up."""

    asked: int = 0
    rated: int = 0
    satisfied: int = 0

    def __add__(self, other: Votes) -> Votes:
        return Votes(*(getattr(self, n) + getattr(other, n) for n in Votes.__slots__))


Group = tuple[str, ...]
"""What the cases of a group have in common, in the order asked for; an absent value is empty."""


def overdue(now: int) -> sa.ColumnElement[bool]:
    """Open cases that still owe the answer which was due before `now` (microseconds)."""
    return sa.and_(_open, _owed, sa.not_(_answered), case.due_at < now)


def figures(
    connection: sa.Connection, by: Sequence[str], now: int, period: Period = EVER
) -> dict[Group, Figures]:
    """Counts of cases by the given columns, in one pass."""
    kept = sa.and_(_answered, sa.not_(_late))
    closed = case.state == State.CLOSED.value
    unanswered = overdue(now)
    conditions = (
        _open,
        closed,
        case.state == State.WITHDRAWN.value,
        case.repeat_of.is_not(None),
        sa.and_(closed, _owed, kept),
        sa.and_(closed, _owed, sa.not_(kept)),
        sa.or_(unanswered, sa.and_(_open, _owed, _late)),
        unanswered,
        case.paused.is_(sa.true()),
        case.extended.is_(sa.true()),
    )
    keys = [case[name] for name in by]
    counts = [sa.func.count(), *(sa.func.count().filter(condition) for condition in conditions)]
    query = sa.select(*keys, *counts).where(*period.conditions()).group_by(*keys)
    rows = map(tuple, connection.execute(query))
    return {_group(row, len(by)): Figures(*row[len(by) :]) for row in rows}


def votes(
    connection: sa.Connection, by: Sequence[str], period: Period = EVER
) -> dict[Group, Votes]:
    """Counts of judgements by `level`, `unit` (those judged) or columns of the case."""
    keys = [_rating[name] if name in {"level", "unit"} else case[name] for name in by]
    query = sa.select(
        *keys,
        sa.func.count(_rating.asked_at),
        sa.func.count(_rating.rated_at),
        sa.func.count().filter(_rating.satisfied.is_(sa.true())),
    ).group_by(*keys)
    if period or not {"level", "unit"}.issuperset(by):
        query = query.join_from(RATINGS.table, DOSSIERS.table, case.first_seq == _rating.first_seq)
        query = query.where(*period.conditions())
    rows = map(tuple, connection.execute(query))
    return {_group(row, len(by)): Votes(*row[len(by) :]) for row in rows}


def listing(
    connection: sa.Connection,
    conditions: Sequence[sa.ColumnElement[bool]],
    *,
    words: str = "",
    after: tuple[int, str] | None = None,
    limit: int,
) -> list[tuple[Dossier, Facts]]:
    """Cases that meet the conditions and hold all the words, the newest recorded first.

    `after` is the moment of recording (microseconds) and the id of the last case that was seen.
    """
    query = (
        sa.select(case.body, FACTS.table)
        .join_from(DOSSIERS.table, FACTS.table, _fact.first_seq == case.first_seq)
        .where(case.recorded_at.is_not(None), *conditions)
        .order_by(case.recorded_at.desc(), case.key.desc())
        .limit(limit)
    )
    if after is not None:
        at, key = after
        older = sa.or_(case.recorded_at < at, case.key < key)
        query = query.where(case.recorded_at <= at, older)
    for word in words.casefold().split():
        query = query.where(_fact.words.contains(word, autoescape=True))
    rows = map(tuple, connection.execute(query))
    return [(DOSSIERS.parse(body), Facts(*facts)) for body, *facts in rows]


def one(connection: sa.Connection, case_id: str) -> tuple[Dossier, Facts | None] | None:
    """What is known of a case, and what was recorded of it where that was heard; None of none."""
    query = (
        sa.select(case.body, FACTS.table)
        .outerjoin_from(DOSSIERS.table, FACTS.table, _fact.first_seq == case.first_seq)
        .where(case.key == case_id)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    body, *facts = tuple(row)
    return DOSSIERS.parse(body), Facts(*facts) if facts[0] else None


def history(connection: sa.Connection, dossier: Dossier) -> list[Entry]:
    """What the journal holds of a case, in the order in which it happened."""
    query = _ENTRIES.where(about(dossier.case_id, dossier.first_seq))
    return [_read(row) for row in connection.execute(query.order_by(_entry.at, _entry.seq))]


def journal(connection: sa.Connection, after: int = 0) -> Iterator[Entry]:
    """The journal behind an entry, a block in memory at a time."""
    query = _ENTRIES.where(_entry.seq > after).order_by(_entry.seq)
    for row in connection.execution_options(yield_per=BLOCK).execute(query):
        yield _read(row)


def chain(connection: sa.Connection) -> Chain:
    """The journal's end as it was noted."""
    body = connection.scalar(sa.select(CHAIN.table.c.body))
    return Chain.from_json(body) if body else Chain()


def count(connection: sa.Connection) -> tuple[int, int]:
    """How many cases can be decided once more, and how many cannot because they were erased."""
    query = sa.select(sa.func.count(), sa.func.count(case.erased_at))
    known, erased = connection.execute(query.select_from(DOSSIERS.table)).one()
    return known - erased, erased


def past(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """The event by which each case was recorded and its dossier, as stored, a block at a time.

    Cases that were erased are left out: what they were decided by is gone.
    """
    query = (
        sa.select(_entry.body, case.body)
        .join_from(JOURNAL.table, DOSSIERS.table, case.key == _entry.case_id)
        .where(_entry.type == CaseRecorded.type, case.erased_at.is_(None))
        .order_by(_entry.seq)
    )
    yield from map(tuple, connection.execution_options(yield_per=BLOCK).execute(query))


def past_line(event: str, dossier: str) -> str:
    """A case of the past as one line of JSON, put together from two that are stored."""
    return f'{{"event":{event},"dossier":{dossier}}}'


def versions(connection: sa.Connection) -> Iterator[tuple[Any, ...]]:
    """Every case's id and the newest versions seen of its four aggregates, by id."""
    query = sa.select(case.body).order_by(case.key)
    for body in connection.execution_options(yield_per=BLOCK).scalars(query):
        known = DOSSIERS.parse(body)
        yield (
            known.case_id,
            known.record_version,
            known.handling_version,
            known.clocks_version,
            known.judgement_version,
        )


def contents(connection: sa.Connection) -> Iterator[tuple[Any, ...]]:
    """Of every aggregate of every case: how many entries there are, and the newest version.

    No version can be there twice: a unique index forbids it.
    """
    query = (
        sa.select(_entry.case_id, _entry.aggregate, sa.func.count(), sa.func.max(_entry.version))
        .where(_entry.aggregate.is_not(None), _entry.version > 0)
        .group_by(_entry.case_id, _entry.aggregate)
        .order_by(_entry.case_id, _entry.aggregate)
    )
    yield from map(tuple, connection.execution_options(yield_per=BLOCK).execute(query))


def resolved(connection: sa.Connection) -> Iterator[tuple[str, str, str]]:
    """Service, type and case of what was decided about messages that lay aside."""
    query = sa.select(_entry.type, _entry.case_id, _entry.body)
    query = query.where(_entry.type.in_([MessageReplayed.type, MessageDiscarded.type]))
    for kind, case_id, body in connection.execution_options(yield_per=BLOCK).execute(query):
        yield ParkedMessageEvent.from_json(body).service, kind, case_id


def _group(row: tuple[Any, ...], width: int) -> Group:
    return tuple(value or "" for value in row[:width])


def _read(row: sa.Row[Any]) -> Entry:
    values = row._asdict()
    values |= {"previous": bytes(row.previous), "hash": bytes(row.hash)}
    return Entry(**values)
