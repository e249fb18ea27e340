"""The small signs of BPMN inside events, gateways and activities, for the SVG."""

from __future__ import annotations

from collections.abc import Iterator

from shared.policy.bpmn.picture import Node


def icon(node: Node) -> Iterator[str]:
    """The signs of a node, none where its shape says it all."""
    x, y = node.box.middle
    if node.trigger is not None:
        yield from _trigger(node, x, y)
    elif node.tag == "exclusiveGateway":
        yield f'<path class="mark" stroke-width="2.5" d="M{x - 7} {y - 7} l14 14 m0 -14 l-14 14"/>'
    if has_corner(node):
        yield f'<path class="mark" d="{_corner(node)}"/>'
    if node.loops:
        bottom = node.box.bottom - 9
        yield f'<path class="mark" d="M{x - 2} {bottom + 5} a5 5 0 1 1 5 -1 m0 -4 v4.5 h-4.5"/>'


def has_corner(node: Node) -> bool:
    """Whether the kind of activity has a sign in the upper left corner; steps are too small."""
    return node.tag in _CORNERS and not node.inside


_CORNERS = {"userTask", "serviceTask", "sendTask", "businessRuleTask"}


def _corner(node: Node) -> str:
    left, top = node.box.x + 6, node.box.y + 6
    return {
        "userTask": f"M{left + 5} {top + 5} m-3 0 a3 3 0 1 0 6 0 a3 3 0 1 0 -6 0 "
        f"M{left} {top + 14} q5 -8 10 0",
        "serviceTask": f"M{left + 6} {top + 6} m-4 0 a4 4 0 1 0 8 0 a4 4 0 1 0 -8 0 "
        f"M{left + 6} {top} v3 m0 6 v3 M{left} {top + 6} h3 m6 0 h3",
        "sendTask": f"M{left} {top + 1} h13 v9 h-13 z l6.5 5 l6.5 -5",
        "businessRuleTask": f"M{left} {top} h14 v11 h-14 z m0 3.5 h14 m-9 0 v7.5 m-5 -3.7 h14",
    }[node.tag]


def _trigger(node: Node, x: int, y: int) -> Iterator[str]:
    if node.trigger == "timer":
        yield f'<circle class="mark" cx="{x}" cy="{y}" r="9"/>'
        yield f'<path class="mark" d="M{x} {y - 6} v6 l4 3"/>'
    elif node.trigger == "terminate":
        yield f'<circle class="solid" cx="{x}" cy="{y}" r="10"/>'
    elif node.trigger == "link":
        filled = " solid" if node.tag == "intermediateThrowEvent" else ""
        yield f'<path class="mark{filled}" d="M{x - 8} {y - 3} h8 v-4 l8 7 l-8 7 v-4 h-8 z"/>'
    elif node.tag in {"endEvent", "intermediateThrowEvent"}:
        yield f'<path class="solid" d="M{x - 8} {y - 6} h16 l-8 6 z m0 3 l8 6 l8 -6 v9.5 h-16 z"/>'
    else:
        yield f'<path class="mark" d="M{x - 8} {y - 5.5} h16 v11 h-16 z l8 6.5 l8 -6.5"/>'
