"""A placed diagram as values: what both writers, BPMN and SVG, draw.

Lengths are pixels, y grows downwards, as in BPMN's diagram interchange.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Point = tuple[int, int]

Tag = Literal[
    "startEvent",
    "endEvent",
    "boundaryEvent",
    "intermediateCatchEvent",
    "intermediateThrowEvent",
    "task",
    "userTask",
    "sendTask",
    "serviceTask",
    "businessRuleTask",
    "callActivity",
    "subProcess",
    "exclusiveGateway",
]
"""The elements of BPMN 2.0 that are drawn here, by their names in its XML."""

UNTIL_DONE = -1
"""Of a loop: it goes round until something else ends it."""

Trigger = Literal["message", "timer", "terminate", "link"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def around(cls, x: int, y: int, width: int, height: int) -> Box:
        """The rectangle with this middle."""
        return cls(x - width // 2, y - height // 2, width, height)

    @property
    def right(self) -> int:
        """The x of the right side."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The y of the lower side."""
        return self.y + self.height

    @property
    def middle(self) -> Point:
        """The point in the middle."""
        return self.x + self.width // 2, self.y + self.height // 2

    def side(self, name: Literal["left", "right", "top", "bottom"]) -> Point:
        """The middle of a side: for a circle and a diamond as well, a point of their outline."""
        x, y = self.middle
        sides = {
            "left": (self.x, y),
            "right": (self.right, y),
            "top": (x, self.y),
            "bottom": (x, self.bottom),
        }
        return sides[name]


@dataclass(frozen=True, slots=True)
class Node:
    """An event, an activity or a gateway."""

    id: str
    tag: Tag
    name: str
    box: Box
    lane: str
    """The id of its lane; empty inside a sub-process, which stands in one."""
    label: Box | None = None
    """Where the name stands; None: inside the box."""
    doc: str = ""
    trigger: Trigger | None = None
    duration: str = ""
    """A timer's ISO 8601 duration, or an expression of FEEL that gives one."""
    attached_to: str = ""
    """The activity on whose border a boundary event sits."""
    ends: bool = False
    """Whether a boundary event ends that activity."""
    called: str = ""
    """The process that a call activity calls."""
    inside: str = ""
    """The sub-process that holds it."""
    tint: str = ""
    """A colour of CSS that tells it apart, such as a slip's."""
    loops: int = 0
    """How often it is repeated at most; 0 where it is done once, or `UNTIL_DONE`."""
    by_event: bool = False
    """A sub-process that an event starts while the rest goes on."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A sequence flow, with the points of its line from source to target."""

    id: str
    source: str
    target: str
    points: tuple[Point, ...]
    name: str = ""
    label: Box | None = None
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A remark beside a node."""

    id: str
    text: str
    box: Box
    about: str
    """The node's id."""
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """Who does what stands in it."""

    id: str
    name: str
    box: Box


@dataclass(frozen=True, slots=True)
class Pool:
    """A process with its lanes."""

    id: str
    process: str
    name: str
    box: Box
    lanes: tuple[Lane, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    notes: tuple[Note, ...] = ()
    doc: str = ""

    def node(self, name: str) -> Node:
        """The node with this id."""
        return next(node for node in self.nodes if node.id == name)


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole diagram."""

    id: str
    language: str
    title: str
    description: str
    """What it shows, for whoever cannot see it."""
    width: int
    height: int
    pools: tuple[Pool, ...]

    def nodes(self) -> Iterator[Node]:
        """The nodes of all pools."""
        for pool in self.pools:
            yield from pool.nodes

    def edges(self) -> Iterator[Edge]:
        """The flows of all pools."""
        for pool in self.pools:
            yield from pool.edges
