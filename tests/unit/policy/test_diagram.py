"""A policy's picture tells what the policy says, and stands where it can be read."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shared.policy import CompiledPolicy
from shared.policy.bpmn import draw, to_svg, to_xml
from shared.policy.bpmn.words import Language
from shared.policy.markup import read
from shared.policy.schema.document import Document
from tests.unit.policy.pictures import check_places

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
SVG = "{http://www.w3.org/2000/svg}"

languages = pytest.mark.parametrize("language", ["zh", "en"])


def _document(text: str, **changes: Any) -> Document:
    return Document.model_validate(yaml.safe_load(text) | changes)


def _colour(name: str, reply: Any, warn: list[Any], **more: Any) -> dict[str, Any]:
    return _titled(name, reply=reply, warn=warn, **more)


@languages
def test_nothing_overlaps_and_lines_run_free_in_the_shipped_policies(
    xiaoshan: CompiledPolicy, message_board: CompiledPolicy, language: Language
) -> None:
    for policy in (xiaoshan, message_board):
        check_places(draw(policy.document, language))


@settings(max_examples=10, deadline=None, phases=[Phase.generate])
@given(
    st.lists(st.lists(st.integers(1, 9), max_size=4), min_size=1, max_size=5),
    st.lists(st.integers(0, 9), min_size=1, max_size=5),
    st.booleans(),
    st.sampled_from(["outside", "inside", "both"]),
    st.sampled_from([1, 40]),
    st.tuples(st.integers(0, 9), st.booleans(), st.sampled_from([None, 2, {"hours": 30}])),
)
def test_nothing_overlaps_whatever_the_policy(
    warnings: list[list[int]],
    steps: list[int],
    owed: bool,
    side: str,
    channels: int,
    clocks: tuple[int, bool, Any],
) -> None:
    data = copy.deepcopy(BASE)
    pauses, extensions, accept = clocks
    data["pauses"] = {f"p{at}": {"title": {"zh": "停" * 20, "en": "Why "}} for at in range(pauses)}
    data["extensions"] = {} if extensions else None
    data["escalation"] = {"days": 2, "first": 1, "repeat": extensions}
    data["colours"] = [
        _colour(f"c{at}", 10 + at, warn, accept=accept, levels={"l0": {"reply": {"hours": 3}}})
        for at, warn in enumerate(warnings)
    ]
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
        check_places(picture)
        read(to_svg(picture).encode())


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
    assert names["escalated-red"] == "Chain at its end"


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
