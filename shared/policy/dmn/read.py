"""Reading DMN that a modeller wrote: our tables in it, or everything that we cannot say."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from shared.domain.errors import Problem
from shared.policy.dmn.conditions import Test
from shared.policy.dmn.errors import NotSayable, TablesUnusable
from shared.policy.dmn.feel import fact_of, read_output, read_tests
from shared.policy.dmn.tables import HITS, OUTPUTS, DecisionTable, Output, Rule
from shared.policy.markup import NotReadable, read

MODELS = (
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
)
"""The namespaces of DMN 1.1 to 1.5."""


def read_dmn(
    file: str, content: bytes, names: Collection[str] = frozenset()
) -> list[DecisionTable]:
    """The tables of a DMN file; `names` are the rows' names in the policy as it stands.

    Raises:
        TablesUnusable: it is no DMN, or says what a policy cannot; all problems at once.
    """
    try:
        root = read(content)
    except NotReadable as error:
        problem = Problem(field="", code="not-xml", message=f"{error}")
        raise TablesUnusable(file, [problem]) from error
    reading = _Reading(root.tag.partition("}")[0] + "}", names)
    tables = reading.tables(root)
    if reading.problems:
        raise TablesUnusable(file, reading.problems)
    return tables


class _Reading:
    def __init__(self, namespace: str, names: Collection[str]) -> None:
        self._ns, self._names = namespace, names
        self.problems: list[Problem] = []

    def _say(self, at: Any, code: str, message: str) -> None:
        tag = at.tag.partition("}")[2] or at.tag
        where = f"{tag} {at.get('id')}" if at.get("id") else f"a {tag} without id"
        self.problems.append(Problem(field=where, code=code, message=message))

    def _all(self, at: Any, tag: str) -> list[Any]:
        found: list[Any] = at.findall(f"{self._ns}{tag}")
        return found

    def tables(self, root: Any) -> list[DecisionTable]:
        if self._ns.strip("{}") not in MODELS or not root.tag.endswith("}definitions"):
            self._say(root, "not-dmn", "This is no DMN 1.1 to 1.5: save it as DMN.")
            return []
        tables: dict[str, DecisionTable] = {}
        for decision in self._all(root, "decision"):
            name = self._name(decision)
            if name in tables:
                self._say(decision, "twice", f"`{name}` stands here a second time: remove one.")
            elif name is not None and (table := self._table(name, decision)) is not None:
                tables[name] = table
        if not tables and not self.problems:
            self._say(root, "empty", f"Here is none of the tables {', '.join(OUTPUTS)}: add one.")
        return [tables[name] for name in OUTPUTS if name in tables]

    def _name(self, decision: Any) -> str | None:
        for name in (f"{decision.get('id')}".removeprefix("decision-"), decision.get("name")):
            if name in OUTPUTS:
                return f"{name}"
        known = ", ".join(f"`{name}`" for name in OUTPUTS)
        message = f"A policy has no table `{decision.get('name')}`: name it one of {known}."
        self._say(decision, "unknown-table", message)
        return None

    def _table(self, name: str, decision: Any) -> DecisionTable | None:
        found = self._all(decision, "decisionTable")
        if not found:
            message = "A policy decides by tables alone: make this a decision table."
            self._say(decision, "no-table", message)
            return None
        table = found[0]
        inputs = [self._fact(one) for one in self._all(table, "input")]
        outputs = self._outputs(name, table)
        hit = self._hit(table)
        rules = [self._rule(rule, inputs, outputs) for rule in self._all(table, "rule")]
        if not rules:
            self._say(table, "no-rules", "A table has at least one rule: add it.")
        return DecisionTable(name, tuple(rules), hit, self._otherwise(outputs))

    def _hit(self, table: Any) -> str:
        given = table.get("hitPolicy", "UNIQUE")
        if table.get("aggregation") is not None:
            message = "A policy collects lists, and does not add them up: remove the aggregation."
            self._say(table, "aggregation", message)
        words = {theirs: ours for ours, theirs in HITS.items()}
        if given not in words:
            self._say(table, "hit-policy", f"`{given}` is not known: take {', '.join(words)}.")
        return words.get(given, "first")

    def _fact(self, one: Any) -> str:
        expression = next(iter(self._all(one, "inputExpression")), None)
        text = self._text(expression)
        fact = fact_of(text)
        if not all(part.isalnum() for part in fact.split("-")):
            message = f"`{text[:80]}` is no fact: write its name alone, such as `kind`."
            self._say(one, "input", message)
        return fact

    def _outputs(self, name: str, table: Any) -> list[tuple[Any, Output | None]]:
        known = {output.name: output for output in OUTPUTS[name]}
        found = self._all(table, "output")
        pairs = []
        for at in found:
            called = at.get("name") or (next(iter(known)) if len(found) == 1 else None)
            if called not in known:
                words = ", ".join(f"`{word}`" for word in known)
                message = f"`{name}` does not decide `{called}`: its outputs are {words}."
                self._say(at, "output", message)
            pairs.append((at, known.get(called or "")))
        return pairs

    def _otherwise(self, outputs: list[tuple[Any, Output | None]]) -> dict[str, Any] | None:
        then: dict[str, Any] = {}
        for at, output in outputs:
            for default in self._all(at, "defaultOutputEntry"):
                then |= self._decided(at, output, self._text(default))
        return then or None

    def _rule(self, rule: Any, inputs: list[str], outputs: list[tuple[Any, Output | None]]) -> Rule:
        cells, results = self._all(rule, "inputEntry"), self._all(rule, "outputEntry")
        if len(cells) != len(inputs) or len(results) != len(outputs):
            message = f"It needs {len(inputs)} input entries and {len(outputs)} output entries."
            self._say(rule, "cells", message)
        when: dict[str, tuple[Test, ...]] = {}
        for fact, cell in zip(inputs, cells, strict=False):
            try:
                tests = read_tests(self._text(cell))
            except NotSayable as error:
                self._say(cell, "unary-test", f"{error}.")
                continue
            if tests:
                when[fact] = (*when.get(fact, ()), *tests)
        then: dict[str, Any] = {}
        for (_, output), entry in zip(outputs, results, strict=False):
            then |= self._decided(entry, output, self._text(entry))
        return Rule(self._row_name(rule), when, then)

    def _decided(self, at: Any, output: Output | None, text: str) -> dict[str, Any]:
        """What an output entry says, nothing where it says so."""
        if output is None:
            return {}
        try:
            value = read_output(text)
        except NotSayable:
            message = f'`{text.strip()[:80]}` is no value: write one such as `"red"`, or `null`.'
            self._say(at, "output-entry", message)
            return {}
        if value is None:
            return {}
        if output.many and not isinstance(value, list):
            value = [value]
        if not output.many and isinstance(value, list):
            self._say(at, "output-entry", f"`{output.name}` is one value: write one alone.")
        return {output.name: value}

    def _row_name(self, rule: Any) -> str:
        """The description or the annotation: where they differ, the one that was edited."""
        given = list(dict.fromkeys(self._written(rule)))
        edited = [name for name in given if name not in self._names]
        if len(given) > 1 and len(edited) == 1:
            given = edited
        if len(given) == 1:
            return given[0]
        message = "Write the row's name as the rule's description or annotation."
        if given:
            message = "Its description and its annotation differ: write the row's name in both."
        self._say(rule, "row-name", message)
        return ""

    def _written(self, rule: Any) -> Iterator[str]:
        for description in self._all(rule, "description"):
            if (description.text or "").strip():
                yield description.text
        for entry in self._all(rule, "annotationEntry"):
            if self._text(entry).strip():
                yield self._text(entry)

    def _text(self, at: Any) -> str:
        if at is None:
            return ""
        return next((text.text or "" for text in self._all(at, "text")), "")
