"""What is written is valid by the official schemas, and other readers of the notations open it.

The schemas are those that SpiffWorkflow ships. The newest of DMN there is 1.3: for what is written
here 1.5 differs from it by its namespaces alone, which are translated before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import SpiffWorkflow
from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.dmn.parser import BpmnDmnParser

from shared.policy import CompiledPolicy, source
from shared.policy.bpmn import draw, to_xml
from shared.policy.bpmn.words import Language
from shared.policy.dmn import tables_of, to_dmn

SHIPPED = Path(SpiffWorkflow.__file__).parent
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
POLICIES = Path(__file__).resolve().parents[3] / "examples" / "policies"


def _schema(name: str) -> Any:
    return etree.XMLSchema(etree.parse(SHIPPED / name))


def _data(name: str) -> Any:
    return source.read(name, (POLICIES / name).read_bytes()).data


def _dmn(name: str, version: str) -> str:
    data = _data(name)
    return to_dmn(tables_of(data), data["policy"], data["title"]["zh"], version)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_picture_is_valid_bpmn_2(
    xiaoshan: CompiledPolicy, message_board: CompiledPolicy, language: Language
) -> None:
    schema = _schema("bpmn/parser/schema/BPMN20.xsd")
    for policy in (xiaoshan, message_board):
        schema.assertValid(etree.fromstring(to_xml(draw(policy.document, language)).encode()))


@pytest.mark.parametrize("name", ["xiaoshan.yaml", "message-board.yaml"])
def test_the_tables_are_valid_dmn(name: str) -> None:
    schema = _schema("dmn/parser/schema/DMN13.xsd")
    as_1_5, as_1_3 = _dmn(name, "1.5"), _dmn(name, "1.3")
    assert as_1_5.replace("DMN/20230324/", "DMN/20191111/") == as_1_3
    schema.assertValid(etree.fromstring(as_1_3.encode()))


def test_another_engine_reads_the_flow_of_a_case_with_all_its_parts(
    xiaoshan: CompiledPolicy,
) -> None:
    picture = draw(xiaoshan.document, "en")
    root = etree.fromstring(_runnable(to_xml(picture)).encode())
    gateways = {node.id for node in picture.nodes() if node.tag == "exclusiveGateway"}
    for flow in root.iter(f"{BPMN}sequenceFlow"):
        if flow.get("sourceRef") in gateways:
            etree.SubElement(flow, f"{BPMN}conditionExpression").text = "True"
    parser = BpmnParser()
    parser.add_bpmn_xml(root)
    # it knows neither links nor activities without a start of their own, as the second pool has
    case = picture.pools[0]
    read = parser.get_spec(case.process).task_specs
    assert {node.id for node in case.nodes if not node.inside} <= set(read)


def _runnable(text: str) -> str:
    """The picture as that engine can run it: it knows decisions by references of its own alone."""
    text = text.replace('isExecutable="false"', 'isExecutable="true"')
    for kind in ("businessRuleTask", "sendTask"):
        text = text.replace(f"bpmn:{kind}", "bpmn:task")
    return text


@pytest.mark.parametrize("name", ["xiaoshan.yaml", "message-board.yaml"])
def test_another_engine_reads_all_tables_with_all_their_rules(name: str) -> None:
    for table in tables_of(_data(name)):
        parser = BpmnDmnParser()  # it knows one decision a file
        root = etree.fromstring(to_dmn([table], "one", "One", "1.3").encode())
        for annotation in [*root.iter("{*}annotation"), *root.iter("{*}annotationEntry")]:
            annotation.getparent().remove(annotation)  # which it does not know, unlike its schema
        parser.add_dmn_xml(root)
        found = parser.dmn_parsers[f"decision-{table.name}"]
        found.parse()
        read = found.decision.decisionTables[0]
        assert read.hit_policy == "FIRST"
        assert [rule.description for rule in read.rules] == [rule.name for rule in table.rules]


def test_every_shape_and_line_of_the_tables_diagram_has_its_place() -> None:
    root = etree.fromstring(_dmn("xiaoshan.yaml", "1.5").encode())
    spaces = {"d": "https://www.omg.org/spec/DMN/20230324/DMNDI/",
              "dc": "http://www.omg.org/spec/DMN/20180521/DC/",
              "di": "http://www.omg.org/spec/DMN/20180521/DI/"}  # fmt: skip
    boxes = {
        shape.get("dmnElementRef"): tuple(
            int(shape[0].get(one)) for one in ("x", "y", "width", "height")
        )
        for shape in root.iterfind(".//d:DMNShape", spaces)
    }
    assert boxes
    needs = {need.get("id"): need for need in root.iter("{*}informationRequirement")}
    edges = list(root.iterfind(".//d:DMNEdge", spaces))
    assert {edge.get("dmnElementRef") for edge in edges} == set(needs)
    for edge in edges:
        need = needs[edge.get("dmnElementRef")]
        points = [(int(p.get("x")), int(p.get("y"))) for p in edge.iterfind("di:waypoint", spaces)]
        x, y, width, _ = boxes[need[0].get("href").removeprefix("#")]
        assert points[0] == (x + width // 2, y)
        x, y, width, height = boxes[need.getparent().get("id")]
        assert x < points[-1][0] < x + width
        assert points[-1][1] == y + height
