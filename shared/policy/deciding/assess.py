"""The score of a year's work, as a pure function of its counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.keeping import AssessmentRule, Measure
from shared.domain.model import View


@dataclass(frozen=True, slots=True)
class Tally:
    """What is counted of the cases that a unit, or a level, had in a year."""

    cases: int = 0
    closed: int = 0
    withdrawn: int = 0
    repeats: int = 0
    """Cases that repeat an earlier one."""
    on_time: int = 0
    owed: int = 0
    """On time, late, or open beyond the promise."""
    rated: int = 0
    satisfied: int = 0


class MeasurePart(View):
    """What one measure adds to a score."""

    value: float | None
    """From 0 to 1; None where nothing counts."""
    weight: float
    """In percent, after those without data were left out; 0 for those."""
    points: float | None
    """`value` × `weight`; None where there is no score."""


class Score(View):
    """How a year is scored."""

    score: float | None
    """From 0 to 100; None where there is none, for the reason beside it."""
    reason: str | None = None
    """`too-few-cases` or `no-data`."""
    measures: Mapping[Measure, MeasurePart]


def assess(tally: Tally, rule: AssessmentRule) -> Score:
    """The score by the policy's weights.

    With the measures m that the policy weighs and for which there is data:

        score = 100 × Σ weight(m) × value(m) ÷ Σ weight(m)

        on-time      = on time ÷ (on time + late + open beyond the promise)
        satisfaction = satisfied ÷ rated
        completion   = closed ÷ (recorded − withdrawn)
        repeats      = 1 − repeats ÷ recorded

    A measure without data is left out, and the others weigh more in their proportion. Fewer cases
    than the policy's `at_least` give no score: the figures of a few cases are chance.
    """
    values = {measure: _value(measure, tally) for measure in rule.weights}
    whole = sum(rule.weights[measure] for measure, value in values.items() if value is not None)
    reason = None if whole else "no-data"
    if tally.cases < rule.at_least:
        reason = "too-few-cases"
    parts = {}
    for measure, value in values.items():
        weight = 0.0 if value is None else 100 * rule.weights[measure] / whole
        points = None if value is None or reason else weight * value
        parts[measure] = MeasurePart(value=value, weight=weight, points=points)
    score = None if reason else sum(part.points or 0.0 for part in parts.values())
    return Score(score=score, reason=reason, measures=parts)


def _value(measure: Measure, tally: Tally) -> float | None:
    if measure is Measure.ON_TIME:
        return _ratio(tally.on_time, tally.owed)
    if measure is Measure.SATISFACTION:
        return _ratio(tally.satisfied, tally.rated)
    if measure is Measure.COMPLETION:
        return _ratio(tally.closed, tally.cases - tally.withdrawn)
    return _ratio(tally.cases - tally.repeats, tally.cases)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
