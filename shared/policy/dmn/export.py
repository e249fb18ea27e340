"""The tables as DMN XML, with the diagram of what each decision needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.policy.dmn.conditions import Test
from shared.policy.dmn.feel import column, name_of, write_output, write_test
from shared.policy.dmn.tables import HITS, OUTPUTS, DecisionTable, Output, Rule
from shared.policy.engine.table import FactType
from shared.policy.markup import element, write

NAMESPACES = {
    "1.5": "https://www.omg.org/spec/DMN/20230324/",
    "1.3": "https://www.omg.org/spec/DMN/20191111/",
}
"""By version; what is written here is the same in both. Some modellers know 1.3 only."""

COMMON = "http://www.omg.org/spec/DMN/20180521/"
FEEL_TYPES = {FactType.TEXT: "string", FactType.INTEGER: "number", FactType.BOOLEAN: "boolean"}

INPUT, DECISION, STEP = (140, 50), (180, 80), 160
MARGIN = 40


def to_dmn(tables: Sequence[DecisionTable], policy: str, title: str, version: str = "1.5") -> str:
    """The whole file; `version` is a key of `NAMESPACES`."""
    base = NAMESPACES[version]
    facts = _facts_of(tables)
    return write(
        element(
            "definitions",
            {
                "xmlns": f"{base}MODEL/", "xmlns:dmndi": f"{base}DMNDI/",
                "xmlns:dc": f"{COMMON}DC/", "xmlns:di": f"{COMMON}DI/",
                "id": f"tables-{policy}", "name": title, "exporter": "Concentric",
                "namespace": f"urn:concentric:policy:{policy}",
            },
            *(_item(table) for table in tables),
            *(_decision(table) for table in tables),
            *(_input_data(fact, kind) for fact, kind in facts.items()),
            element("dmndi:DMNDI", None, _diagram(tables, list(facts))),
        )
    )  # fmt: skip


def facts_in(table: DecisionTable) -> dict[str, int]:
    """The facts that a table uses, in their order, with the number of columns that each needs.

    All cells of a rule must hold: where a condition asks several things of a fact, which one
    unary test cannot say, the fact has several columns.
    """
    most: dict[str, int] = {}
    for rule in table.rules:
        for fact, tests in rule.when.items():
            most[fact] = max(most.get(fact, 1), len(tests))
    ordered = [fact for fact in table.types if fact in most]
    return {fact: most[fact] for fact in dict.fromkeys([*ordered, *most])}


def _facts_of(tables: Sequence[DecisionTable]) -> dict[str, FactType]:
    return {
        fact: table.types.get(fact, FactType.TEXT) for table in tables for fact in facts_in(table)
    }


def _text(tag: str, text: str, attributes: Mapping[str, str | None] | None = None) -> Any:
    return element(tag, attributes, element("text", None, text))


def _item(table: DecisionTable) -> Any:
    """The type of what the table decides."""
    parts = (
        element(
            "itemComponent",
            {"id": f"type-{table.name}-{output.name}", "name": output.name,
             "isCollection": "true" if output.many else None},
            element("typeRef", None, output.type),
        )
        for output in OUTPUTS[table.name]
    )  # fmt: skip
    name = f"t{table.name.capitalize()}"
    return element("itemDefinition", {"id": f"type-{table.name}", "name": name}, *parts)


def _decision(table: DecisionTable) -> Any:
    outputs = OUTPUTS[table.name]
    columns = [(fact, at) for fact, many in facts_in(table).items() for at in range(many)]
    needs = (
        element(
            "informationRequirement", {"id": f"need-{table.name}-{fact}"},
            element("requiredInput", {"href": f"#fact-{fact}"}),
        )
        for fact in facts_in(table)
    )  # fmt: skip
    return element(
        "decision", {"id": f"decision-{table.name}", "name": table.name},
        element("variable", {"id": f"result-{table.name}", "name": table.name}),
        *needs,
        element(
            "decisionTable", {"id": f"table-{table.name}", "hitPolicy": HITS[table.hit]},
            *(_input(table, fact, at) for fact, at in columns),
            *(_output(table, output) for output in outputs),
            element("annotation", {"name": "row"}),
            *(
                _rule(table, rule, number, columns)
                for number, rule in enumerate(table.rules, start=1)
            ),
        ),
    )  # fmt: skip


def _input(table: DecisionTable, fact: str, at: int) -> Any:
    name = f"{table.name}-{fact}" + (f"-{at + 1}" if at else "")
    kind = FEEL_TYPES[table.types.get(fact, FactType.TEXT)]
    expression = {"id": f"expression-{name}", "typeRef": kind}
    return element(
        "input", {"id": f"input-{name}", "label": fact},
        _text("inputExpression", name_of(fact), expression),
    )  # fmt: skip


def _output(table: DecisionTable, output: Output) -> Any:
    first = output is OUTPUTS[table.name][0]
    values = _text("outputValues", column(table.ranked)) if first and table.ranked else None
    default = None
    if table.otherwise is not None:
        default = _text("defaultOutputEntry", write_output(table.otherwise.get(output.name)))
    return element(
        "output",
        {"id": f"output-{table.name}-{output.name}", "label": output.name, "name": output.name,
         "typeRef": None if output.many else output.type},
        values, default,
    )  # fmt: skip


def _rule(table: DecisionTable, rule: Rule, number: int, columns: Sequence[tuple[str, int]]) -> Any:
    name = f"{table.name}-{number}"
    tests = [rule.when.get(fact, ())[at : at + 1] for fact, at in columns]
    outputs = OUTPUTS[table.name]
    return element(
        "rule", {"id": f"rule-{name}"},
        # modellers show the description as a table's annotation, the standard the entry below
        element("description", None, rule.name),
        *(
            _text("inputEntry", _cell(test), {"id": f"in-{name}-{at}"})
            for at, test in enumerate(tests, start=1)
        ),
        *(
            _text("outputEntry", write_output(rule.then.get(output.name)),
                  {"id": f"out-{name}-{output.name}"})
            for output in outputs
        ),
        _text("annotationEntry", rule.name),
    )  # fmt: skip


def _cell(tests: Sequence[Test]) -> str:
    return write_test(tests[0]) if tests else "-"


def _input_data(fact: str, kind: FactType) -> Any:
    name = name_of(fact)
    return element(
        "inputData", {"id": f"fact-{fact}", "name": name, "label": fact},
        element("variable", {"id": f"value-{fact}", "name": name, "typeRef": FEEL_TYPES[kind]}),
    )  # fmt: skip


def _diagram(tables: Sequence[DecisionTable], facts: Sequence[str]) -> Any:
    """Decisions in a row, what they need below, and a straight line for each need."""
    width = max(len(facts) * STEP, len(tables) * 2 * STEP)
    share = width // max(1, len(tables))
    decisions = {
        table.name: (MARGIN + share * at + (share - DECISION[0]) // 2, MARGIN)
        for at, table in enumerate(tables)
    }
    y = MARGIN + DECISION[1] + 200
    inputs = {fact: (MARGIN + STEP * at, y) for at, fact in enumerate(facts)}
    return element(
        "dmndi:DMNDiagram", {"id": "diagram", "name": "DRD"},
        *(_shape(f"decision-{name}", place, DECISION) for name, place in decisions.items()),
        *(_shape(f"fact-{fact}", place, INPUT) for fact, place in inputs.items()),
        *_edges(tables, decisions, inputs),
    )  # fmt: skip


def _shape(name: str, place: tuple[int, int], size: tuple[int, int]) -> Any:
    bounds = {"x": place[0], "y": place[1], "width": size[0], "height": size[1]}
    return element(
        "dmndi:DMNShape", {"id": f"{name}-shape", "dmnElementRef": name},
        element("dc:Bounds", bounds),
    )  # fmt: skip


def _edges(
    tables: Sequence[DecisionTable],
    decisions: Mapping[str, tuple[int, int]],
    inputs: Mapping[str, tuple[int, int]],
) -> Iterator[Any]:
    for table in tables:
        x, y = decisions[table.name]
        used = list(facts_in(table))
        for at, fact in enumerate(used, start=1):
            # spread along the lower side, in the order of the inputs
            end = {"x": x + DECISION[0] * at // (len(used) + 1), "y": y + DECISION[1]}
            start = {"x": inputs[fact][0] + INPUT[0] // 2, "y": inputs[fact][1]}
            need = f"need-{table.name}-{fact}"
            yield element(
                "dmndi:DMNEdge", {"id": f"{need}-edge", "dmnElementRef": need},
                element("di:waypoint", start), element("di:waypoint", end),
            )  # fmt: skip
