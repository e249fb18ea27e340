"""How a year is scored, by level and by unit: from the counts of the books by the policy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import sqlalchemy as sa
from pydantic import BaseModel, Field

from services.ledger import queries
from services.ledger.queries import Figures, Group, Votes
from services.ledger.reading import EARLIEST, LATEST, period_of
from services.ledger.report import fold
from shared.domain.errors import NotFound
from shared.domain.keeping import Measure
from shared.domain.model import Input, Instant, micros
from shared.domain.policy import Policy, Titled
from shared.policy.deciding.assess import Score, Tally, assess


class Year(Input):
    """Which year is scored: that of the cases recorded in it."""

    year: int = Field(ge=EARLIEST.year, le=LATEST.year)


class Assessed(BaseModel):
    """One level or unit with its figures and its score."""

    id: str
    title: dict[str, str]
    """By language, `zh` and `en`; empty where the policy no longer knows it."""
    cases: int
    closed: int
    withdrawn: int
    repeats: int
    on_time: int
    owed: int
    """On time, late, or open beyond the promise."""
    rated: int
    satisfied: int
    score: Score


class Assessment(BaseModel):
    """A year's scores. Answers count where their case lies, judgements for whom was judged."""

    generated_at: Instant
    year: int
    timezone: str
    weights: dict[Measure, int]
    at_least: int
    policy_version: str
    levels: list[Assessed]
    """Those of the policy from the top, then others."""
    units: list[Assessed]
    """The best first; those without a score last."""


def read_assessment(
    connection: sa.Connection, policy: Policy, now: datetime, year: int
) -> Assessment:
    """The scores of the cases recorded in a year.

    Raises `NotFound` where the policy does not say how a year is scored, `Refusal` for an
    impossible year.
    """
    rule = policy.assessment
    if rule is None:
        message = (
            f"policy {policy.version} does not say how a year is scored:"
            " add an `assessment` section to it"
        )
        raise NotFound.of("year", "no-assessment", message)
    first = max(date(year, 1, 1), EARLIEST)
    period = period_of(policy, first, date(year, 12, 31))
    moment = micros(now)
    assert moment is not None
    figures = queries.figures(connection, ("level", "unit"), moment, period)
    votes = queries.votes(connection, ("level", "unit"), period)

    def scored(part: int, known: Mapping[str, Titled]) -> list[Assessed]:
        return [
            _assessed(name, tally, known, assess(tally, rule))
            for name, tally in _tallies(figures, votes, part, known).items()
        ]

    return Assessment(
        generated_at=now,
        year=year,
        timezone=policy.calendar.zone.key,
        weights=dict(rule.weights),
        at_least=rule.at_least,
        policy_version=policy.version,
        levels=scored(0, policy.levels),
        units=sorted(scored(1, policy.units), key=_rank),
    )


def _tallies(
    figures: Mapping[Group, Figures],
    votes: Mapping[Group, Votes],
    part: int,
    known: Mapping[str, Titled],
) -> dict[str, Tally]:
    """By name; those of the policy first, also without a case. Cases not routed yet are in none."""
    counts = fold(figures, lambda group: group[part], Figures())
    judged = fold(votes, lambda group: group[part], Votes())
    names = dict.fromkeys([*known, *sorted({*counts, *judged} - {""})])
    return {name: _tally(counts.get(name, Figures()), judged.get(name, Votes())) for name in names}


def _tally(count: Figures, votes: Votes) -> Tally:
    return Tally(
        cases=count.cases,
        closed=count.closed,
        withdrawn=count.withdrawn,
        repeats=count.repeats,
        on_time=count.on_time,
        owed=count.on_time + count.late + count.open_overdue,
        rated=votes.rated,
        satisfied=votes.satisfied,
    )


def _assessed(name: str, tally: Tally, known: Mapping[str, Titled], score: Score) -> Assessed:
    return Assessed(
        id=name,
        title=dict(known[name].title) if name in known else {},
        cases=tally.cases,
        closed=tally.closed,
        withdrawn=tally.withdrawn,
        repeats=tally.repeats,
        on_time=tally.on_time,
        owed=tally.owed,
        rated=tally.rated,
        satisfied=tally.satisfied,
        score=score,
    )


def _rank(one: Assessed) -> tuple[bool, float, str]:
    score = one.score.score
    return (score is None, -(score or 0.0), one.id)
