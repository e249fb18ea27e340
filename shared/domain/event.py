"""What every event is made of."""

from __future__ import annotations

from typing import ClassVar

from shared.domain.case import Aggregate
from shared.domain.model import Value


class Event(Value):
    """The base of all events; `type` is the middle of `concentric.TYPE.v1` on the wire."""

    type: ClassVar[str]
    aggregate: ClassVar[str | None] = None
    """The field that holds the aggregate which this event describes."""

    case_id: str
    """Empty for what is about no case."""

    @property
    def about(self) -> str:
        """The id of the case that the event is about."""
        return self.case_id

    @property
    def version(self) -> int:
        """The version of the aggregate described; 0 for events about none."""
        if self.aggregate is None:
            return 0
        described: Aggregate = getattr(self, self.aggregate)
        return described.version
