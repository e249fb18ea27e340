"""From errors of reading to problems in plain words: where, what, and how to mend it.

No message repeats the value that was given: it may be personal data, and problems reach logs.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.domain.errors import Problem

_WORDS = {
    "missing": ("missing", "Missing: add this field."),
    "extra_forbidden": ("unknown-field", "Unknown field: correct its name or leave it out."),
    "string_type": ("wrong-type", "Give text."),
    "string_too_short": ("too-short", "Too short: give at least {min_length} character(s)."),
    "string_too_long": ("too-long", "Too long: give at most {max_length} character(s)."),
    "string_pattern_mismatch": (
        "forbidden-characters",
        "Remove line breaks and other control characters.",
    ),
    "string_unicode": ("forbidden-characters", "Remove characters that are not valid Unicode."),
    "enum": ("unknown-value", "Not one of the possible values: use {expected}."),
    "literal_error": ("unknown-value", "Not one of the possible values: use {expected}."),
    "int_type": ("wrong-type", "Give a whole number."),
    "int_parsing": ("wrong-type", "Give a whole number."),
    "int_from_float": ("wrong-type", "Give a whole number, without decimals."),
    "greater_than_equal": ("too-small", "Too small: give at least {ge}."),
    "greater_than": ("too-small", "Too small: give more than {gt}."),
    "less_than_equal": ("too-large", "Too large: give at most {le}."),
    "less_than": ("too-large", "Too large: give less than {lt}."),
    "bool_type": ("wrong-type", "Give true or false."),
    "bool_parsing": ("wrong-type", "Give true or false."),
    "timezone_aware": (
        "no-time-zone",
        "Add the time zone, such as 2026-05-04T09:30:00+08:00.",
    ),
    "datetime_range": ("out-of-range", "Give a moment of the years 1 to 9999."),
    "dict_type": ("wrong-type", "Give an object with named fields."),
    "model_type": ("wrong-type", "Give an object with named fields."),
    "model_attributes_type": ("wrong-type", "Give an object with named fields."),
    "tuple_type": ("wrong-type", "Give a list."),
    "list_type": ("wrong-type", "Give a list."),
    "too_long": ("too-many", "Too many entries: give at most {max_length}."),
    "too_short": ("too-few", "Too few entries: give at least {min_length}."),
    "json_invalid": ("not-json", "This is not JSON: {error}."),
}

_A_MOMENT = ("wrong-type", "Give a date and time, such as 2026-05-04T09:30:00+08:00.")

_CHOICES = {
    "str": ("string_", "text"),
    "constrained-str": ("string_", "text"),
    "int": ("int_", "a whole number"),
    "bool": ("bool_", "true or false"),
}
"""Types of which a value may be any one: pydantic reports each that did not fit."""

_TYPES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object with named fields",
    "array": "a list",
    "datetime": "a date and time, such as 2026-05-04T09:30:00+08:00",
}
"""What msgspec expects, by its words; null is what may be left out."""

_EXPECTED = re.compile("Expected `([^`]+)`")
_MISSING = re.compile("Object missing required field `(.+)`")
_PLACE = re.compile(r"\[([0-9]+)\]")

_LONGEST_NAME = 60
"""Letters kept of each name in a path: an unknown field's name is the sender's own."""


def problems_of(error: ValidationError) -> tuple[Problem, ...]:
    """Everything that is wrong, one problem per field and kind of mistake, in pydantic's order."""
    return problems_in(error.errors(include_url=False, include_input=False))


def problems_in(errors: Sequence[ErrorDetails]) -> tuple[Problem, ...]:
    """The same from errors that a library has already taken out of pydantic's."""
    found: dict[tuple[str, str], Problem] = {}
    choices: dict[str, list[str]] = {}
    for details in errors:
        *above, last = details["loc"] or ("",)
        prefix, choice = _CHOICES.get(str(last), ("", ""))
        if above and choice and details["type"].startswith(prefix):
            path = _path(above)
            choices.setdefault(path, []).append(choice)
            code, message = "wrong-type", f"Give {', or '.join(choices[path])}."
        elif last == "[key]":
            path = _path(above[:-1])
            code, message = _in_words(details)
            message = f"One of the names in it: {message}"
        else:
            path = _path(details["loc"])
            code, message = _in_words(details)
        found[path, code] = Problem(field=path, code=code, message=message)
    return tuple(found.values())


def problem_of(error: msgspec.ValidationError) -> Problem:
    """The first thing that is wrong with a value of ours; its reader stops there."""
    reason, _, path = f"{error}".partition(" - at `")
    field = path.rpartition("$")[2].rstrip("`")
    field = _PLACE.sub(r".\1", field).replace("[...]", "").removeprefix(".")
    code, message = "wrong-type", "Not of the form that is expected here."
    if missing := _MISSING.fullmatch(reason):
        field = f"{field}.{missing[1]}".removeprefix(".")
        code, message = _WORDS["missing"]
    elif reason.startswith("Invalid enum value"):
        code, message = "unknown-value", "Not one of the possible values."
    elif reason.startswith("Invalid RFC3339"):
        code, message = _A_MOMENT
    elif reason.startswith("Expected `datetime` with"):
        code, message = _WORDS["timezone_aware"]
    elif wrong := _EXPECTED.match(reason):
        choices = [_TYPES[name] for name in wrong[1].split(" | ") if name in _TYPES]
        message = f"Give {', or '.join(choices)}." if choices else message
    return Problem(field=field, code=code, message=message)


def _path(location: Sequence[int | str]) -> str:
    return ".".join(str(name)[:_LONGEST_NAME] for name in location)


def _in_words(details: ErrorDetails) -> tuple[str, str]:
    kind = details["type"]
    if kind not in _WORDS:
        if kind.startswith(("datetime_", "date_")):
            return _A_MOMENT
        return kind.replace("_", "-"), f"{details['msg']}."
    code, message = _WORDS[kind]
    context: Mapping[str, object] = details.get("ctx", {})
    return code, message.format_map(context)
