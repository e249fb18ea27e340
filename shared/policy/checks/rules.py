"""What must be true of a policy's tables: their facts, values, reach, and what nobody decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.policy.checks.draft import Draft
from shared.policy.deciding.rows import Groups, allowed_values
from shared.policy.deciding.rows import rows as compiled_rows
from shared.policy.engine.compile import Coder
from shared.policy.engine.table import FactType, Hit, Predicate, Row
from shared.policy.schema.names import suggest
from shared.policy.schema.rules import Operators, RowPart
from shared.policy.schema.vocabulary import (
    BUILT_IN_FACTS,
    HANDLING_FACTS,
    HAPPENING_FACTS,
    ROUTING_FACTS,
)
from shared.policy.source import Path

TABLES = ("triage", "routing", "evaluators", "escalation", "notifications")


def check_rules(draft: Draft) -> None:
    """Report everything that is wrong with the tables."""
    of_case = {**BUILT_IN_FACTS, **_declared_facts(draft)}
    groups = Groups.of(draft.sections.get("units", ()), draft.sections.get("categories", ()))
    _Rules(draft, "triage", of_case, groups).check()
    _Rules(draft, "routing", {**of_case, **ROUTING_FACTS}, groups).check()
    _Rules(draft, "evaluators", HANDLING_FACTS, groups).check()
    _Rules(draft, "escalation", HANDLING_FACTS, groups).check()
    _Rules(draft, "notifications", HAPPENING_FACTS, groups, Hit.COLLECT).check()
    _units_are_decided(draft)
    _levels_are_rated(draft, groups)


def _declared_facts(draft: Draft) -> dict[str, FactType | None]:
    """Attributes, mentions, counts; None as the type of an attribute that is itself mistaken."""
    attributes = draft.sections.get("attributes", {})
    types = {name: attributes[name].type if name in attributes else None
             for name in draft.names.attribute}  # fmt: skip
    return {
        **types,
        **dict.fromkeys(draft.names.count, FactType.INTEGER),
        **dict.fromkeys(draft.names.mention, FactType.BOOLEAN),
    }


def _units_are_decided(draft: Draft) -> None:
    """Each case goes to a unit: its row of triage names one, or the routing table does."""
    path, routed = draft.rows_of("triage"), draft.source.data.get("routing") is not None
    named = [getattr(row.then, "unit", None) is not None for _, row in draft.tables["triage"]]
    places = [
        ((*path, index, "then"), has)
        for (index, _), has in zip(draft.tables["triage"], named, strict=True)
    ]
    if draft.has("triage") and draft["triage"].otherwise is not None:
        places.append((("triage", "otherwise"), draft["triage"].otherwise.unit is not None))
    if routed and places and all(has for _, has in places):
        message = "No case is routed: every row of triage names its unit. Leave `unit` out there."
        draft.report(("routing",), "unreachable", message)
    for place, has in places:
        if not has and not routed:
            message = "No unit is named, and there is no `routing` table that would: add `unit`."
            draft.report(place, "no-unit", message)


def _levels_are_rated(draft: Draft, groups: Groups) -> None:
    """Each level has a row that is certain to say who rates it."""
    if not draft.has("evaluators", "levels") or draft["evaluators"].otherwise is not None:
        return
    certain: set[str] = set()
    for row in compiled_rows(draft["evaluators"].rows, groups):
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


class _Rules:
    """The checks of one table."""

    def __init__(
        self,
        draft: Draft,
        section: str,
        types: Mapping[str, FactType | None],
        groups: Groups,
        hit: Hit = Hit.FIRST,
    ) -> None:
        self._draft = draft
        self._section = section
        self._types = types
        self._groups = groups
        self._path = draft.rows_of(section)
        data: Any = draft.source.data.get(section)
        whole = data if isinstance(data, dict) else {"rows": data}
        rows = whole.get("rows")
        self._last = len(rows) - 1 if isinstance(rows, list) else 0
        self._otherwise = whole.get("otherwise") is not None
        self._hit = whole.get("hit", hit.value)

    def check(self) -> None:
        """Report what is wrong with the rows, each at its place."""
        numbered = self._draft.tables[self._section]
        rows = compiled_rows([part for _, part in numbered], self._groups)
        for (index, part), row in zip(numbered, rows, strict=True):
            self._groups_exist(index, part)
            for test in row.tests:
                self._test((*self._path, index, "when", test.fact), test)
        self._reach([(index, row) for (index, _), row in zip(numbered, rows, strict=True)])

    def _reach(self, rows: list[tuple[int, Row]]) -> None:
        """No row that takes every case stands before others, and no case is left over."""
        certain = [index for index, row in rows if not row.tests]
        for index in certain:
            place = (*self._path, index, "when")
            if self._hit == Hit.FIRST and index < self._last:
                message = "This row matches every case: the rows below are never reached."
                self._draft.report(place, "unreachable", message)
            elif self._hit == Hit.UNIQUE and (self._last or self._otherwise):
                message = (
                    "This row matches every case, and so overlaps with all others: say what is"
                    " left over by `otherwise` beside `rows`."
                )
                self._draft.report(place, "overlap", message)
        if certain and self._otherwise and self._hit != Hit.UNIQUE:
            message = (
                "No case is left over: a row with `when: {}` takes them all. Keep one of both."
            )
            self._draft.report((self._section, "otherwise"), "unreachable", message)
        elif self._section in {"triage", "routing"} and not certain and not self._otherwise:
            self._left_over(rows)

    def _left_over(self, rows: list[tuple[int, Row]]) -> None:
        if self._hit == Hit.FIRST:
            # Where the last row itself is mistaken, that has been told already.
            for index, _ in rows[-1:]:
                if index == self._last:
                    message = (
                        "The last row must match every case that is left: write `when: {}` there."
                    )
                    self._draft.report((*self._path, index, "when"), "no-catch-all", message)
        elif rows:
            message = "A case that no row matches needs an outcome: add `otherwise` beside `rows`."
            self._draft.report((self._section,), "no-catch-all", message)

    def _groups_exist(self, index: int, part: RowPart) -> None:
        for fact, asked in part.when.items():
            if not isinstance(asked, Operators) or asked.within is None:
                continue
            path = (*self._path, index, "when", fact, "within")
            if self._groups.about(fact) is None:
                if fact in self._types:
                    message = (
                        f"Nothing lies within a `{fact}`: `within` is asked of `station` and"
                        " `unit`, which lie within a unit, and of `item`, within a category."
                    )
                    self._draft.report(path, "no-groups", message)
                continue
            names = self._draft.names
            known = names.category if fact == "item" else names.unit
            kind = "category" if fact == "item" else "unit"
            given = (asked.within,) if isinstance(asked.within, str) else asked.within
            for name in given:
                if name not in known:
                    message = f"there is no {kind} `{name}`: {suggest(name, known)}"
                    self._draft.report(path, f"unknown-{kind}", message)
                elif name in (self._groups.about(fact) or {}) and not self._groups.members(
                    fact, name
                ):
                    self._draft.report(path, "contradiction", f"`{name}` has no items.")

    def _test(self, path: Path, test: Predicate) -> None:
        draft, types = self._draft, self._types
        if test.fact not in types:
            message = f"There is no fact `{test.fact}`: {suggest(test.fact, types)}"
            draft.report(path, "unknown-fact", message)
            return
        kind = types[test.fact]
        if kind is None or not _has_types(draft, path, test, kind):
            return
        _has_values(draft, path, test)
        if test.any_of != () and not Coder.of(test.fact, kind, [test]).codes(test):
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
