"""The pool of a case: raised, triaged, handled by colour, watched, rated, closed or reopened."""

from __future__ import annotations

from shared.policy.bpmn.colours import draw_slip
from shared.policy.bpmn.frame import LEFT, TOP, Frame, process_id
from shared.policy.bpmn.judgement import draw_judgement
from shared.policy.bpmn.pen import event, gateway, task
from shared.policy.bpmn.picture import Box, Lane, Node, Pool
from shared.policy.bpmn.story import Story
from shared.policy.bpmn.text import height
from shared.policy.bpmn.time import TIME, draw_time


def case_pool(story: Story, least: int) -> Pool:
    """The pool, with its upper left corner at `LEFT`, `TOP`, and at least so wide."""
    frame = Frame(story, least)
    _intake(frame, _starts(frame))
    _withdrawal(frame)
    for slip, x in zip(story.slips, frame.columns, strict=True):
        draw_slip(frame, slip, x)
    draw_judgement(frame)
    draw_time(frame)
    bottom = frame.time
    tops = {
        "informant": frame.informant,
        "intake": frame.intake,
        "in-charge": frame.in_charge,
        "supervisors": frame.supervisors,
        "evaluator": frame.rating,
    }
    if story.pauses or story.extensions:
        tops["time"], bottom = frame.time, frame.time + TIME
    ends = [*list(tops.values())[1:], bottom]
    lanes = tuple(
        Lane(f"lane-{name}", story.words.say(name), frame.lane(top, end))
        for (name, top), end in zip(tops.items(), ends, strict=True)
    )
    return Pool(
        id="pool-case",
        process=process_id(story, "case"),
        name=story.words.say("case"),
        box=Box(LEFT, TOP, frame.right - LEFT, bottom - TOP),
        lanes=lanes,
        nodes=tuple(frame.pen.nodes),
        edges=tuple(frame.pen.edges),
        notes=tuple(frame.pen.notes),
    )


def _starts(frame: Frame) -> list[Node]:
    """An event for each side from which matters come, with its channels beside it."""
    nodes = []
    x, y = frame.x + 80, frame.informant + 66
    for side, channels in frame.story.channels.items():
        node = frame.pen.add(
            event(
                f"start-{side}", "startEvent", frame.story.words.say(side), (x, y),
                lane="lane-informant", trigger="message", doc=frame.story.words.list(channels),
                place="above", room=130,
            )
        )  # fmt: skip
        text = frame.story.words.list(channels)
        room = 190
        box = Box(x + 70, y - 32, room, min(110, height(text, room - 14, 10.5) + 12))
        frame.pen.note(node, text, box)
        nodes.append(node)
        x += 350
    return nodes


def _intake(frame: Frame, starts: list[Node]) -> None:
    words, y, lane = frame.story.words, frame.intake + 75, "lane-intake"
    x = starts[0].box.middle[0]
    record = task("record", "serviceTask", words.say("record"), (x, y), lane=lane)
    record = frame.pen.add(record, doc=words.say("record-doc", days=frame.story.repeat_days))
    triage = frame.pen.add(
        task("triage", "businessRuleTask", words.say("triage"), (frame.along(270), y), lane=lane),
        doc=words.say("triage-doc", rows=frame.story.triage_rows),
    )
    colour = gateway("which-colour", words.say("which-colour"), (frame.along(600), y), lane=lane)
    frame.pen.line(starts[0], "bottom", record, "top")
    for other in starts[1:]:
        above = frame.intake + 20
        down = (other.box.middle[0], above)
        entry = (record.box.right - 20, record.box.y)
        frame.pen.path(other, record, [other.box.side("bottom"), down, (entry[0], above), entry])
    frame.pen.line(record, "right", triage, "left")
    frame.pen.add(colour)
    if not frame.story.not_owed:
        frame.pen.line(triage, "right", colour, "left")
        return
    owed = frame.pen.add(gateway("owed", words.say("owed"), (frame.along(430), y), lane=lane))
    noted = frame.pen.add(
        event(
            "noted",
            "endEvent",
            words.say("noted"),
            (frame.along(430), y + 68),
            lane=lane,
            place="beside",
        ),
        doc=words.list(frame.story.not_owed),
    )
    frame.pen.line(triage, "right", owed, "left")
    frame.pen.line(owed, "right", colour, "left", name=words.say("yes"))
    frame.pen.line(owed, "bottom", noted, "top", name=words.say("no"))


def _withdrawal(frame: Frame) -> None:
    words = frame.story.words
    x, y = frame.right - 350, frame.informant + 20
    frame.pen.add(
        Node(
            "withdrawal", "subProcess", words.say("withdrawal"), Box(x, y, 310, 110),
            lane="lane-informant", by_event=True,
        )
    )  # fmt: skip
    back = frame.pen.add(
        event("taken-back", "startEvent", words.say("taken-back"), (x + 70, y + 55),
              lane="", trigger="message", inside="withdrawal")
    )  # fmt: skip
    end = frame.pen.add(
        event("withdrawn", "endEvent", words.say("withdrawn"), (x + 240, y + 55),
              lane="", trigger="terminate", inside="withdrawal")
    )  # fmt: skip
    frame.pen.line(back, "right", end, "left", inside="withdrawal")
