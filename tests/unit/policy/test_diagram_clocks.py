"""A policy's picture tells of its clocks: limits, warnings, acceptance, escalation, pauses."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from shared.policy.bpmn import Picture, draw, to_xml
from shared.policy.markup import read
from shared.policy.schema.document import Document
from tests.unit.policy.pictures import check_places

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"


def _document(text: str, **changes: Any) -> Document:
    return Document.model_validate(yaml.safe_load(text) | changes)


def _colour(name: str, reply: Any, warn: list[Any], **more: Any) -> dict[str, Any]:
    return {"id": name, "title": {"zh": name, "en": name}, "reply": reply, "warn": warn, **more}


def _timers(picture: Picture) -> dict[str, tuple[str, str]]:
    """What each timer is called, and its duration."""
    return {n.id: (n.name, n.duration) for n in picture.nodes() if n.trigger == "timer"}


def test_limits_in_hours_and_warnings_by_share_have_their_durations(small_text: str) -> None:
    colours = [
        _colour("red", {"hours": 4}, [1, "50%"]),
        _colour("orange", 5, ["90%", 2, "30%"]),
        _colour("yellow", {"hours": 3}, ["50%"]),
    ]
    timers = _timers(draw(_document(small_text, colours=colours), "en"))
    assert timers["timer-red-0"] == ("50% of the time has passed", "PT2H")
    assert timers["timer-red-1"] == ("1 hour of work before the due time", "PT3H")
    assert timers["timer-red-2"] == ("Overdue after 4 hours of work", "PT4H")
    # a share of working days is whole ones: 1.5 are two, and 4.5 leave no time for a warning
    assert timers["timer-orange-0"] == ("30% of the time has passed", "P2D")
    assert timers["timer-orange-1"] == ("2 working days before the due day", "P3D")
    assert timers["timer-orange-2"] == ("Overdue after 5 working days", "P5D")
    assert timers["timer-yellow-0"][1] == "PT1H30M"


def test_a_level_with_limits_of_its_own_has_them_in_the_timers_and_in_words(
    small_text: str,
) -> None:
    levels = {"top": {"reply": {"hours": 2}, "accept": {"hours": 1}}}
    colours = [_colour("red", 5, [2], accept=1, levels=levels), _colour("blue", 9, [])]
    picture = draw(_document(small_text, colours=colours), "en")
    timers = _timers(picture)
    assert timers["timer-red-0"][1] == 'if level = "top" then null else duration("P3D")'
    assert timers["timer-red-1"] == (
        "Overdue: its level's time is over",
        'if level = "top" then duration("PT2H") else duration("P5D")',
    )
    call = picture.pools[0].node("handle-red").name
    assert call == "red: answer within 5 working days (Top: 2 hours of work)"
    assert timers["accept-overdue-top"] == (
        "Accept within: red 1 hour of work, blue no limit",
        'if colour = "red" then duration("PT1H") else null',
    )
    assert timers["accept-overdue-base"][0] == "Accept within: red 1 working day, blue no limit"


@pytest.mark.parametrize(("at_transfer", "said"), [("anew", "starts anew"), ("goes-on", "goes on")])
def test_acceptance_is_a_clock_of_its_own(small_text: str, at_transfer: str, said: str) -> None:
    colours = [_colour("red", 5, [], accept=2), _colour("blue", 9, [], accept=2)]
    changes = {"colours": colours, "acceptance": {"at_transfer": at_transfer}}
    pool = draw(_document(small_text, **changes), "en").pools[1]
    for level in ("top", "base"):
        timer = pool.node(f"accept-overdue-{level}")
        assert (timer.attached_to, timer.duration) == (f"accept-{level}", "P2D")
        assert not timer.ends
        assert f"The acceptance clock {said}." in pool.node(f"away-{level}").doc


def test_without_limits_to_accept_no_timer_stands_there(small_text: str) -> None:
    colours = [_colour("red", 5, []), _colour("blue", 9, [])]
    pool = draw(_document(small_text, colours=colours), "en").pools[1]
    assert not [node.id for node in pool.nodes if node.trigger == "timer"]
    assert "acceptance clock" not in pool.node("away-top").doc


def test_escalation_has_its_first_step_its_paces_and_its_repetition(small_text: str) -> None:
    rows = [
        {"name": "red", "when": {"colour": "red"}, "then": {"days": 1, "to": ["house"]}},
        {"name": "all", "when": {}, "then": {"to": ["north", "south", "repair"]}},
    ]
    escalation = {"days": 3, "first": 2, "repeat": True, "hit": "rule-order", "rows": rows}
    picture = draw(_document(small_text, escalation=escalation), "en")
    wait, escalate = (picture.pools[0].node(f"{one}-red") for one in ("wait", "escalate"))
    assert wait.duration == "P2D"
    assert wait.name == (
        "after 2 working days, then every 1 to 3 working days, the last one again and again"
    )
    assert escalate.name == "Escalate, up to 4 steps"
    assert "A table of 2 rows" in escalate.doc
    root = read(to_xml(picture).encode())
    loop = next(task for task in root.iter(f"{BPMN}sendTask") if task.get("id") == "escalate-red")
    assert loop.findtext(f".//{BPMN}loopCondition") == "not(answered)"
    assert loop.find(f".//{BPMN}standardLoopCharacteristics[@loopMaximum]") is None


def test_pauses_and_extensions_are_there_where_the_policy_has_them(small_text: str) -> None:
    pauses = {
        "papers": {"title": {"zh": "等材料", "en": "Papers"}, "max_days": 4},
        "visit": {"title": {"zh": "等勘查", "en": "Visit"}, "by": ["parent", "north"]},
    }
    rule = {"most": 2, "max_days": 7, "decided_by": ["house"]}
    picture = draw(_document(small_text, pauses=pauses, extensions=rule), "en")
    assert _timers(picture)["pause-ends"] == (
        "4 to 20 working days at most",
        'if reason = "papers" then duration("P4D") else duration("P20D")',
    )
    notes = {note.about: note.text for note in picture.pools[0].notes}
    assert notes["pause"].split("\n") == [
        "Papers: the unit in charge; 4 working days at most",
        "Visit: the unit above, North; 20 working days at most",
    ]
    assert notes["extension"].split("\n") == [
        "2 a round, 7 working days at most",
        "Asked for by: the unit in charge",
        "Decided by: House",
    ]
    ends = {one.get("id"): one.get("cancelActivity")
            for one in read(to_xml(picture).encode()).iter(f"{BPMN}boundaryEvent")}  # fmt: skip
    assert ends["pause-ends"] is None
    assert ends["accept-overdue-top"] == "false"


@pytest.mark.parametrize("there", [{"pauses"}, {"extensions"}, set()])
def test_what_the_policy_does_not_allow_is_not_drawn(small_text: str, there: set[str]) -> None:
    given: dict[str, Any] = {
        "pauses": {"papers": {"title": {"zh": "等材料", "en": "Papers"}}}, "extensions": {},
    }  # fmt: skip
    picture = draw(_document(small_text, **{name: given[name] for name in there}), "en")
    check_places(picture)
    drawn = {node.id for node in picture.nodes() if node.by_event}
    assert drawn == {"withdrawal", *(name.removesuffix("s") if name == "pauses" else "extension"
                                     for name in there)}  # fmt: skip
    assert ("lane-time" in {lane.id for lane in picture.pools[0].lanes}) == bool(there)
