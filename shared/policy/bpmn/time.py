"""The lane of what changes a case's time while it goes on: pauses, and extensions."""

from __future__ import annotations

from shared.policy.bpmn.frame import Frame
from shared.policy.bpmn.pen import event, gateway, task
from shared.policy.bpmn.picture import Box, Node
from shared.policy.bpmn.spans import chosen
from shared.policy.bpmn.story import Extensions
from shared.policy.bpmn.text import height

TIME = 216
"""The height of the lane."""

_GAP, _HEIGHT = 30, 176
_PAUSE, _EXTENSION = 430, 450
_LEAST_NOTE, _MOST_NOTE = 130, 300


def draw_time(frame: Frame) -> None:
    """Sub-processes that an event starts, each with what the policy allows beside it."""
    story, x, top = frame.story, frame.x + _GAP, frame.time + 20
    parts = [_PAUSE] * bool(story.pauses) + [_EXTENSION] * bool(story.extensions)
    free = frame.right - frame.x - sum(parts) - _GAP * (2 * len(parts) + 1)
    room = min(_MOST_NOTE, max(_LEAST_NOTE, free // max(1, len(parts))))
    if story.pauses:
        _pause(frame, x, top, room)
        x += _PAUSE + room + 2 * _GAP
    if story.extensions is not None:
        _extension(frame, story.extensions, x, top, room)


def _around(frame: Frame, name: str, x: int, top: int, wide: int) -> Node:
    return frame.pen.add(
        Node(
            name, "subProcess", frame.story.words.say(name), Box(x, top, wide, _HEIGHT),
            lane="lane-time", by_event=True,
        )
    )  # fmt: skip


def _pause(frame: Frame, x: int, top: int, room: int) -> None:
    """The clocks stand still until somebody ends the pause, or its longest time is over."""
    words, pauses, y = frame.story.words, frame.story.pauses, top + 70
    around = _around(frame, "pause", x, top, _PAUSE)
    start = frame.pen.add(
        event("pause-asked", "startEvent", words.say("pause-asked"), (x + 60, y),
              lane="", trigger="message", inside="pause")
    )  # fmt: skip
    still = frame.pen.add(
        task("pause-on", "task", words.say("pause-on"), (x + 190, y), lane="", inside="pause"),
        doc=words.say("pause-on-doc"),
    )
    spans = sorted({pause.longest for pause in pauses}, key=lambda span: span.minutes)
    by_reason = {pause.id: pause.longest for pause in pauses}
    point = (still.box.right - 24, still.box.bottom)
    timer = frame.pen.add(
        Node(
            "pause-ends", "boundaryEvent", words.say("pause-longest", days=words.spread(spans)),
            Box.around(*point, 36, 36), lane="", label=Box(point[0] + 22, point[1] + 6, 108, 30),
            trigger="timer", duration=chosen("reason", by_reason, spans[-1]),
            doc=words.say("counts-days"), attached_to=still.id, ends=True, inside="pause",
        )
    )  # fmt: skip
    end = frame.pen.add(
        event("pause-over", "endEvent", words.say("pause-over"), (x + 370, y), lane="",
              inside="pause", place="above")
    )  # fmt: skip
    frame.pen.line(start, "right", still, "left", inside="pause")
    frame.pen.line(still, "right", end, "left", inside="pause")
    low, entry = top + _HEIGHT - 20, end.box.side("bottom")
    leave = timer.box.side("bottom")
    frame.pen.path(timer, end, [leave, (leave[0], low), (entry[0], low), entry], inside="pause")
    lines = (
        words.say("pause-row", reason=pause.title, by=words.list(pause.by),
                  days=words.span(pause.longest))
        for pause in pauses
    )  # fmt: skip
    _note(frame, around, "\n".join(lines), room)


def _extension(frame: Frame, rule: Extensions, x: int, top: int, room: int) -> None:
    words, y, inside = frame.story.words, top + 70, "extension"
    around = _around(frame, inside, x, top, _EXTENSION)
    start = frame.pen.add(
        event("extension-asked", "startEvent", words.say("extension-asked"), (x + 60, y),
              lane="", trigger="message", inside=inside)
    )  # fmt: skip
    decide = frame.pen.add(
        task("extension-decide", "userTask", words.say("extension-decide"), (x + 170, y),
             lane="", inside=inside)
    )  # fmt: skip
    granted = frame.pen.add(
        gateway("extension-granted", words.say("extension-granted"), (x + 310, y), lane="",
                inside=inside)
    )  # fmt: skip
    later = frame.pen.add(
        event("extension-later", "endEvent", words.say("extension-later"), (x + 400, y),
              lane="", inside=inside, room=80)
    )  # fmt: skip
    refused = frame.pen.add(
        event("extension-refused", "endEvent", words.say("extension-refused"), (x + 310, y + 80),
              lane="", inside=inside, place="beside")
    )  # fmt: skip
    frame.pen.line(start, "right", decide, "left", inside=inside)
    frame.pen.line(decide, "right", granted, "left", inside=inside)
    frame.pen.line(granted, "right", later, "left", name=words.say("yes"), inside=inside)
    frame.pen.line(granted, "bottom", refused, "top", name=words.say("no"), inside=inside)
    text = words.say(
        "extension-row", most=rule.most, days=words.span(rule.longest),
        asked_by=words.list(rule.asked_by), decided_by=words.list(rule.decided_by),
    )  # fmt: skip
    _note(frame, around, text, room)


def _note(frame: Frame, around: Node, text: str, room: int) -> None:
    """What the policy says, beside the middle of the sub-process and as high as it needs."""
    high = min(_HEIGHT, height(text, room - 14, 10.5) + 12)
    box = Box(around.box.right + _GAP - 6, around.box.middle[1] - high // 2, room, high)
    frame.pen.note(around, text, box)
