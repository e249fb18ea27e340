"""The picture as BPMN 2.0 XML with its diagram interchange (OMG formal/2011-01-03)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from shared.policy.bpmn.picture import UNTIL_DONE, Box, Edge, Node, Note, Picture, Point, Pool
from shared.policy.markup import element, write

NAMESPACES = {
    "xmlns:bpmn": "http://www.omg.org/spec/BPMN/20100524/MODEL",
    "xmlns:bpmndi": "http://www.omg.org/spec/BPMN/20100524/DI",
    "xmlns:dc": "http://www.omg.org/spec/DD/20100524/DC",
    "xmlns:di": "http://www.omg.org/spec/DD/20100524/DI",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xmlns:color": "http://www.omg.org/spec/BPMN/non-normative/color/1.0",
}


def to_xml(picture: Picture) -> str:
    """The whole file."""
    collaboration = element(
        "bpmn:collaboration", {"id": "collaboration"},
        _doc(picture.description),
        *(
            element("bpmn:participant",
                    {"id": pool.id, "name": pool.name, "processRef": pool.process})
            for pool in picture.pools
        ),
    )  # fmt: skip
    plane = element(
        "bpmndi:BPMNPlane", {"id": "plane", "bpmnElement": "collaboration"},
        *(shape for pool in picture.pools for shape in _diagram(pool)),
    )  # fmt: skip
    return write(
        element(
            "bpmn:definitions",
            {
                **NAMESPACES, "id": picture.id, "name": picture.title, "exporter": "Concentric",
                "targetNamespace": f"urn:concentric:policy:{picture.id}",
            },
            collaboration,
            *map(_process, picture.pools),
            element("bpmndi:BPMNDiagram", {"id": "diagram", "name": picture.title}, plane),
        )
    )  # fmt: skip


def _doc(text: str) -> Any:
    return element("bpmn:documentation", None, text) if text else None


def _process(pool: Pool) -> Any:
    lanes = element("bpmn:laneSet", {"id": f"{pool.id}-lanes"})
    for lane in pool.lanes:
        refs = (
            element("bpmn:flowNodeRef", None, node.id)
            for node in pool.nodes
            if node.lane == lane.id
        )
        lanes.append(element("bpmn:lane", {"id": lane.id, "name": lane.name}, *refs))
    return element(
        "bpmn:process", {"id": pool.process, "name": pool.name, "isExecutable": "false"},
        _doc(pool.doc),
        lanes,
        *_flow_elements(pool, ""),
        *(part for note in pool.notes for part in _annotation(note)),
    )  # fmt: skip


def _flow_elements(pool: Pool, inside: str) -> Iterator[Any]:
    for node in pool.nodes:
        if node.inside == inside:
            yield _flow_node(pool, node)
    for edge in pool.edges:
        if edge.inside == inside:
            yield element(
                "bpmn:sequenceFlow",
                {"id": edge.id, "name": edge.name or None, "sourceRef": edge.source,
                 "targetRef": edge.target},
            )  # fmt: skip


def _flow_node(pool: Pool, node: Node) -> Any:
    attributes = {
        "id": node.id,
        "name": node.name,
        "cancelActivity": "false" if node.attached_to and not node.ends else None,
        "attachedToRef": node.attached_to or None,
        "calledElement": node.called or None,
        "triggeredByEvent": "true" if node.by_event else None,
    }
    made = element(
        f"bpmn:{node.tag}", attributes,
        _doc(node.doc),
        *(element("bpmn:incoming", None, edge.id) for edge in pool.edges if edge.target == node.id),
        *(element("bpmn:outgoing", None, edge.id) for edge in pool.edges if edge.source == node.id),
    )  # fmt: skip
    if node.loops:
        made.append(_loop(node.loops))
    if node.trigger is not None:
        made.append(_definition(node))
    if node.tag == "subProcess":
        made.extend(_flow_elements(pool, node.id))
    return made


def _loop(loops: int) -> Any:
    if loops != UNTIL_DONE:
        return element("bpmn:standardLoopCharacteristics", {"loopMaximum": loops})
    condition = element(
        "bpmn:loopCondition", {"xsi:type": "bpmn:tFormalExpression"}, "not(answered)"
    )
    return element("bpmn:standardLoopCharacteristics", None, condition)


def _definition(node: Node) -> Any:
    name = "transfer-or-return" if node.trigger == "link" else None
    made = element(
        f"bpmn:{node.trigger}EventDefinition", {"id": f"{node.id}-{node.trigger}", "name": name}
    )
    if node.trigger == "timer":
        made.append(
            element("bpmn:timeDuration", {"xsi:type": "bpmn:tFormalExpression"}, node.duration)
        )
    return made


def _annotation(note: Note) -> Iterator[Any]:
    yield element("bpmn:textAnnotation", {"id": note.id}, element("bpmn:text", None, note.text))
    yield element(
        "bpmn:association",
        {"id": f"{note.id}-line", "sourceRef": note.about, "targetRef": note.id},
    )


def _diagram(pool: Pool) -> Iterator[Any]:
    """Containers before what they hold: some readers draw in this order."""
    yield _shape(pool.id, pool.box, horizontal=True)
    for lane in pool.lanes:
        yield _shape(lane.id, lane.box, horizontal=True)
    for node in sorted(pool.nodes, key=lambda node: (bool(node.inside), bool(node.attached_to))):
        yield _node_shape(node)
    for note in pool.notes:
        yield _shape(note.id, note.box)
        yield _edge_shape(f"{note.id}-line", note.points, None)
    for edge in pool.edges:
        yield _edge_shape(edge.id, edge.points, _named(edge))


def _named(edge: Edge) -> Box | None:
    return edge.label if edge.name else None


def _shape(name: str, box: Box, *, horizontal: bool = False) -> Any:
    attributes = {
        "id": f"{name}-shape",
        "bpmnElement": name,
        "isHorizontal": "true" if horizontal else None,
    }
    return element("bpmndi:BPMNShape", attributes, _bounds(box))


def _node_shape(node: Node) -> Any:
    attributes = {
        "id": f"{node.id}-shape",
        "bpmnElement": node.id,
        "isExpanded": "true" if node.tag == "subProcess" else None,
        "isMarkerVisible": "true" if node.tag == "exclusiveGateway" else None,
        "color:border-color": node.tint or None,
    }
    return element("bpmndi:BPMNShape", attributes, _bounds(node.box), _label(node.label))


def _edge_shape(name: str, points: Iterable[Point], label: Box | None) -> Any:
    waypoints = (element("di:waypoint", {"x": x, "y": y}) for x, y in points)
    return element(
        "bpmndi:BPMNEdge", {"id": f"{name}-edge", "bpmnElement": name}, *waypoints, _label(label)
    )


def _label(box: Box | None) -> Any:
    return None if box is None else element("bpmndi:BPMNLabel", None, _bounds(box))


def _bounds(box: Box) -> Any:
    return element("dc:Bounds", {"x": box.x, "y": box.y, "width": box.width, "height": box.height})
