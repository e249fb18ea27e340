"""The sections of the policy file about time: calendar, limits, pauses, extensions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag
from pydantic_core import PydanticCustomError

from shared.policy.schema.names import LevelRef, WhoRef
from shared.policy.schema.parts import Named, Part, Title
from shared.policy.schema.vocabulary import Days

Year = Annotated[int, Field(ge=1990, le=2090)]

_SPAN = r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$"


def minutes(span: str) -> tuple[int, int]:
    """`08:30-12:00` as minutes from midnight."""
    begin, end = (int(time[:2]) * 60 + int(time[3:]) for time in span.split("-"))
    return begin, end


def _in_order(spans: tuple[str, ...]) -> tuple[str, ...]:
    times = [time for span in spans for time in minutes(span)]
    if times != sorted(set(times)):
        raise PydanticCustomError(
            "order",
            "are not in order: write each span from its begin to its end, none into another",
        )
    return spans


class CalendarPart(Part):
    """The working days: a country's public holidays, and what is added by hand."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    subdivision: str | None = None
    years: tuple[Year, Year]
    holidays: tuple[date, ...] = ()
    """Days off that the library does not know."""
    working_days: tuple[date, ...] = ()
    """Days of work that the library does not know."""
    published_until: date | None = None
    """Stated where the two lists above carry the publication of a further year."""
    business_hours: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=_SPAN)], ...],
        Field(max_length=10),
        AfterValidator(_in_order),
    ] = ()
    """When people work on a working day, for limits in hours; left out, all day and night."""


class HoursPart(Part):
    """A limit in hours of work instead of working days."""

    hours: Annotated[int, Field(strict=True, ge=1, le=2000)]


def _form(value: Any) -> str:
    return "in-hours" if isinstance(value, dict | HoursPart) else "in-days"


Limit = Annotated[
    Annotated[Days, Tag("in-days")] | Annotated[HoursPart, Tag("in-hours")], Discriminator(_form)
]
"""`5` working days, or `{hours: 4}`."""


def _kind(value: Any) -> str:
    return "a-share" if isinstance(value, str) else "in-days"


Warning_ = Annotated[
    Annotated[Days, Tag("in-days")]
    | Annotated[str, StringConstraints(pattern=r"^[1-9]\d?%$"), Tag("a-share")],
    Discriminator(_kind),
]
"""`2` working days before the due date, or `50%` of the time."""


class LimitsPart(Part):
    """Limits of a level that differ from those of the colour."""

    reply: Limit | None = None
    accept: Limit | None = None
    rating: Days | None = None


class ColourPart(Named):
    """An urgency and its clocks."""

    reply: Limit
    accept: Limit | None = None
    rating: Days | None = None
    """Working days for which a link to rate lives; left out, `link_days` of `rating`."""
    warn: tuple[Warning_, ...] = ()
    """Working days before the due date (hours, for a limit in hours), or shares of the time."""
    levels: dict[LevelRef, LimitsPart] = Field(default_factory=dict)
    """Limits of its own for cases that go to a unit of this level."""


class AcceptancePart(Part):
    """What becomes of the acceptance clock."""

    at_transfer: Literal["anew", "goes-on"] = "anew"


class PausePart(Part):
    """A reason for which the clocks may stand still."""

    title: Title
    by: Annotated[tuple[WhoRef, ...], Field(min_length=1)] = ("handler",)
    """Who may pause: `handler`, `parent`, or units."""
    max_days: Days = 20
    """Working days after which it ends by itself."""


class ExtensionsPart(Part):
    """How a unit gets more time."""

    most: Annotated[int, Field(strict=True, ge=1, le=20)] = 1
    """In one round."""
    max_days: Days = 10
    """Working days of one extension."""
    asked_by: Annotated[tuple[WhoRef, ...], Field(min_length=1)] = ("handler",)
    decided_by: Annotated[tuple[WhoRef, ...], Field(min_length=1)] = ("parent",)
