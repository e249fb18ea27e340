"""The words of the policy file: types of its values, and the names that the product defines."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr, StringConstraints
from pydantic_core import PydanticCustomError

from shared.policy.engine.keywords import fold
from shared.policy.engine.table import FactType

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
"""A name for machines: it stands in URLs, metrics and queue names."""

Line = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=200)]


def _of_two_characters(keyword: str) -> str:
    if len(fold(keyword)) < 2:
        raise PydanticCustomError("too-short", "has fewer than two characters besides white space")
    return keyword


Keyword = Annotated[
    str,
    StringConstraints(strict=True, min_length=2, max_length=80),
    AfterValidator(_of_two_characters),
]
"""A word or a phrase. One character alone stands in too many words, in any script."""

Days = Annotated[int, Field(strict=True, ge=1, le=1000)]
"""Working days."""

Threshold = Annotated[int, Field(strict=True, ge=-(10**15), le=10**15)]
Plain = StrictBool | StrictInt | Annotated[StrictStr, Field(max_length=200)]
Side = Literal["inside", "outside"]

RECORD_FIELDS = (
    "recorder", "station", "place", "campaign", "item", "text",
    "informant", "informant.name", "informant.contact",
)  # fmt: skip
"""What a level or a channel can require of a record, besides declared attributes."""

BUILT_IN_FACTS: dict[str, FactType] = {
    "kind": FactType.TEXT,
    "channel": FactType.TEXT,
    "side": FactType.TEXT,
    "category": FactType.TEXT,
    "item": FactType.TEXT,
    "source": FactType.TEXT,
    "station": FactType.TEXT,
    "station-level": FactType.TEXT,
    "campaign": FactType.TEXT,
    "place": FactType.TEXT,
    "informant-known": FactType.BOOLEAN,
    "repeat": FactType.BOOLEAN,
}
"""What triage knows of every case, besides declared attributes and mentions."""

HANDLING_FACTS: dict[str, FactType] = {
    "level": FactType.TEXT,
    "unit": FactType.TEXT,
    "kind": FactType.TEXT,
    "channel": FactType.TEXT,
    "side": FactType.TEXT,
    "colour": FactType.TEXT,
    "station": FactType.TEXT,
    "station-level": FactType.TEXT,
}
"""What the evaluator mapping knows of an answered case."""

ROUTING_FACTS: dict[str, FactType] = {"colour": FactType.TEXT}
"""What routing knows of a case, besides everything that triage knows."""

Counted = Literal["same-matter", "same-informant", "open-cases-of-unit"]
"""What a count can count."""

Role = Literal["informant", "recorder", "station", "parent", "children", "tied", "paired"]
ROLES: tuple[str, ...] = get_args(Role)

HAPPENINGS = (
    "case.routed", "case.accepted", "case.returned", "case.transferred", "case.replied",
    "case.due-soon", "case.overdue", "case.escalated", "case.reopened", "case.closed",
)  # fmt: skip
"""Events of which somebody can be told."""

HAPPENING_FACTS: dict[str, FactType] = {
    "event": FactType.TEXT,
    "clock": FactType.TEXT,
    **HANDLING_FACTS,
    "round": FactType.INTEGER,
    "step": FactType.INTEGER,
    "days-left": FactType.INTEGER,
}
"""What the notification table knows of what happened."""
