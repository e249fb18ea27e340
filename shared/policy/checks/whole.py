"""What must be true of a policy beyond the shape of its parts.

Each check looks at sections that are sound in themselves and reports what it finds, at the line
where it stands; none stops at its first finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from shared.policy.checks.clocks import check_clocks
from shared.policy.checks.draft import Draft
from shared.policy.checks.rules import TABLES, check_rules
from shared.policy.engine.table import FactType
from shared.policy.schema.names import SPECIAL_TARGETS, suggest
from shared.policy.schema.vocabulary import BUILT_IN_FACTS, RECORD_FIELDS, ROUTING_FACTS
from shared.policy.source import Path


def check_all(draft: Draft) -> None:
    """Report everything that is wrong with a policy whose parts have the right shape."""
    _unique_ids(draft)
    _units(draft)
    _requirements(draft)
    _sides(draft)
    check_clocks(draft)
    _scale(draft)
    _calendar(draft)
    _facts(draft)
    check_rules(draft)


def _unique_ids(draft: Draft) -> None:
    data = draft.source.data
    for section in ("levels", "channels", "categories", "colours", "campaigns"):
        _unique(draft, _listed(data, (section,), "id"))
    _unique(draft, _listed(data, ("rating", "scale"), "id"))
    for table in TABLES:
        _unique(draft, _listed(data, draft.rows_of(table), "name"))
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
    taken = {*BUILT_IN_FACTS, *(ROUTING_FACTS if "routing" in draft.source.data else ())}
    if draft.has("attributes"):
        for name, attribute in draft["attributes"].items():
            if name in taken:
                message = f"`{name}` is a fact of every case: choose another name."
                draft.report(("attributes", name), "reserved", message)
            if attribute.values is not None and attribute.type is not FactType.TEXT:
                message = "Only texts have a list of values: leave `values` or `type` out."
                draft.report(("attributes", name, "values"), "not-text", message)
    taken |= draft.names.attribute
    for section, declared in (("mentions", draft.names.mention), ("counts", draft.names.count)):
        for name in sorted(declared & taken):
            message = f"`{name}` is the name of another fact: choose another name."
            draft.report((section, name), "reserved", message)
        taken |= declared
