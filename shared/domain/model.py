"""The bases of every value that is stored, sent or handed in."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

_new, _set = object.__new__, object.__setattr__


class Value(BaseModel):
    """An immutable value that we wrote ourselves: a reader ignores fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The same value with some fields changed; these are not validated, as with pydantic's.

        A value has neither private attributes nor fields of its own making, so that a copy is its
        fields and no more: that takes a third of the time.
        """
        if deep:
            return super().model_copy(update=update, deep=True)
        changes = update or {}
        twin = _new(type(self))
        _set(twin, "__dict__", {**self.__dict__, **changes})
        _set(twin, "__pydantic_fields_set__", self.__pydantic_fields_set__.union(changes))
        _set(twin, "__pydantic_extra__", None)
        _set(twin, "__pydantic_private__", None)
        return twin


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
