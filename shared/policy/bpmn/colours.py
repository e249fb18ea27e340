"""Each colour's column: its handling, the timers on it, and what they set off."""

from __future__ import annotations

from dataclasses import replace

from shared.policy.bpmn.frame import TIMER_ROOM, Frame, breach_slot, process_id
from shared.policy.bpmn.pen import event, task
from shared.policy.bpmn.picture import UNTIL_DONE, Box, Node
from shared.policy.bpmn.spans import Span, chosen
from shared.policy.bpmn.story import Ladder, Slip
from shared.policy.bpmn.words import Words


def draw_slip(frame: Frame, slip: Slip, x: int) -> None:
    """A colour's column: its handling, the timers on it, and what they set off."""
    words, levels = frame.story.words, _own_limits(frame, slip)
    name = call_of(words, slip)
    if levels:
        name = words.say("call-by-level", call=name, levels=levels)
    call = frame.pen.add(
        Node(
            f"handle-{slip.id}", "callActivity", name,
            Box(x, frame.in_charge + 50, frame.width(slip), 70),
            lane="lane-in-charge", called=process_id(frame.story, "handling"), tint=slip.tint,
            doc=_doc(frame, slip, f"call-doc-{slip.limits.reply.unit}"),
        )
    )  # fmt: skip
    colour = frame.pen.node("which-colour")
    _fan(frame, colour, call, frame.in_charge + 22, slip.title)
    for number, warn in enumerate(slip.warn):
        _reminder(frame, slip, call, number, warn)
    _breach(frame, slip, call)


def call_of(words: Words, slip: Slip) -> str:
    """What a colour asks for: an answer within its time."""
    return words.say("call", colour=slip.title, days=words.span(slip.limits.reply))


def _own_limits(frame: Frame, slip: Slip) -> str:
    """The levels that have another limit for the answer, each with its limit."""
    words = frame.story.words
    return words.list(
        words.say("at-level", level=level.title, limit=words.span(slip.at(level.id).reply))
        for level in frame.story.levels
        if slip.at(level.id).reply != slip.limits.reply
    )


def _doc(frame: Frame, slip: Slip, key: str, **values: object) -> str:
    """A documentation of the reply's clock, with how it is counted and whose limits differ."""
    words, levels = frame.story.words, _own_limits(frame, slip)
    return words.paragraph(
        words.say(key, n=slip.limits.reply.number, **values),
        words.say(f"counts-{slip.limits.reply.unit}"),
        words.say("by-level-doc", levels=levels) if levels else "",
    )


def _fan(frame: Frame, colour: Node, call: Node, bus: int, name: str) -> None:
    start, end = colour.box.side("bottom"), call.box.side("top")
    frame.pen.path(
        colour, call, [start, (start[0], bus), (end[0], bus), end], name=name,
        label=Box(end[0] + 6, bus + 6, 90, 16),
    )  # fmt: skip


def _timer(
    frame: Frame, slip: Slip, call: Node, slot: int, name: str, duration: str, doc: str
) -> Node:
    point = (call.box.x + 40 + slot * frame.timer_room, call.box.bottom)
    beyond = 28 if slot == breach_slot(slip) else 0  # no timer stands to the right of the last
    room = Box(point[0] + 8, point[1] + 18, frame.timer_room - 28 + beyond, 46)
    return frame.pen.add(
        Node(
            f"timer-{slip.id}-{slot}", "boundaryEvent", name, Box.around(*point, 36, 36),
            lane="lane-in-charge", label=room, trigger="timer", duration=duration, doc=doc,
            attached_to=call.id,
        )
    )  # fmt: skip


