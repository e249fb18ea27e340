"""What happens to a case long after its end, in the words of intake."""

from __future__ import annotations

from shared.domain.aggregates import Record
from shared.domain.event import Event
from shared.domain.model import Instant


class CaseErased(Event):
    """The time for which the policy keeps what is personal in a case is over: it is erased.

    Whoever keeps something of the case for himself erases it as well.
    """

    type = "case.erased"
    aggregate = "record"
    record: Record
    """What is left."""
    ended_at: Instant
    """When the case was closed or withdrawn."""
    at: Instant
