"""The figures of the books for Prometheus; labels hold only what the policy and the code name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import sqlalchemy as sa

from services.ledger import queries, reviewing, shadowing
from services.ledger.figures import OnTime, Satisfaction
from services.ledger.queries import Figures, Votes
from services.ledger.report import (
    ALL,
    fold,
    on_time_by_colour,
    ratio,
    satisfaction_by_level,
)
from shared.domain.case import State
from shared.domain.model import micros
from shared.runtime.handling import Context, Sample

BY = ("colour", "unit")


def gauges(connection: sa.Connection, ctx: Context) -> Iterable[Sample]:
    """Everything that the ledger counts, by two queries over its books."""
    now = micros(ctx.now)
    assert now is not None
    figures = queries.figures(connection, BY, now)
    votes = fold(queries.votes(connection, ("level",)), lambda group: group[0], Votes())
    by_colour = fold(figures, lambda group: group[0], Figures())
    total = sum(figures.values(), Figures())
    yield from _standing(total)
    yield from _by_unit(figures)
    yield from _on_time(on_time_by_colour(by_colour, ctx.policy.colours))
    yield from _satisfaction(satisfaction_by_level(votes, ctx.policy.levels))
    yield Sample("concentric_repeat_cases", "Cases that repeat an earlier one.", total.repeats)
    share = ratio(total.repeats, total.cases)
    if share is not None:
        yield Sample("concentric_repeat_ratio", "Repeats among all cases.", share)
    yield from shadowing.gauges(connection)
    yield from reviewing.gauges(connection)
    entries = queries.chain(connection).seq
    yield Sample("concentric_journal_entries", "Events in the journal.", entries)


def _standing(total: Figures) -> Iterator[Sample]:
    for state in State:
        yield Sample(
            "concentric_cases",
            "Cases by where they stand.",
            getattr(total, state.value),
            {"state": state.value},
        )


def _by_unit(figures: Mapping[queries.Group, Figures]) -> Iterator[Sample]:
    for (colour, unit), count in figures.items():
        labels = {"colour": colour, "unit": unit}
        yield Sample("concentric_open_cases", "Open cases.", count.open, labels)
        yield Sample(
            "concentric_overdue_cases",
            "Open cases that still owe an answer beyond its due date.",
            count.overdue,
            labels,
        )


def _on_time(by_colour: Mapping[str, OnTime]) -> Iterator[Sample]:
    for colour, kept in by_colour.items():
        for outcome in ("on_time", "late", "open_overdue"):
            if colour != ALL:
                yield Sample(
                    "concentric_on_time_cases",
                    "Cases that owe an answer, by whether their promise was kept.",
                    getattr(kept, outcome),
                    {"colour": colour, "outcome": outcome},
                )
        if kept.rate is not None:
            yield Sample(
                "concentric_on_time_ratio",
                "On time among on time, late, and open beyond the due date.",
                kept.rate,
                {"colour": colour},
            )


def _satisfaction(by_level: Mapping[str, Satisfaction]) -> Iterator[Sample]:
    for level, judged in by_level.items():
        for outcome in ("asked", "rated", "satisfied"):
            if level != ALL:
                yield Sample(
                    "concentric_evaluations",
                    "Answers that somebody was asked to rate, by outcome.",
                    getattr(judged, outcome),
                    {"level": level, "outcome": outcome},
                )
        if judged.rate is not None:
            yield Sample(
                "concentric_satisfaction_ratio",
                "Satisfied among those who rated.",
                judged.rate,
                {"level": level},
            )
