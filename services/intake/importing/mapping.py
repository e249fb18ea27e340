"""The mapping file: which column of a register is which field of a case."""

from __future__ import annotations

import codecs
from collections.abc import Mapping as AnyMapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from services.intake.importing.times import DateOnly, has_time_of_day
from shared.domain.case import Name, Scalar
from shared.domain.commands import SubmitCase
from shared.domain.errors import ConfigurationError, PolicyError, Problem
from shared.domain.problems import problems_of
from shared.policy import source as yaml_source
from shared.policy.schema.names import suggest

PLAIN_FIELDS = (
    "external_id", "channel", "kind", "category", "item", "subject", "text", "recorded_at",
    "recorder", "station", "place", "campaign",
    "informant.ref", "informant.name", "informant.contact",
    "answer.text", "answer.at", "answer.by",
)  # fmt: skip
"""Fields of a case that a column or a constant can fill, besides `attributes.NAME`."""

TIMES = ("recorded_at", "answer.at")
TEXTS = ("text", "answer.text")
"""Fields of more than one line; all others are one."""

ATTRIBUTE = "attributes."
NEEDED = ("external_id", "subject", "channel")


def _field(name: str) -> str:
    if name in PLAIN_FIELDS or (name.startswith(ATTRIBUTE) and len(name) > len(ATTRIBUTE)):
        return name
    raise PydanticCustomError(
        "unknown-field",
        "a case has no field `{name}`: {hint}",
        {"name": name, "hint": suggest(name, (*PLAIN_FIELDS, "attributes.NAME"))},
    )


def _time(field: str) -> str:
    if field in TIMES:
        return field
    raise PydanticCustomError(
        "no-time", "`{field}` holds no time: name `recorded_at` or `answer.at`", {"field": field}
    )


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:  # it depends on what the name looks like
        raise PydanticCustomError(
            "unknown-time-zone", "is no time zone: write one such as `Asia/Shanghai`"
        ) from error
    return name


def _time_format(form: str) -> str:
    try:
        has_time_of_day(form)
    except ValueError as error:
        raise PydanticCustomError(
            "bad-time-format",
            "cannot be used ({reason}): write one such as `%Y-%m-%d %H:%M:%S`, or `iso`",
            {"reason": f"{error}"},
        ) from error
    return form


def _scalar(value: object) -> object:
    if isinstance(value, str | int):
        return value
    raise PydanticCustomError("wrong-type", "give a text, a whole number, true or false")


def _delimiter(text: str) -> str:
    if len(text) == 1 and text not in '"\r\n':
        return text
    raise PydanticCustomError("bad-delimiter", 'is no delimiter: give one character, or "\\t"')


def _encoding(name: str) -> str:
    try:
        "a".encode(name)  # refuses, unlike a look-up, what encodes no text
        return codecs.lookup(name).name
    except (LookupError, UnicodeError) as error:
        raise PydanticCustomError(
            "unknown-encoding", "is no encoding: write one such as `utf-8-sig` or `gb18030`"
        ) from error


class Part(BaseModel):
    """Any part of the file: an unknown key is an error, not a guess."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Format(Part):
    """What kind of file the register is."""

    kind: Literal["xlsx", "csv", "jsonl"] | None = None
    """Left out, the file's name tells."""
    sheet: str | None = None
    """Of a spreadsheet; left out, the first one."""
    header_row: Annotated[StrictInt, Field(ge=1, le=100)] = 1
    """The row that holds the columns' headers."""
    encodings: Annotated[
        tuple[Annotated[str, AfterValidator(_encoding)], ...], Field(min_length=1)
    ] = ("utf-8-sig", "gb18030")
    """Of a CSV file: the first in which the whole file can be read is taken."""
    delimiter: Annotated[str, AfterValidator(_delimiter)] = ","


