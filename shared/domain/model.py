"""The bases of every value: what the house writes, what it shows, and what is handed in."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Self, dataclass_transform, get_type_hints

import msgspec
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class _Frozen(msgspec.StructMeta):
    """Values are frozen and made by their fields' names.

    They hold no circles, being complete when they are made, so that the garbage collector need
    not look at them.
    """

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any
    ) -> _Frozen:
        always = {"frozen": True, "kw_only": True, "gc": False}
        return super().__new__(cls, name, bases, namespace, **options | always)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class Value(msgspec.Struct, metaclass=_Frozen, frozen=True):
    """An immutable value that the house wrote itself: events, and what services store.

    It is read and written some hundred thousand times a second (docs/decisions/values.md). What is
    read is checked, and a field that is not known is ignored; what is made in Python is not checked
    again, types see to that. Pydantic's models may have values as fields.
    """

    but = msgspec.Struct.__replace__
    """The same with some fields changed: `known.but(version=4)`."""

    def to_json(self) -> str:
        """As JSON, in which it is shown."""
        return _encode(self).decode()

    def to_bytes(self) -> bytes:
        """As JSON in UTF-8, in which it is stored."""
        return _encode(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """From JSON; raises `msgspec.ValidationError`, or its base where that is no JSON."""
        found: Self = _decoder(cls).decode(text)
        return found

    @classmethod
    def from_plain(cls, given: object) -> Self:
        """From what JSON was read into; raises `msgspec.ValidationError`."""
        return msgspec.convert(given, cls)

    def plain(self) -> dict[str, Any]:
        """As what JSON is made of: dicts, tuples for lists, texts, numbers."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Self], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """How pydantic checks, writes and describes a value that is a field of a model."""
        hints = get_type_hints(cls, include_extras=True)
        fields = {
            field.name: core_schema.typed_dict_field(
                _with_default(handler.generate_schema(hints[field.name]), field),
                required=field.required,
            )
            for field in msgspec.structs.fields(cls)
        }
        described = {"title": cls.__name__, "description": inspect.getdoc(cls) or ""}
        parts = core_schema.typed_dict_schema(
            fields, cls_name=cls.__name__, metadata={"pydantic_js_updates": described}
        )

        def made(given: object, check: core_schema.ValidatorFunctionWrapHandler) -> Value:
            return given if isinstance(given, cls) else cls(**check(given))

        return core_schema.no_info_wrap_validator_function(
            made,
            parts,
            serialization=core_schema.plain_serializer_function_ser_schema(
                msgspec.structs.asdict, return_schema=parts
            ),
            ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
        )


def _with_default(schema: CoreSchema, field: msgspec.structs.FieldInfo) -> CoreSchema:
    if field.default is not msgspec.NODEFAULT:
        return core_schema.with_default_schema(schema, default=field.default)
    if field.default_factory is not msgspec.NODEFAULT:
        return core_schema.with_default_schema(schema, default_factory=field.default_factory)
    return schema


_encode = msgspec.json.Encoder().encode
_decoder = cache(msgspec.json.Decoder)


class View(BaseModel):
    """An immutable value that people and programs are shown: an answer, an explanation."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Input(BaseModel):
    """An immutable value that somebody else wrote: an unknown field is an error, not a guess."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def _to_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("datetime_range", "lies outside the years 1 to 9999") from error


Instant = Annotated[datetime, msgspec.Meta(tz=True), AwareDatetime]
"""A moment in UTC, in a value or a view of ours; read and written without a call into Python.

Each library heeds its own mark: neither reads a time without a zone.
"""

GivenInstant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A moment that somebody else wrote, in any zone; a time without a zone is refused."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(at: datetime | None) -> int | None:
    """Microseconds since 1970-01-01 UTC, the form in which moments are stored in columns."""
    if at is None:
        return None
    delta = at - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
