"""Makes nodes of the usual sizes, and joins them by lines of right angles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from shared.policy.bpmn.picture import Box, Edge, Node, Note, Point, Tag, Trigger
from shared.policy.bpmn.text import width

EVENT, GATEWAY = 36, 50
TASK = (120, 64)
LABEL = 11
"""Size of the font beside a shape, in pixels."""

Side = Literal["left", "right", "top", "bottom"]


def event(  # noqa: PLR0913 - what BPMN says of an event
    name: str,
    tag: Tag,
    text: str,
    at: Point,
    *,
    lane: str,
    trigger: Trigger | None = None,
    duration: str = "",
    doc: str = "",
    inside: str = "",
    place: Literal["below", "above", "beside"] = "below",
    room: int = 100,
) -> Node:
    """An event with its text below, above, or to the right of it."""
    x, y = at
    places = {
        "below": Box(x - room // 2, y + 21, room, 30),
        "above": Box(x - room // 2, y - 38, room, 16),
        "beside": Box(x + 24, y - 20, room, 40),
    }
    return Node(
        name, tag, text, Box.around(x, y, EVENT, EVENT), lane, label=places[place], trigger=trigger,
        duration=duration, doc=doc, inside=inside,
    )  # fmt: skip


def gateway(
    name: str, text: str, at: Point, *, lane: str, above: bool = True, inside: str = ""
) -> Node:
    """An exclusive gateway, its text above or below it."""
    x, y = at
    label = Box(x - 60, y - 45, 120, 18) if above else Box(x - 60, y + 28, 120, 18)
    box = Box.around(x, y, GATEWAY, GATEWAY)
    return Node(name, "exclusiveGateway", text, box, lane, label, inside=inside)


def task(
    name: str, tag: Tag, text: str, at: Point, *, lane: str, loops: int = 0, inside: str = ""
) -> Node:
    """An activity."""
    return Node(name, tag, text, Box.around(*at, *TASK), lane, loops=loops, inside=inside)


class Pen:
    """Collects what is drawn of one pool."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self.notes: list[Note] = []

    def add(self, node: Node, *, doc: str = "") -> Node:
        """Draw a node."""
        node = replace(node, doc=doc or node.doc)
        self.nodes.append(node)
        return node

    def node(self, name: str) -> Node:
        """What was drawn by this id."""
        return next(node for node in self.nodes if node.id == name)

    def note(self, about: Node, text: str, box: Box) -> None:
        """Write a remark, with a dotted line from the node to its nearest side."""
        if box.x > about.box.right:
            points = (about.box.side("right"), (box.x, about.box.middle[1]))
        else:
            points = (about.box.side("bottom"), (about.box.middle[0], box.y))
        self.notes.append(Note(f"note-{about.id}", text, box, about.id, points))

    def line(
        self, source: Node, leave: Side, target: Node, arrive: Side, *, name: str = "",
        inside: str = "",
    ) -> None:  # fmt: skip
        """A straight line, or one with a single corner where the two do not face each other."""
        start, end = source.box.side(leave), target.box.side(arrive)
        points = [start, end]
        if start[0] != end[0] and start[1] != end[1]:
            corner = (end[0], start[1]) if leave in {"left", "right"} else (start[0], end[1])
            points = [start, corner, end]
        self.path(source, target, points, name=name, inside=inside, label=_beside(points, name))

    def path(
        self,
        source: Node,
        target: Node,
        points: Sequence[Point],
        *,
        name: str = "",
        label: Box | None = None,
        inside: str = "",
    ) -> None:
        """A line through these points; those that stand on a straight stretch are left out."""
        self.edges.append(
            Edge(
                f"flow-{source.id}-{target.id}", source.id, target.id, _corners(points), name,
                label if name else None, inside,
            )
        )  # fmt: skip


def _beside(points: Sequence[Point], name: str) -> Box:
    """Room for a line's name at its beginning: above it, or to the right where it is upright."""
    (x, y), (to_x, to_y) = points[0], points[1]
    room = round(width(name, LABEL)) + 8
    if y == to_y:
        return Box(x + 4 if to_x > x else x - room - 4, y - 18, room, 16)
    return Box(x + 5, y + 3 if to_y > y else y - 19, room, 16)


def _corners(points: Sequence[Point]) -> tuple[Point, ...]:
    kept: list[Point] = []
    for point in points:
        if kept and kept[-1] == point:
            continue
        if len(kept) > 1 and _straight(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return tuple(kept)


def _straight(first: Point, second: Point, third: Point) -> bool:
    return first[0] == second[0] == third[0] or first[1] == second[1] == third[1]
