"""A policy's picture tells what the policy says, and stands where it can be read."""

from __future__ import annotations

import copy
from itertools import combinations, pairwise
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shared.policy import CompiledPolicy
from shared.policy.bpmn import Picture, draw, to_svg, to_xml
from shared.policy.bpmn.picture import Box, Node, Point
from shared.policy.bpmn.words import Language
from shared.policy.markup import read
from shared.policy.schema import Document

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
SVG = "{http://www.w3.org/2000/svg}"

languages = pytest.mark.parametrize("language", ["zh", "en"])


def _document(text: str, **changes: Any) -> Document:
    return Document.model_validate(yaml.safe_load(text) | changes)


def _colour(name: str, reply: int, warn: list[int]) -> dict[str, Any]:
    return {"id": name, "title": {"zh": name, "en": name}, "reply": reply, "warn": warn}


@languages
def test_nothing_overlaps_and_lines_run_free_in_the_shipped_policies(
    xiaoshan: CompiledPolicy, message_board: CompiledPolicy, language: Language
) -> None:
    for policy in (xiaoshan, message_board):
        _check(draw(policy.document, language))


@settings(max_examples=10, deadline=None, phases=[Phase.generate])
@given(
    st.lists(st.lists(st.integers(1, 9), max_size=4), min_size=1, max_size=5),
    st.lists(st.integers(0, 9), min_size=1, max_size=5),
    st.booleans(),
    st.sampled_from(["outside", "inside", "both"]),
    st.sampled_from([1, 40]),
)
def test_nothing_overlaps_whatever_the_policy(
    warnings: list[list[int]], steps: list[int], owed: bool, side: str, channels: int
) -> None:
    data = copy.deepcopy(BASE)
    data["colours"] = [_colour(f"c{at}", 10 + at, warn) for at, warn in enumerate(warnings)]
    data["steps"] = {f"s{at}": {"zh": "一步" * 9, "en": "One step " * 9} for at in range(10)}
    data["levels"] = [
        {"id": f"l{at}", "title": {"zh": "层" * 99, "en": "Level " * 20},
         "steps": [f"s{step}" for step in range(many)]}
        for at, many in enumerate(steps)
    ]  # fmt: skip
    data["units"] = [{"id": "u", "title": {"zh": "u", "en": "u"}, "level": "l0"}]
    sides = ["outside", "inside"] if side == "both" else [side]
    data["channels"] = [
        {"id": f"{one}-{at}", "title": {"zh": "某一渠道", "en": "Some channel"}, "side": one}
        for one in sides
        for at in range(channels)
    ]
    if owed:
        data["kinds"] = {"problem": {"title": {"zh": "问题", "en": "p"}, "answer_owed": True}}
    document = Document.model_validate(data)
    for language in ("zh", "en"):
        picture = draw(document, language)
        _check(picture)
        read(to_svg(picture).encode())


def _check(picture: Picture) -> None:
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


def test_each_colour_has_its_handling_its_warnings_and_its_breach(small_text: str) -> None:
    colours = [_colour("red", 5, [2, 1]), _colour("blue", 30, [])]
    root = read(to_xml(draw(_document(small_text, colours=colours), "en")).encode())
    timers = {
        (event.get("attachedToRef"), duration.text)
        for event in root.iter(f"{BPMN}boundaryEvent")
        for duration in event.iter(f"{BPMN}timeDuration")
        if event.get("cancelActivity") == "false"
    }
    assert timers == {
        ("handle-red", "P3D"), ("handle-red", "P4D"), ("handle-red", "P5D"), ("handle-blue", "P30D")
    }  # fmt: skip
    calls = {call.get("name") for call in root.iter(f"{BPMN}callActivity")}
    assert calls == {"red: answer within 5 working days", "blue: answer within 30 working days"}


def test_the_limits_of_rating_rounds_and_escalation_are_the_policys(small_text: str) -> None:
    changes = {"reopening": {"rounds": 7}, "escalation": {"days": 4}}
    picture = draw(_document(small_text, **changes), "en")
    durations = {node.id: node.duration for node in picture.nodes() if node.trigger == "timer"}
    names = {node.id: node.name for node in picture.nodes()}
    assert durations["link-lapses"] == "P10D"
    assert durations["wait-red"] == "P4D"
    assert names["rounds-over"] == "7 rounds are over: closed"
    # south climbs to north and to the house
    assert names["escalate-red"] == "Escalate, up to 2 steps"


def test_each_level_has_its_lane_with_its_steps_in_order(xiaoshan: CompiledPolicy) -> None:
    pool = draw(xiaoshan.document, "zh").pools[1]
    assert [lane.name for lane in pool.lanes] == ["局领导", "职能部门党支部", "基层党支部", "党员"]
    steps = [node.name for node in pool.nodes if node.inside == "work-members"]
    assert steps == ["走访倾听", "一事一记", "办理落实", "汇总上报", "反馈答复", "回访评价"]


def test_where_every_kind_is_owed_an_answer_nothing_is_merely_noted(small_text: str) -> None:
    kinds = {"problem": {"title": {"zh": "问题", "en": "Problem"}, "answer_owed": True}}
    names = {node.id for node in draw(_document(small_text, kinds=kinds), "en").nodes()}
    assert not {"owed", "noted"} & names
    assert {"owed", "noted"} <= {node.id for node in draw(_document(small_text), "en").nodes()}


@languages
def test_all_that_the_shipped_policies_say_has_room(
    xiaoshan: CompiledPolicy, message_board: CompiledPolicy, language: Language
) -> None:
    for policy in (xiaoshan, message_board):
        assert "…" not in to_svg(draw(policy.document, language))


@languages
def test_the_svg_has_its_text_as_text_with_title_and_description(
    xiaoshan: CompiledPolicy, language: Language
) -> None:
    root = read(to_svg(draw(xiaoshan.document, language)).encode())
    title = root.findtext(f"{SVG}title")
    assert title == {"zh": "民情台账", "en": "Ledger of people's concerns"}[language]
    assert root.get("lang") == language
    assert root.findtext(f"{SVG}desc")
    said = "".join(text.text or "" for text in root.iter(f"{SVG}text"))
    assert {"zh": "逐级上报", "en": "Escalate"}[language] in said


def _titled(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "title": {"zh": name, "en": name}, **more}


BASE: dict[str, Any] = {
    "policy": "generated",
    "title": {"zh": "生成", "en": "Generated"},
    "timezone": "Asia/Shanghai",
    "calendar": {"country": "CN", "years": [2018, 2021]},
    "kinds": {
        "problem": {"title": {"zh": "问题", "en": "Problem"}, "answer_owed": True},
        "information": {"title": {"zh": "信息", "en": "Information"}, "answer_owed": False},
    },
    "default_unit": "u",
    "categories": [_titled("c", side="outside")],
    "default_category": {"outside": "c"},
    "triage": [{"name": "all", "when": {}, "then": {"colour": "c0", "unit": "u"}}],
    "evaluators": [
        {"name": "all", "when": {}, "then": {"ask": [
            "informant", "recorder", "station", "parent", "children", "tied", "paired"]}}
    ],
    "rating": {
        "link_days": 10,
        "scale": [
            _titled("good", value=2, satisfied=True), _titled("bad", value=1, satisfied=False)
        ],
    },
    "reopening": {"rounds": 3},
    "repeats": {"days": 30},
    "escalation": {"days": 2},
}  # fmt: skip
