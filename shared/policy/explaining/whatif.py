"""What if a case were otherwise: `customer=hospital`, `kind=complaint`, `repeat=true`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from shared.domain.errors import ConfigurationError
from shared.policy.explaining.hypothetical import Hypothetical
from shared.policy.policy import CompiledPolicy
from shared.policy.schema.names import suggest

FIELDS = (
    "source", "channel", "kind", "category", "item", "subject", "text", "recorded_at",
    "recorder", "station", "place", "campaign", "repeat_of",
)  # fmt: skip
WITHIN = ("informant.ref", "informant.name", "informant.contact", "answered_by.unit",
          "answered_by.person")  # fmt: skip


def changed(given: Hypothetical, changes: Sequence[str], policy: CompiledPolicy) -> Hypothetical:
    """The case with other values, each written `NAME=VALUE`; an empty value takes one away.

    Raises:
        ConfigurationError: a change is not written so, or names nothing that a case has.
    """
    case: dict[str, Any] = given.model_dump(mode="json", exclude_unset=True)
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise ConfigurationError(f"`--set {change}` lacks a value: write {change}=VALUE.")
        _change(case, name.strip(), value.strip() or None, policy)
    try:
        return Hypothetical.model_validate(case)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, detail["loc"]))
        raise ConfigurationError(f"`{name}` cannot be set so: {detail['msg']}.") from error


def _change(case: dict[str, Any], name: str, value: str | None, policy: CompiledPolicy) -> None:
    attributes = policy.document.attributes
    counts = policy.document.counts
    if name == "repeat":
        name, value = "repeat_of", "earlier" if value == "true" else None
    if name in FIELDS:
        _put(case, name, value)
    elif name in WITHIN:
        outer, inner = name.split(".")
        case[outer] = dict(case.get(outer) or {})
        _put(case[outer], inner, value)
        if not case[outer]:
            del case[outer]
    elif name.removeprefix("attributes.") in attributes:
        case["attributes"] = dict(case.get("attributes") or {})
        _put(case["attributes"], name.removeprefix("attributes."), value)
    elif name.removeprefix("counts.") in counts:
        case["counts"] = dict(case.get("counts") or {})
        _put(case["counts"], name.removeprefix("counts."), value)
    else:
        known = [*FIELDS, *WITHIN, "repeat", *attributes, *counts]
        raise ConfigurationError(f"A case has no `{name}` to set: {suggest(name, known)}")


def _put(place: dict[str, Any], name: str, value: str | None) -> None:
    if value is None:
        place.pop(name, None)
    else:
        place[name] = value
