"""What must be true of a policy beyond the shape of its parts.

Each check looks at sections that are sound in themselves and reports what it finds, at the line
where it stands; none stops at its first finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from shared.policy.compile import Coder
from shared.policy.names import SPECIAL_TARGETS, Names, suggest
from shared.policy.rows import allowed_values
from shared.policy.rows import rows as compiled_rows
from shared.policy.schema import RowPart
from shared.policy.source import Path, Source
from shared.policy.table import FactType, Predicate
from shared.policy.vocabulary import BUILT_IN_FACTS, HANDLING_FACTS, RECORD_FIELDS


@dataclass(frozen=True)
class Draft:
    """A policy on its way: the source, the names that it declares, and the sound sections."""

    source: Source
    names: Names
    sections: Mapping[str, Any]
    tables: Mapping[str, list[tuple[int, RowPart]]]
    """The sound rows of each table, with their places: one bad row does not hide the others."""

    def has(self, *sections: str) -> bool:
        """Whether all these sections are sound."""
        return all(section in self.sections for section in sections)

    def __getitem__(self, section: str) -> Any:
        return self.sections[section]

    def report(self, path: Path, code: str, message: str) -> None:
        """Note a problem."""
        self.source.report(path, code, message)


def check_all(draft: Draft) -> None:
    """Report everything that is wrong with a policy whose parts have the right shape."""
    _unique_ids(draft)
    _units(draft)
    _requirements(draft)
    _sides(draft)
    _colours(draft)
    _scale(draft)
    _calendar(draft)
    _facts(draft)
    _triage(draft)
    _evaluators(draft)


def _unique_ids(draft: Draft) -> None:
    data = draft.source.data
    for section in ("levels", "channels", "categories", "colours", "campaigns"):
        _unique(draft, _listed(data, (section,), "id"))
    _unique(draft, _listed(data, ("rating", "scale"), "id"))
    _unique(draft, _listed(data, ("triage",), "name"))
    _unique(draft, _listed(data, ("evaluators",), "name"))
    _unique(draft, _listed(data, ("notifications",), "name"))
    categories = range(len(draft.sections.get("categories", ())))
    # Across all categories: an item alone names its category.
    items = [_listed(data, ("categories", index, "items"), "id") for index in categories]
    _unique(draft, chain.from_iterable(items))


def _listed(data: Any, path: Path, key: str) -> Iterator[tuple[Path, Any]]:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return
    for index, entry in enumerate(data if isinstance(data, list) else ()):
        if isinstance(entry, dict) and key in entry:
            yield (*path, index, key), entry[key]


def _unique(draft: Draft, entries: Iterator[tuple[Path, Any]]) -> None:
    first: dict[str, Path] = {}
    for path, name in entries:
        before = first.setdefault(f"{name}", path)
        if before != path:
            line = draft.source.marks[before][0]
            draft.report(path, "duplicate", f"`{name}` is declared twice, first in line {line}.")


def _units(draft: Draft) -> None:
    entries = list(_unit_entries(draft.source.data.get("units"), ("units",)))
    _unique(draft, (((*path, "id"), entry["id"]) for path, entry in entries if "id" in entry))
    for path, entry in entries:
        name = entry.get("id")
        if name in SPECIAL_TARGETS:
            message = f"`{name}` has a meaning of its own in `then.unit`: choose another id."
            draft.report((*path, "id"), "reserved", message)
        for key in ("tied_to", "paired_with", "escalates_to"):
            others = entry.get(key)
            seen = set()
            for index, other in enumerate(others if isinstance(others, list) else ()):
                if other == name:
                    message = f"A unit cannot name itself in `{key}`."
                    draft.report((*path, key, index), "itself", message)
                elif f"{other}" in seen:
                    draft.report((*path, key, index), "duplicate", f"`{other}` stands here twice.")
                seen.add(f"{other}")


def _unit_entries(value: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        if isinstance(entry, dict):
            yield (*path, index), entry
            yield from _unit_entries(entry.get("children"), (*path, index, "children"))


def _requirements(draft: Draft) -> None:
    known = [*RECORD_FIELDS, *(f"attributes.{name}" for name in sorted(draft.names.attribute))]
    for section in ("levels", "channels"):
        for index, part in enumerate(draft.sections.get(section, ())):
            for position, name in enumerate(part.requires):
                if name not in known:
                    message = f"A record has no field `{name}`: {suggest(name, known)}"
                    path = (section, index, "requires", position)
                    draft.report(path, "unknown-field", message)


def _sides(draft: Draft) -> None:
    if not draft.has("channels", "categories", "default_category"):
        return
    side_of = {category.id: category.side for category in draft["categories"]}
    defaults = draft["default_category"]
    for side in sorted({channel.side for channel in draft["channels"]} - set(defaults)):
        message = f"Channels of the {side} exist: name the category of cases without a keyword."
        draft.report(("default_category", side), "missing", message)
    for side, category in defaults.items():
        if side_of.get(category, side) != side:
            message = f"`{category}` is a category of the {side_of[category]}."
            draft.report(("default_category", side), "wrong-side", message)


def _colours(draft: Draft) -> None:
    for index, colour in enumerate(draft.sections.get("colours", ())):
        for key, days in (("accept", colour.accept or 1), *(("warn", day) for day in colour.warn)):
            if days > colour.reply or (key == "warn" and days >= colour.reply):
                message = f"{days} working days do not lie within the {colour.reply} of the reply."
                draft.report(("colours", index, key), "too-long", message)


def _scale(draft: Draft) -> None:
    if not draft.has("rating"):
        return
    scale = draft["rating"].scale
    values = [score.value for score in scale]
    if values != sorted(set(values), reverse=True):
        message = "The scale goes from the best to the worst: each value lower than the one before."
        draft.report(("rating", "scale"), "order", message)
    if len({score.satisfied for score in scale}) < 2:
        message = "The scale needs at least one satisfied and one dissatisfied score."
        draft.report(("rating", "scale"), "one-sided", message)


def _calendar(draft: Draft) -> None:
    if not draft.has("calendar"):
        return
    calendar = draft["calendar"]
    first, last = calendar.years
    if first > last:
        message = "Write the first year before the last: [2010, 2030]."
        draft.report(("calendar", "years"), "order", message)
    for key in ("holidays", "working_days"):
        for index, day in enumerate(getattr(calendar, key)):
            if not first <= day.year <= last:
                message = f"{day} lies outside `calendar.years`."
                draft.report(("calendar", key, index), "out-of-range", message)
            if key == "working_days" and day in calendar.holidays:
                message = f"{day} stands among the holidays as well: remove one of them."
                draft.report(("calendar", key, index), "contradiction", message)


def _facts(draft: Draft) -> None:
    if draft.has("attributes"):
        for name, attribute in draft["attributes"].items():
            if name in BUILT_IN_FACTS:
                message = f"`{name}` is a fact of every case: choose another name."
                draft.report(("attributes", name), "reserved", message)
            if attribute.values is not None and attribute.type is not FactType.TEXT:
                message = "Only texts have a list of values: leave `values` or `type` out."
                draft.report(("attributes", name, "values"), "not-text", message)
    for name in sorted(draft.names.mention & (draft.names.attribute | BUILT_IN_FACTS.keys())):
        message = f"`{name}` is the name of another fact: choose another name."
        draft.report(("mentions", name), "reserved", message)


def _triage(draft: Draft) -> None:
    check_table(draft, "triage", {**BUILT_IN_FACTS, **_declared_facts(draft)})
    for index, row in draft.tables["triage"][-1:]:
        if index == len(draft.source.data["triage"]) - 1 and row.when:
            message = "The last row must match every case that is left: write `when: {}` there."
            draft.report(("triage", index, "when"), "no-catch-all", message)


def _declared_facts(draft: Draft) -> dict[str, FactType | None]:
    """Attributes and mentions; None as the type of an attribute that is itself mistaken."""
    attributes = draft.sections.get("attributes", {})
    types = {name: attributes[name].type if name in attributes else None
             for name in draft.names.attribute}  # fmt: skip
    return {**types, **dict.fromkeys(draft.names.mention, FactType.BOOLEAN)}


def _evaluators(draft: Draft) -> None:
    check_table(draft, "evaluators", HANDLING_FACTS)
    if not draft.has("evaluators", "levels"):
        return
    certain: set[str] = set()
    for row in compiled_rows(draft["evaluators"]):
        if not row.tests:
            return
        if len(row.tests) == 1 and row.tests[0].fact == "level":
            certain |= {level for level in draft.names.level if row.tests[0].holds(level)}
    for level in sorted(draft.names.level - certain):
        message = (
            f"No row is certain to name who rates level `{level}`: add one with"
            f" `when: {{level: {level}}}` or a last one with `when: {{}}`."
        )
        draft.report(("evaluators",), "no-evaluator", message)


def check_table(
    draft: Draft, section: str, types: Mapping[str, FactType | None], *, collect: bool = False
) -> None:
    """Report rows that use unknown facts or values, and those that are never reached.

    In a table that collects all matches every row is reached.
    """
    parts = draft.tables[section]
    rows = compiled_rows([part for _, part in parts])
    last = len(draft.source.data[section]) - 1 if parts else 0
    for (index, _), row in zip(parts, rows, strict=True):
        if not row.tests and index < last and not collect:
            message = "This row matches every case: the rows below are never reached."
            draft.report((section, index, "when"), "unreachable", message)
        for test in row.tests:
            path: Path = (section, index, "when", test.fact)
            if test.fact not in types:
                message = f"There is no fact `{test.fact}`: {suggest(test.fact, types)}"
                draft.report(path, "unknown-fact", message)
                continue
            kind = types[test.fact]
            if kind is not None and _has_types(draft, path, test, kind):
                _has_values(draft, path, test)
                if not Coder.of(test.fact, kind, [test]).codes(test):
                    draft.report(path, "contradiction", "This condition can never hold.")


def _has_types(draft: Draft, path: Path, test: Predicate, kind: FactType) -> bool:
    if kind is not FactType.INTEGER and (test.at_least is not None or test.at_most is not None):
        draft.report(path, "wrong-type", f"`{test.fact}` is no number that could be compared.")
        return False
    wrong = [
        value
        for value in (test.any_of or ()) + (test.none_of or ())
        if {str: FactType.TEXT, bool: FactType.BOOLEAN, int: FactType.INTEGER}[type(value)] != kind
    ]
    if wrong:
        example = {FactType.TEXT: "a text", FactType.BOOLEAN: "`true` or `false`"}
        wanted = example.get(kind, "a whole number")
        draft.report(path, "wrong-type", f"`{test.fact}` wants {wanted}, not `{wrong[0]}`.")
    return not wrong


def _has_values(draft: Draft, path: Path, test: Predicate) -> None:
    attributes = draft["attributes"] if draft.has("attributes") else {}
    allowed = allowed_values(test.fact, draft.names, attributes)
    if allowed is not None:
        for value in (test.any_of or ()) + (test.none_of or ()):
            if value not in allowed:
                message = f"`{test.fact}` is never `{value}`: {suggest(value, allowed)}"
                draft.report(path, "unknown-value", message)
