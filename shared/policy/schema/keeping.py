"""The policy file's shape, third part: how a year is scored, and how long a person is known."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from shared.domain.case import Kind
from shared.domain.keeping import AssessmentRule, Measure, RetentionRule
from shared.policy.schema.parts import Part

WHOLE = 100

_Weight = Annotated[int, Field(strict=True, ge=1, le=WHOLE)]


def _whole(weights: dict[Measure, int]) -> dict[Measure, int]:
    total = sum(weights.values())
    if total != WHOLE:
        raise PydanticCustomError(
            "weights",
            "weigh {total} together: make them 100, and leave out what is to weigh nothing",
            {"total": total},
        )
    return weights


class AssessmentPart(Part):
    """How the year of a unit and of a level is scored."""

    weights: Annotated[dict[Measure, _Weight], Field(min_length=1), AfterValidator(_whole)]
    """What each measure weighs, in percent; what is left out weighs nothing."""
    at_least: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1
    """With fewer cases there is no score."""

    def rule(self) -> AssessmentRule:
        """The same in the words of the services."""
        return AssessmentRule(weights=dict(self.weights), at_least=self.at_least)


LONGEST = 36_500
"""A hundred years of days: more is a slip of the pen."""

KeptDays = Annotated[int, Field(strict=True, ge=1, le=LONGEST)]


class RetentionPart(Part):
    """For how many calendar days after its end what is personal in a case is kept."""

    days: KeptDays | Literal["never"]
    """Calendar days after the end, or `never`: then only what the kinds below say is erased."""
    kinds: dict[Kind, KeptDays | Literal["never"]] = Field(default_factory=dict)
    """The same for kinds of case that differ."""

    def rule(self) -> RetentionRule:
        """The same in the words of the services."""
        kinds = {kind: _days(days) for kind, days in self.kinds.items()}
        return RetentionRule(days=_days(self.days), kinds=kinds)


def _days(days: int | Literal["never"]) -> int | None:
    return None if days == "never" else days