Target = Annotated[str, AfterValidator(_field)]
Header = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Mapping(Part):
    """How a register's rows become cases."""

    source: Name
    """Names the register: the same source and `external_id` are the same case, for ever."""
    policy: Path | None = None
    """The policy that goes with the register; a relative path starts at the mapping file."""
    format: Format = Format()
    time_zone: Annotated[str, AfterValidator(_zone)]
    """Where a time without a zone was written down."""
    time_formats: Annotated[
        tuple[Annotated[str, AfterValidator(_time_format)], ...], Field(min_length=1)
    ] = ("iso", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
    """As Python's `strptime` reads them, tried in this order; `iso` is ISO 8601."""
    date_only: dict[Annotated[str, AfterValidator(_time)], DateOnly] = Field(default_factory=dict)
    """How a date without a time of day is read, by field."""
    columns: Annotated[dict[Header, Target], Field(min_length=1)]
    """From a column's header to the field that it fills; other columns are left aside."""
    values: dict[Target, dict[str, Annotated[str, StringConstraints(min_length=1)]]] = Field(
        default_factory=dict
    )
    """By field, from what stands in a cell to what the policy calls it."""
    constants: dict[Target, Annotated[Any, AfterValidator(_scalar)]] = Field(default_factory=dict)
    """Fields that are the same for every case."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.time_zone)

    def reading_of_dates(self, field: str) -> DateOnly:
        """How a date without a time is read in a field.

        Unless the file says otherwise, in the way that does not flatter the house: the clock
        starts with the first moment of the day, and the answer came with the last.
        """
        by_default = DateOnly.END_OF_DAY if field == "answer.at" else DateOnly.START_OF_DAY
        return self.date_only.get(field, by_default)

    def column_of(self, field: str) -> str | None:
        """The header of the column that fills a field."""
        return next((header for header, target in self.columns.items() if target == field), None)


def load_mapping(path: Path) -> Mapping:
    """The mapping in a file, its policy's path made whole.

    Raises `ConfigurationError` that lists everything that is wrong, with line and field.
    """
    try:
        with path.open("rb") as file:
            content = file.read(yaml_source.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The mapping {path} cannot be read: {error}.") from error
    return parse_mapping(content, path)


def parse_mapping(content: bytes, path: Path) -> Mapping:
    """As `load_mapping`, from a file's content; `path` names it and is where `policy` starts."""
    try:
        mapping = _parse(yaml_source.read(f"{path}", content))
    except PolicyError as error:  # the reader of YAML is the policy's
        lines = "\n".join(f"  {problem.field}: {_plain(problem)}" for problem in error.problems)
        raise ConfigurationError(f"The mapping {path} cannot be used:\n{lines}") from error
    if mapping.policy is None:
        return mapping
    return mapping.model_copy(update={"policy": path.parent / mapping.policy})


def _plain(problem: Problem) -> str:
    """What the reader of YAML says, about a mapping."""
    return {
        "not-a-mapping": "A mapping file has keys: at least source, time_zone and columns.",
        "two-documents": "A mapping file is one YAML document.",
    }.get(problem.code, problem.message)


def _parse(source: yaml_source.Source) -> Mapping:
    try:
        mapping = Mapping.model_validate(source.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            path = detail["loc"][:-1] if detail["loc"][-1:] == ("[key]",) else detail["loc"]
            source.report(path, detail["type"], _in_words(detail["type"], detail["msg"], path))
        raise source.error() from error
    _check_targets(mapping, source)
    _check_constants(mapping, source)
    if source.problems:
        raise source.error()
    return mapping


def _in_words(kind: str, message: str, path: tuple[int | str, ...]) -> str:
    if kind == "missing":
        return "This is required: add it."
    if kind == "extra_forbidden":
        known = {*Mapping.model_fields, *Format.model_fields}
        return f"This key is not known here: {suggest(path[-1], known)}"
    return f"{message}."


def _check_targets(mapping: Mapping, source: yaml_source.Source) -> None:
    filled: dict[str, str] = {}
    for section, header, field in (
        *(("columns", header, field) for header, field in mapping.columns.items()),
        *(("constants", field, field) for field in mapping.constants),
    ):
        if field in filled:
            message = f"`{field}` is filled by the column `{filled[field]}` already: keep one."
            source.report((section, header), "filled-twice", message)
        filled.setdefault(field, header)
    for field in NEEDED:
        if field not in filled:
            message = f"Every case needs `{field}`: name the column or the constant that fills it."
            source.report(("columns",), "missing", message)
    if "external_id" in mapping.constants:
        message = "It tells one case from the next and cannot be the same for all: name its column."
        source.report(("constants", "external_id"), "not-constant", message)
    columns = set(mapping.columns.values())
    if ("answer.text" in columns) != ("answer.at" in columns):
        message = "An answer needs both `answer.text` and `answer.at`: name the other one's column."
        source.report(("columns",), "half-an-answer", message)
    for field in mapping.values.keys() - columns:
        message = f"No column fills `{field}`, whose values are translated here."
        source.report(("values", field), "not-filled", message)


def _check_constants(mapping: Mapping, source: yaml_source.Source) -> None:
    """A wrong constant would refuse every row: find it before the first."""
    sample: dict[str, Scalar] = {"external_id": "1", "channel": "any", "subject": "any"}
    if any(field.startswith("answer.") for field in mapping.constants):
        sample |= {"answer.text": "any", "answer.at": "2020-01-01T00:00:00Z"}
    body = nested({**sample, **mapping.constants, "source": mapping.source})
    try:
        SubmitCase.model_validate(body)
    except ValidationError as error:
        for problem in problems_of(error):
            source.report(("constants", problem.field), problem.code, problem.message)


def nested(fields: AnyMapping[str, Any]) -> dict[str, Any]:
    """Fields by their paths as the body of a command: `answer.at` becomes `{answer: {at: …}}`."""
    body: dict[str, Any] = {}
    for path, value in fields.items():
        group, dot, name = path.partition(".")
        if dot:
            body.setdefault(group, {})[name] = value
        else:
            body[group] = value
    return body
