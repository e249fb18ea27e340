"""Reading a policy file: all that is wrong with it at once, each with line, column and path."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from shared.domain.calendar import WorkingCalendar
from shared.domain.errors import PolicyError, Problem
from shared.policy import source as yaml_source
from shared.policy.checks.draft import Draft
from shared.policy.checks.keeping import check_retention
from shared.policy.checks.notify import check_notifications
from shared.policy.checks.review import check_review
from shared.policy.checks.whole import check_all
from shared.policy.engine.durable import OnFallback
from shared.policy.policy import CompiledPolicy
from shared.policy.schema.document import Document
from shared.policy.schema.names import Names, suggest
from shared.policy.schema.notify import NotificationRow
from shared.policy.schema.rules import EscalationRow, EvaluatorRow, RoutingRow, RowPart, TriageRow
from shared.policy.source import Source
from shared.policy.time.calendar import UnknownPlace, build

ROW_TYPES: dict[str, type[RowPart]] = {
    "triage": TriageRow,
    "routing": RoutingRow,
    "evaluators": EvaluatorRow,
    "escalation": EscalationRow,
    "notifications": NotificationRow,
}


def load_policy(path: Path, on_fallback: OnFallback | None = None) -> CompiledPolicy:
    """The policy in a file, checked and compiled.

    `on_fallback` is told of each decision that the engine failed to make, or for which rows matched
    that must not match together.

    Raises:
        PolicyError: the file cannot be read or used; it lists every problem found.
    """
    return parse_policy(f"{path}", read_bytes(path), on_fallback)


def read_bytes(path: Path) -> bytes:
    """The file's content, at most one byte more than may be parsed.

    Raises:
        PolicyError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(yaml_source.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        message = f"The file cannot be read: {error}."
        problem = Problem(field="", code="unreadable", message=message)
        raise PolicyError(f"{path}", [problem]) from error


def parse_policy(
    file: str, content: bytes, on_fallback: OnFallback | None = None
) -> CompiledPolicy:
    """As `load_policy`, from the content of a file; `file` names it in errors."""
    source = yaml_source.read(file, content)
    document, calendar = _check(source)
    return CompiledPolicy(document, calendar, version_of(document.policy, content), on_fallback)


def version_of(name: str, content: bytes) -> str:
    """The version of a policy with this name and file content."""
    return f"{name}@{hashlib.sha256(content).hexdigest()[:12]}"


def _check(source: Source) -> tuple[Document, WorkingCalendar]:
    names = Names.of(source.data)
    document: Document | None = None
    try:
        document = Document.model_validate(source.data, context=names)
        sections = {name: getattr(document, name) for name in Document.model_fields}
        tables = {name: _rows(sections[name]) for name in ROW_TYPES}
    except ValidationError as error:
        _report(source, error)
        sections = _sound_sections(source.data, names)
        tables = {name: _sound_rows(source.data.get(name), name, names) for name in ROW_TYPES}
    draft = Draft(source, names, sections, tables)
    check_all(draft)
    check_notifications(draft)
    check_review(draft)
    check_retention(draft)
    calendar = _calendar(source, sections)
    if source.problems or document is None or calendar is None:
        raise source.error()
    return document, calendar


def _sound_sections(data: dict[str, Any], names: Names) -> dict[str, Any]:
    """The sections that are right by themselves, so that the checks can go on with them."""
    sound = {}
    for name, field in Document.model_fields.items():
        if name not in data:
            if not field.is_required():
                sound[name] = field.get_default(call_default_factory=True)
            continue
        try:
            sound[name] = _adapter(name).validate_python(data[name], context=names)
        except ValidationError:
            continue
    return sound


@cache
def _adapter(section: str) -> TypeAdapter[Any]:
    return TypeAdapter(Document.model_fields[section].rebuild_annotation())


def _rows(table: Any) -> list[tuple[int, RowPart]]:
    return [] if table is None else list(enumerate(table.rows))


def _sound_rows(data: Any, section: str, names: Names) -> list[tuple[int, RowPart]]:
    """The rows of a table that are right by themselves, with their places."""
    sound = []
    rows = data.get("rows") if isinstance(data, dict) else data
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        try:
            sound.append((index, ROW_TYPES[section].model_validate(row, context=names)))
        except ValidationError:
            continue
    return sound


def _calendar(source: Source, sections: dict[str, Any]) -> WorkingCalendar | None:
    part, zone = sections.get("calendar"), sections.get("timezone")
    if part is None or part.years[0] > part.years[1]:
        return None
    try:
        return build(part, ZoneInfo(zone or "UTC"))
    except UnknownPlace as error:
        key = "country" if part.subdivision is None else "subdivision"
        message = f"The holidays of this place are not known: {error}"
        source.report(("calendar", key), "unknown-place", message)
        return None


def _report(source: Source, error: ValidationError) -> None:
    keys = _all_keys()
    for detail in error.errors(include_url=False):
        path, kind = detail["loc"], detail["type"]
        if kind == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
            continue  # pydantic counts only the parts that are right; the wrong ones are told
        if kind == "missing":
            message = "This is required: add it."
        elif kind == "extra_forbidden":
            message = f"This key is not known here: {suggest(path[-1], keys)}"
        elif kind == "string_pattern_mismatch" and path[-1] in {"id", "policy", "[key]"}:
            message = "An id has small letters, digits and hyphens only, at most 64."
        else:
            message = f"{detail['msg']}; found {_shown(detail['input'])}."
        source.report(_path_in(source, path, kind), kind.replace("_", "-"), message)


@cache
def _all_keys() -> frozenset[str]:
    """Every key that the file's schema knows, wherever it stands."""
    schema = Document.model_json_schema()
    parts = [schema, *schema["$defs"].values()]
    return frozenset(key for part in parts for key in part.get("properties", {}))


def _path_in(source: Source, location: tuple[str | int, ...], kind: str) -> yaml_source.Path:
    """The error's location without the steps that stand for pydantic's own unions and keys."""
    path: yaml_source.Path = ()
    for step in location:
        if (*path, step) in source.marks:
            path = (*path, step)
    return (*path, location[-1]) if kind == "missing" else path


def _shown(value: Any) -> str:
    text = repr(value) if not isinstance(value, dict | list) else type(value).__name__
    return {"dict": "a mapping", "list": "a list"}.get(
        text, text if len(text) <= 60 else f"{text[:57]}…"
    )
