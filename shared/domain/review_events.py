"""What happened to the monthly reviews, in the words of the ledger; they are about no case."""

from __future__ import annotations

from shared.domain.event import Event
from shared.domain.reviews import Review


class ReviewEvent(Event):
    """An event about the review of one unit and month."""

    case_id: str = ""
    review: Review


class ReviewOpened(ReviewEvent):
    """A month has ended: the review of a unit lies there with its figures, to be signed."""

    type = "review.opened"


class ReviewSigned(ReviewEvent):
    """The review was signed."""

    type = "review.signed"


class ReviewOverdue(ReviewEvent):
    """The due date of a review passed without a signature."""

    type = "review.overdue"
    late_by: int | None = None
    """Seconds after its moment, where that is more than a minute: nobody was up, or all busy."""
