"""The bases of every value that is stored, sent or handed in."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Value(BaseModel):
    """An immutable value that we wrote ourselves: a reader ignores fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Input(BaseModel):
    """An immutable value that somebody else wrote: an unknown field is an error, not a guess."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def _to_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("datetime_range", "lies outside the years 1 to 9999") from error


Instant = AwareDatetime
"""A moment in UTC, in a value of ours; read and written without a call into Python."""

GivenInstant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A moment that somebody else wrote, in any zone; a time without a zone is refused."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime | None) -> int | None:
    """Microseconds since 1970-01-01 UTC, the form in which moments are stored in columns."""
    if at is None:
        return None
    delta = at - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
