"""Opening the monthly reviews, having them signed, and saying which are overdue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
from pydantic import BaseModel, Field

from services.ledger import queries, review
from services.ledger.journal import Chain
from services.ledger.queries import Figures, Group, Votes, case
from services.ledger.reading import period_of
from services.ledger.report import fold
from services.ledger.store import CHAIN, DOSSIERS, REVIEWS
from shared.domain.case import Name
from shared.domain.commands import SignReview
from shared.domain.errors import NotFound, Refusal
from shared.domain.events import Event
from shared.domain.model import EPOCH, Input, micros
from shared.domain.policy import Policy
from shared.domain.review_events import ReviewOpened, ReviewOverdue, ReviewSigned
from shared.domain.reviews import Month, Review, ReviewFigures, ReviewState, key_of
from shared.runtime.handling import Context, Sample, Timer
from shared.storage.tx import Tx

MOST = 200
"""Reviews that are declared overdue in one transaction."""

_review = REVIEWS.table.c


class ReviewQuery(Input):
    """Which reviews are listed; left out, all."""

    month: Month | None = None
    unit: Name | None = None
    state: ReviewState | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class ReviewList(BaseModel):
    """Reviews, the newest month first."""

    total: int
    """How many there are, of which the first `limit` are listed."""
    reviews: list[Review]


def keep_reviews(tx: Tx, ctx: Context) -> Sequence[Event]:
    """Open what a month's end has brought, and say what was not signed in time.

    While the clock is in doubt nothing is opened: what was said cannot be taken back.
    """
    if not ctx.certain:
        return ()
    return [*_open(tx, ctx), *_declare(tx, ctx.now)]


def sign_review(command: SignReview, tx: Tx, ctx: Context) -> Sequence[Event]:
    """Somebody who may signs a review."""
    key = key_of(command.reviewed, command.month)
    known = tx.get(REVIEWS, key)
    if known is None:
        raise _unknown(key)
    signed = review.sign(known, command, ctx.now)
    tx.put(REVIEWS, signed)
    return [ReviewSigned(review=signed)]


TIMERS = (Timer("reviews", 10.0, keep_reviews),)


def _open(tx: Tx, ctx: Context) -> list[ReviewOpened]:
    """The reviews of the oldest month that has not all of them; the worker comes again at once."""
    rules, first = ctx.policy.review, _first_case(tx.connection)
    if rules is None or first is None:
        return []
    units = review.reviewed(ctx.policy, rules)
    months = review.months(first, ctx.now, ctx.policy.calendar)
    there = _keys(tx.connection, months)
    for month in months:
        missing = [unit for unit in units if key_of(unit.id, month) not in there]
        if not missing:
            continue
        # The chain's end is locked by whoever appends: a second replica waits here, and then
        # reads what the first one has opened.
        tx.get(CHAIN, Chain().name)
        tx.preload((REVIEWS, key_of(unit.id, month)) for unit in missing)
        told = _figures(tx.connection, ctx.policy, ctx.now, month, [unit.id for unit in missing])
        found = []
        for unit in missing:
            if tx.get(REVIEWS, key_of(unit.id, month)) is None:
                new = review.opened(unit, month, rules, ctx.policy, ctx.now, told[unit.id])
                tx.put(REVIEWS, new)
                found.append(ReviewOpened(review=new))
        return found
    return []


def _declare(tx: Tx, now: datetime) -> list[ReviewOverdue]:
    query = (
        sa.select(_review.key)
        .where(_review.state == ReviewState.OPEN.value, _review.due_at < micros(now))
        .order_by(_review.due_at, _review.key)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    keys = tx.connection.scalars(query).all()
    tx.preload((REVIEWS, key) for key in keys)
    known = [found for key in keys if (found := tx.get(REVIEWS, key)) is not None]
    said = [review.overdue(each, now) for each in known]
    for event in said:
        tx.put(REVIEWS, event.review)
    return said


def _figures(
    connection: sa.Connection, policy: Policy, now: datetime, month: str, units: Sequence[str]
) -> dict[str, ReviewFigures]:
    """Of all units, in one pass over the cases recorded in the month."""
    period = period_of(policy, *review.days_of(month))
    at = micros(now)
    assert at is not None
    counts = fold(queries.figures(connection, ("unit",), at, period), _unit, Figures())
    votes = fold(queries.votes(connection, ("unit",), period), _unit, Votes())
    query = sa.select(case.unit, sa.func.count()).group_by(case.unit)
    query = query.where(case.replied_at.is_not(None), *period.conditions())
    answered = {row[0]: row[1] for row in connection.execute(query)}
    return {unit: review.figures_of(unit, counts, votes, answered) for unit in units}


def _unit(group: Group) -> str:
    return group[0]


def _first_case(connection: sa.Connection) -> datetime | None:
    first = connection.scalar(sa.select(sa.func.min(DOSSIERS.table.c.recorded_at)))
    return None if first is None else EPOCH + timedelta(microseconds=first)


def _keys(connection: sa.Connection, months: Sequence[str]) -> set[str]:
    return set(connection.scalars(sa.select(_review.key).where(_review.month.in_(months))))


def listed(connection: sa.Connection, query: ReviewQuery) -> ReviewList:
    """The reviews that were asked for, the newest month first, by unit."""
    asked = {"month": query.month, "unit": query.unit, "state": query.state}
    conditions = [_review[name] == value for name, value in asked.items() if value is not None]
    total = sa.select(sa.func.count()).select_from(REVIEWS.table).where(*conditions)
    bodies = (
        sa.select(_review.body)
        .where(*conditions)
        .order_by(_review.month.desc(), _review.unit)
        .limit(query.limit)
    )
    return ReviewList(
        total=connection.scalar(total) or 0,
        reviews=[REVIEWS.parse(body) for body in connection.scalars(bodies)],
    )


def one(connection: sa.Connection, unit: str, month: str) -> Review:
    """The review of a unit and month; raises `NotFound`."""
    key = key_of(unit, month)
    # no id holds a NUL, which PostgreSQL would not even be asked for
    query = sa.select(_review.body).where(_review.key == key)
    body = None if "\0" in key else connection.scalar(query)
    if body is None:
        raise _unknown(key)
    return REVIEWS.parse(body)


def gauges(connection: sa.Connection) -> Iterable[Sample]:
    """How many reviews wait for a signature, in time and beyond it."""
    query = sa.select(_review.state, sa.func.count()).group_by(_review.state)
    counts = {row[0]: row[1] for row in connection.execute(query)}
    for state in (ReviewState.OPEN, ReviewState.OVERDUE):
        yield Sample(
            "concentric_reviews",
            "Monthly reviews that nobody has signed yet.",
            counts.get(state.value, 0),
            {"state": state.value},
        )


def _unknown(key: str) -> Refusal:
    return NotFound.of(
        "reviewed",
        "unknown-review",
        f"there is no review {key}: a month is reviewed once it has ended, and only of units"
        " whose level the policy names",
    )
