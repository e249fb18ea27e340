"""The section of the policy file about the monthly review."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.domain.reviews import ReviewRules
from shared.policy.schema.names import LevelRef, SignerRef
from shared.policy.schema.parts import Part


class ReviewPart(Part):
    """Which units are reviewed each month, until when, and by whom."""

    levels: Annotated[tuple[LevelRef, ...], Field(min_length=1)]
    days: Annotated[int, Field(strict=True, ge=1, le=15)] = 5
    """It is due at the end of this working day of the next month."""
    by: Annotated[tuple[SignerRef, ...], Field(min_length=1)] = ("parent",)
    """Who signs: `parent`, or units; never the unit that is reviewed."""

    @property
    def rules(self) -> ReviewRules:
        """The same in the words of the services."""
        return ReviewRules(self.levels, self.days, self.by)
