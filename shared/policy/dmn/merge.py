"""Puts tables into a policy's text: what they do not change stays, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import yaml

from shared.domain.errors import Problem
from shared.policy import source
from shared.policy.dmn import yaml_text
from shared.policy.dmn.conditions import to_condition
from shared.policy.dmn.errors import NotSayable, TablesUnusable
from shared.policy.dmn.tables import (
    OUTPUTS,
    DecisionTable,
    Groups,
    Rule,
    rows_in,
    rule_of,
    said,
    tables_of,
)

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE = re.compile("[^\r\n\x85\u2028\u2029]*(?:\r\n|[\r\n\x85\u2028\u2029]|$)")
"""A line as YAML counts them."""

BOM = b"\xef\xbb\xbf"


def merge(file: str, content: bytes, tables: Sequence[DecisionTable]) -> bytes:
    """The content of a policy file with these tables in the place of its own.

    A row that says what it said before keeps its text, with its comments; so does all outside the
    tables. A section whose form or default changes is written anew, rows and all. Whether
    the policy can be used is for its reader to check.

    Raises:
        PolicyError: the policy file is no YAML.
        TablesUnusable: a row asks what cannot be, or the file's form leaves no place for a table.
    """
    data = source.read(file, content).data
    text = content.removeprefix(BOM).decode()
    known = {table.name: table for table in tables_of(data)}
    for table in tables:
        if table.name not in known or not known[table.name].same_as(table):
            text = _Merge(file, text, data).put(table)
    merged = content[: len(content) - len(content.removeprefix(BOM))] + text.encode()
    _prove(file, data, merged, tables)
    return merged


def _prove(
    file: str, before: Mapping[str, Any], merged: bytes, tables: Sequence[DecisionTable]
) -> None:
    """The text that was made says what was asked for, and nothing else has changed."""
    after = source.read(file, merged).data
    made = {table.name: table for table in tables_of(after)}
    names = {table.name for table in tables}
    right = all(table.name in made and made[table.name].same_as(table) for table in tables)
    kept = all(before.get(key) == after.get(key) for key in {*before, *after} - names)
    if not right or not kept:
        raise _refuse(file, "the file's form is unusual: write each section as a block of its own")


def _refuse(file: str, message: str, field: str = "") -> TablesUnusable:
    return TablesUnusable(file, [Problem(field=field, code="not-merged", message=message)])


class _Merge:
    """One table into one text."""

    def __init__(self, file: str, text: str, data: Mapping[str, Any]) -> None:
        self._file, self._data = file, data
        self._lines = [line for line in _LINE.findall(text) if line]
        loader = _LOADER(text)
        try:
            self._root: Any = loader.get_single_node()
        finally:
            loader.dispose()
        self._end = "\r\n" if "\r\n" in text else "\n"
        if self._root.flow_style:
            raise _refuse(file, "the policy file is one mapping in braces: write it as blocks")

    def put(self, table: DecisionTable) -> str:
        """The text with the table."""
        old = self._data.get(table.name)
        rows = self._rows(table)
        place = self._place(table.name)
        if place is None:
            return self._insert(table.name, _whole(old, table, rows))
        if self._may_keep(old, table) and (kept := self._row_by_row(table, rows, place)):
            return kept
        start, end = place
        return self._with(start, end, yaml_text.section(table.name, _whole(old, table, rows)))

    def _rows(self, table: DecisionTable) -> list[dict[str, Any]]:
        """The rows as the file says them; those that have not changed as it said them before."""
        before = self._before(table.name)
        rows = []
        for rule in table.rules:
            old = next((row for row, was in before if was.same_as(rule)), None)
            rows.append(old or self._row(table.name, rule))
        return rows

    def _before(self, name: str) -> list[tuple[dict[str, Any], Rule]]:
        groups = Groups(self._data)
        return [(row, rule_of(row, groups)) for row in rows_in(self._data.get(name))]

    def _row(self, name: str, rule: Rule) -> dict[str, Any]:
        """A row written anew; the conditions that it asked before, in their words and order."""
        kept = self._kept(name, rule)
        rest = {fact: tests for fact, tests in rule.when.items() if fact not in kept}
        try:
            when = kept | {fact: to_condition(tests) for fact, tests in rest.items()}
        except NotSayable as error:
            raise _refuse(self._file, f"{error}.", f"{name}, row `{rule.name}`") from error
        return {"name": rule.name, "when": when, "then": dict(rule.then)}

    def _kept(self, name: str, rule: Rule) -> dict[str, Any]:
        """The conditions of the row of this name that ask what the rule still asks."""
        old = next((one for one in self._before(name) if one[1].name == rule.name), None)
        if old is None:
            return {}
        row, was = old
        return {
            fact: condition
            for fact, condition in row["when"].items()
            if fact in rule.when and was.asks(fact) == rule.asks(fact)
        }

    def _place(self, name: str) -> tuple[int, int] | None:
        """The lines of a section, without what is remarked before the next one."""
        keys = [key for key, _ in self._root.value]
        for number, key in enumerate(keys):
            if key.value == name:
                after = keys[number + 1].start_mark.line if number + 1 < len(keys) else None
                end = len(self._lines) if after is None else after
                return key.start_mark.line, self._without_remarks(key.start_mark.line, end)
        return None

    def _without_remarks(self, start: int, end: int) -> int:
        while end > start + 1 and re.match(r"\s*(#|$)|\.\.\.|---", self._lines[end - 1]):
            end -= 1
        return end

    def _may_keep(self, old: Any, table: DecisionTable) -> bool:
        """Whether rows alone have changed, or the hit policy where the file has a word for it."""
        whole = old if isinstance(old, Mapping) else {}
        if said(whole.get("otherwise")) != (table.otherwise or {}):
            return False
        return whole.get("hit", "first") == table.hit or self._set_hit(table)

    def _set_hit(self, table: DecisionTable) -> bool:
        """Write another hit policy over the old one; False where none is written."""
        node = self._section(table.name)
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        for value in (value for key, value in pairs if key.value == "hit"):
            start, end = value.start_mark, value.end_mark
            if start.line == end.line:
                line = self._lines[start.line]
                self._lines[start.line] = line[: start.column] + table.hit + line[end.column :]
                return True
        return False

    def _section(self, name: str) -> Any:
        return next(value for key, value in self._root.value if key.value == name)

    def _row_by_row(
        self, table: DecisionTable, rows: Sequence[dict[str, Any]], place: tuple[int, int]
    ) -> str | None:
        """The section with only those rows written anew that have changed.

        None where the rows do not stand on lines of their own.
        """
        items = self._items(table.name)
        starts = [item.start_mark.line for item in items]
        if not items or not all(self._lines[at].lstrip().startswith("- ") for at in starts):
            return None
        begins = [starts[0], *(self._without_remarks(a, b) for a, b in pairwise(starts))]
        end = self._end_of(table.name, starts[-1], place[1])
        chunks = dict(enumerate(zip(begins, [*begins[1:], end], strict=True)))
        indent = len(self._lines[starts[0]]) - len(self._lines[starts[0]].lstrip())
        before = [row for row, _ in self._before(table.name)]
        made: list[str] = []
        for row in rows:
            number = next((at for at in chunks if before[at] is row or before[at] == row), None)
            if number is None:
                named = next((at for at in chunks if before[at]["name"] == row["name"]), None)
                if named is not None:  # what is remarked above it still holds
                    made += self._lines[chunks.pop(named)[0] : starts[named]]
                made += [f"{line}{self._end}" for line in yaml_text.row(row, indent)]
            else:
                first, last = chunks.pop(number)
                made += self._lines[first:last]
                if not made[-1].endswith(("\n", "\r")):
                    made[-1] += self._end
        return "".join([*self._lines[: begins[0]], *made, *self._lines[end:]])

    def _items(self, name: str) -> list[Any]:
        node = self._section(name)
        if isinstance(node, yaml.MappingNode) and not node.flow_style:
            node = next((value for key, value in node.value if key.value == "rows"), node)
        usable = isinstance(node, yaml.SequenceNode) and not node.flow_style
        return list(node.value) if usable else []

    def _end_of(self, name: str, last: int, end: int) -> int:
        """Where the last row ends: before the next key of the section, if it has one."""
        node = self._section(name)
        if isinstance(node, yaml.MappingNode):
            later = [key.start_mark.line for key, _ in node.value if key.start_mark.line > last]
            end = min([end, *later])
        return self._without_remarks(last, end)

    def _insert(self, name: str, data: Any) -> str:
        """A section that the file did not have, after the table that decides before it."""
        order = list(OUTPUTS)
        earlier = [self._place(one) for one in order[: order.index(name)]]
        at = max((place[1] for place in earlier if place is not None), default=len(self._lines))
        return self._with(at, at, ["", *yaml_text.section(name, data)])

    def _with(self, start: int, end: int, lines: Sequence[str]) -> str:
        made = "".join(f"{line}{self._end}" for line in lines)
        return "".join([*self._lines[:start], made, *self._lines[end:]])


def _whole(old: Any, table: DecisionTable, rows: list[dict[str, Any]]) -> Any:
    """The section's data: a plain list where that says it all."""
    if not isinstance(old, Mapping) and table.hit == "first" and table.otherwise is None:
        return rows
    rest = dict(old) if isinstance(old, Mapping) else {}
    given = {**rest, "hit": table.hit, "rows": rows, "otherwise": table.otherwise}
    return {key: value for key, value in given.items() if value is not None}
