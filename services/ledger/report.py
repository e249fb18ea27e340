"""The report: the counts of the books as the figures that the house is measured by.

The on-time rate is on time ÷ (on time + late + open and overdue). Counting closed cases alone would
read 100 % while cases rot; counted so, a case that lies beyond its date lowers the rate at once,
and keeps lowering it until it is closed. The satisfaction rate is satisfied ÷ rated. A rate is
null where nothing counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TypeVar

from services.ledger.figures import (
    Dissatisfaction,
    Line,
    Need,
    OnTime,
    Report,
    Satisfaction,
    Titles,
)
from services.ledger.queries import Figures, Group, Votes
from shared.domain.policy import Policy, Titled

MOST = 10
"""Needs and dissatisfactions that are listed."""

BY = ("colour", "unit", "channel", "category", "item", "policy_version")
"""By what cases are counted for the report."""

VOTES_BY = ("level", "unit", "category")
"""By what judgements are counted for the report."""

ALL = "all"


@dataclass(frozen=True)
class Frame:
    """Of what a report is made, besides the counts."""

    generated_at: datetime
    start: date | None
    end: date | None
    policy: Policy


C = TypeVar("C", Figures, Votes)
Key = Callable[[Group], str]


def make(frame: Frame, figures: Mapping[Group, Figures], votes: Mapping[Group, Votes]) -> Report:
    """The report from the counts by `BY` and by `VOTES_BY`."""
    policy = frame.policy
    total = sum(figures.values(), Figures())
    return Report(
        generated_at=frame.generated_at,
        start=frame.start,
        end=frame.end,
        timezone=policy.calendar.zone.key,
        cases=total.cases,
        open=total.open,
        closed=total.closed,
        withdrawn=total.withdrawn,
        repeats=total.repeats,
        repeat_rate=ratio(total.repeats, total.cases),
        paused=total.paused,
        extended=total.extended,
        on_time=on_time_by_colour(fold(figures, _part(0), Figures()), policy.colours),
        satisfaction=satisfaction_by_level(fold(votes, _part(0), Votes()), policy.levels),
        units=_lines(fold(figures, _part(1), Figures()), fold(votes, _part(1), Votes())),
        channels=_lines(fold(figures, _part(2), Figures()), None),
        categories=_lines(fold(figures, _part(3), Figures()), fold(votes, _part(2), Votes())),
        top_needs=_needs(figures),
        top_dissatisfaction=_dissatisfaction(votes),
        policy_versions={
            version: count.cases
            for version, count in sorted(fold(figures, _part(5), Figures()).items())
            if version
        },
        titles=titles(policy),
    )


def on_time(count: Figures) -> OnTime:
    """How the promises of these cases were kept."""
    owed = count.on_time + count.late + count.open_overdue
    return OnTime(
        on_time=count.on_time,
        late=count.late,
        open_overdue=count.open_overdue,
        rate=ratio(count.on_time, owed),
    )


def satisfaction(count: Votes) -> Satisfaction:
    """How these answers were judged."""
    return Satisfaction(**asdict(count), rate=ratio(count.satisfied, count.rated))


def on_time_by_colour(
    counts: Mapping[str, Figures], colours: Mapping[str, Titled]
) -> dict[str, OnTime]:
    """By colour, those of the policy first; a colour without cases is shown as well."""
    order = _order(counts, colours)
    return {
        **{colour: on_time(counts.get(colour, Figures())) for colour in order},
        ALL: on_time(sum(counts.values(), Figures())),
    }


def satisfaction_by_level(
    counts: Mapping[str, Votes], levels: Mapping[str, Titled]
) -> dict[str, Satisfaction]:
    """By level, those of the policy first; a level that nobody judged is shown as well."""
    order = _order(counts, levels)
    return {
        **{level: satisfaction(counts.get(level, Votes())) for level in order},
        ALL: satisfaction(sum(counts.values(), Votes())),
    }


def fold(counts: Mapping[Group, C], key: Key, nothing: C) -> dict[str, C]:
    """Counts added up by a part of their groups."""
    folded: dict[str, C] = {}
    for group, count in counts.items():
        name = key(group)
        folded[name] = folded.get(name, nothing) + count
    return folded


def titles(policy: Policy) -> Titles:
    """What the policy calls its colours, levels and units."""
    return Titles(
        colours={thing.id: dict(thing.title) for thing in policy.colours.values()},
        levels={thing.id: dict(thing.title) for thing in policy.levels.values()},
        units={thing.id: dict(thing.title) for thing in policy.units.values()},
    )


def ratio(part: int, whole: int) -> float | None:
    """A share from 0 to 1; None of nothing."""
    return part / whole if whole else None


def percent(rate: float | None) -> str:
    """A rate for people, to a tenth of a percent; rounded down, so that 100 % means all."""
    return "–" if rate is None else f"{int(rate * 1000 + 1e-9) / 10:.1f} %"


def _part(index: int) -> Key:
    return lambda group: group[index]


def _order(found: Iterable[str], known: Mapping[str, Titled]) -> list[str]:
    return [*known, *sorted(name for name in found if name and name not in known)]


def _lines(figures: Mapping[str, Figures], votes: Mapping[str, Votes] | None) -> list[Line]:
    """The most frequent first; cases of which the part is not known yet are in none."""
    names = {name for name in (*figures, *(votes or ())) if name}
    lines = []
    for name in names:
        count = figures.get(name, Figures())
        lines.append(
            Line(
                id=name,
                cases=count.cases,
                open=count.open,
                closed=count.closed,
                withdrawn=count.withdrawn,
                repeats=count.repeats,
                on_time=on_time(count),
                satisfaction=None if votes is None else satisfaction(votes.get(name, Votes())),
            )
        )
    return sorted(lines, key=lambda line: (-line.cases, line.id))


def _needs(figures: Mapping[Group, Figures]) -> list[Need]:
    counts: dict[tuple[str, str], Figures] = {}
    for (*_, category, item, _version), count in figures.items():
        counts[category, item] = counts.get((category, item), Figures()) + count
    needs = [
        Need(
            category=category,
            item=item or None,
            cases=count.cases,
            open=count.open,
            open_overdue=count.open_overdue,
        )
        for (category, item), count in counts.items()
        if category
    ]
    return sorted(needs, key=lambda need: (-need.cases, need.category, need.item or ""))[:MOST]


def _dissatisfaction(votes: Mapping[Group, Votes]) -> list[Dissatisfaction]:
    counts: dict[tuple[str, str], Votes] = {}
    for (_level, unit, category), count in votes.items():
        counts[unit, category] = counts.get((unit, category), Votes()) + count
    found = [
        Dissatisfaction(
            unit=unit,
            category=category,
            rated=count.rated,
            dissatisfied=count.rated - count.satisfied,
            rate=count.satisfied / count.rated,
        )
        for (unit, category), count in counts.items()
        if count.rated > count.satisfied
    ]
    return sorted(found, key=lambda one: (-one.dissatisfied, one.rate, one.unit, one.category))[
        :MOST
    ]