def _reminder(frame: Frame, slip: Slip, call: Node, slot: int, warn: int | str) -> None:
    words, limit = frame.story.words, slip.limits.reply
    key, values = "due-soon-share", {"share": warn}
    if isinstance(warn, int):
        span = words.span(Span.counted(warn, in_hours=limit.in_hours))
        key, values = "due-soon" if limit.in_hours else "due-soon-days", {"span": span}
    spans = {level: limits.reply.passed(warn) for level, limits in slip.levels.items()}
    timer = _timer(
        frame, slip, call, slot, words.say(key, **values),
        chosen("level", spans, limit.passed(warn)), _doc(frame, slip, f"{key}-doc", **values),
    )  # fmt: skip
    x = timer.box.middle[0]
    end = frame.pen.add(
        event(
            f"reminded-{slip.id}-{slot}", "endEvent", words.say("reminded"),
            (x, frame.supervisors + 60), lane="lane-supervisors", trigger="message",
            room=TIMER_ROOM - 14,
        )
    )  # fmt: skip
    frame.pen.line(timer, "bottom", end, "top")


def _breach(frame: Frame, slip: Slip, call: Node) -> None:
    words, limit = frame.story.words, slip.limits.reply
    name = words.say("overdue", span=words.span(limit))
    if _own_limits(frame, slip):
        name = words.say("overdue-by-level")
    spans = {level: limits.reply for level, limits in slip.levels.items()}
    timer = _timer(
        frame, slip, call, breach_slot(slip), name, chosen("level", spans, limit),
        _doc(frame, slip, f"overdue-doc-{limit.unit}"),
    )  # fmt: skip
    _climb(frame, slip, timer, frame.story.ladder)


def _climb(frame: Frame, slip: Slip, timer: Node, ladder: Ladder) -> None:
    words, x = frame.story.words, timer.box.middle[0]
    again = "-repeat" if ladder.repeat and ladder.steps else ""
    name = words.say("escalate", steps=ladder.steps) if ladder.steps else words.say("escalate-none")
    loops = UNTIL_DONE if again else ladder.steps if ladder.steps > 1 else 0
    escalate = frame.pen.add(
        task(f"escalate-{slip.id}", "sendTask", name, (x, frame.supervisors + 166),
             lane="lane-supervisors", loops=loops),
        doc=_climb_doc(words, ladder, again) if ladder.steps else "",
    )  # fmt: skip
    done = frame.pen.add(
        event(f"escalated-{slip.id}", "endEvent", words.say(f"escalated{again}"),
              (x - 114, escalate.box.middle[1]), lane="lane-supervisors", room=94)
    )  # fmt: skip
    if ladder.steps:
        wait = frame.pen.add(_wait(frame, slip, x))
        frame.pen.line(timer, "bottom", wait, "top")
        frame.pen.line(wait, "bottom", escalate, "top")
    else:
        frame.pen.line(timer, "bottom", escalate, "top")
    frame.pen.line(escalate, "left", done, "right")


def _climb_doc(words: Words, ladder: Ladder, again: str) -> str:
    return words.paragraph(
        words.say(
            f"escalate{again}-doc",
            first=words.spread(ladder.firsts),
            days=words.spread(ladder.paces),
        ),
        words.say("escalate-rows-doc", rows=ladder.rows) if ladder.rows else "",
    )


def _wait(frame: Frame, slip: Slip, x: int) -> Node:
    """The time to the first step; the loop of the activity below it takes those that follow."""
    words, ladder = frame.story.words, frame.story.ladder
    pace = words.spread(ladder.paces)
    name = words.say("next-step", days=pace)
    if ladder.firsts != ladder.paces:
        name = words.say("first-step", first=words.spread(ladder.firsts), days=pace)
    if ladder.repeat:
        name = words.say("repeated", pace=name)
    wait = event(
        f"wait-{slip.id}", "intermediateCatchEvent", name, (x, frame.supervisors + 60),
        lane="lane-supervisors", trigger="timer", duration=ladder.first.iso,
        doc=words.say("counts-days"),
    )  # fmt: skip
    return replace(wait, label=Box(x + 24, wait.box.y - 4, 110, 76))
