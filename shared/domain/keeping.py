"""How a year is scored, in the words that the policy and the services share."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from shared.domain.model import Value


class Measure(StrEnum):
    """What of a year's work is measured; each is a share from 0 to 1, the higher the better."""

    ON_TIME = "on-time"
    SATISFACTION = "satisfaction"
    COMPLETION = "completion"
    REPEATS = "repeats"


class AssessmentRule(Value):
    """What each measure weighs in the score of a unit or a level."""

    weights: Mapping[Measure, int]
    """In percent; together 100."""
    at_least: int = 1
    """With fewer cases there is no score."""
