"""What must hold of every picture: nothing overlaps, and lines run free."""

from __future__ import annotations

from itertools import combinations, pairwise

from shared.policy.bpmn import Picture
from shared.policy.bpmn.picture import Box, Node, Point


def check_places(picture: Picture) -> None:
    for pool in picture.pools:
        for lane in pool.lanes:
            assert _within(lane.box, pool.box)
        lanes = {lane.id: lane.box for lane in pool.lanes}
        nodes = {node.id: node for node in pool.nodes}
        for node in pool.nodes:
            around = nodes[node.inside].box if node.inside else lanes[node.lane]
            assert _within(node.box, around) or node.attached_to, node.id
            if node.label is not None:
                assert _within(node.label, pool.box), node.id
        boxes = {node.id: node.box for node in pool.nodes}
        boxes |= {note.id: note.box for note in pool.notes}
        for one, other in combinations(boxes, 2):
            if not _belong(nodes.get(one), nodes.get(other)):
                assert not _overlap(boxes[one], boxes[other]), (one, other)
        for node in pool.nodes:
            for other, box in boxes.items():
                if node.label is not None and other != node.inside:
                    assert not _overlap(node.label, box), (node.id, other)
        _check_lines(picture, pool.id, boxes)
    assert all(
        _within(pool.box, Box(0, 0, picture.width, picture.height)) for pool in picture.pools
    )
    assert not _overlap(picture.pools[0].box, picture.pools[1].box)
    names = [node.id for node in picture.nodes()] + [edge.id for edge in picture.edges()]
    assert len(set(names)) == len(names)


def _check_lines(picture: Picture, pool_id: str, boxes: dict[str, Box]) -> None:
    pool = next(pool for pool in picture.pools if pool.id == pool_id)
    for edge in pool.edges:
        source, target = pool.node(edge.source), pool.node(edge.target)
        assert len(edge.points) >= 2
        assert _on_outline(edge.points[0], source), edge.id
        assert _on_outline(edge.points[-1], target), edge.id
        for start, end in pairwise(edge.points):
            assert start != end
            assert start[0] == end[0] or start[1] == end[1], edge.id
            line = Box(
                min(start[0], end[0]), min(start[1], end[1]),
                abs(start[0] - end[0]), abs(start[1] - end[1]),
            )  # fmt: skip
            assert _within(line, pool.box)
            spared = {source.inside, source.attached_to}
            for name, box in boxes.items():
                if name not in spared:
                    assert not _overlap(line, box), (edge.id, name)


def _within(inner: Box, outer: Box) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.right <= outer.right
        and inner.bottom <= outer.bottom
    )


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.right
        and other.x < one.right
        and one.y < other.bottom
        and other.y < one.bottom
    ) or _cuts(one, other)


def _cuts(line: Box, box: Box) -> bool:
    """Whether a line, which has no width or no height, runs through the inside of a box."""
    if line.width and line.height:
        return False
    return (
        line.x < box.right
        and box.x < line.right + 1 > line.x
        and (
            line.y < box.bottom and box.y < line.bottom and box.x < line.x
            if line.height
            else box.y < line.y < box.bottom and box.x < line.right
        )
    )


def _belong(one: Node | None, other: Node | None) -> bool:
    """Whether one sits on the other, or in it."""
    if one is None or other is None:
        return False
    return bool({one.id} & {other.inside, other.attached_to}) or bool(
        {other.id} & {one.inside, one.attached_to}
    )


def _on_outline(point: Point, node: Node) -> bool:
    """A corner or the middle of a side of a circle and a diamond, any point of a rectangle's."""
    box = node.box
    on_side = (point[0] in {box.x, box.right} and box.y <= point[1] <= box.bottom) or (
        point[1] in {box.y, box.bottom} and box.x <= point[0] <= box.right
    )
    if node.tag.endswith(("Event", "Gateway")):
        x, y = box.middle
        return on_side and (point[0] == x or point[1] == y)
    return on_side
