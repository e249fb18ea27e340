"""Each colour's column: its handling, the timers on it, and what they set off."""

from __future__ import annotations

from shared.policy.bpmn.frame import TIMER_ROOM, Frame, breach_slot, process_id
from shared.policy.bpmn.pen import event, task
from shared.policy.bpmn.picture import Box, Node
from shared.policy.bpmn.story import Slip


def draw_slip(frame: Frame, slip: Slip, x: int) -> None:
    """A colour's column: its handling, the timers on it, and what they set off."""
    words, wide = frame.story.words, frame.width(slip)
    box = Box(x, frame.in_charge + 50, wide, 70)
    call = frame.pen.add(
        Node(
            f"handle-{slip.id}", "callActivity",
            words.say("call", colour=slip.title, days=words.days(slip.reply)), box,
            lane="lane-in-charge", called=process_id(frame.story, "handling"), tint=slip.tint,
            doc=words.say("call-doc", n=slip.reply),
        )
    )  # fmt: skip
    colour = frame.pen.node("which-colour")
    _fan(frame, colour, call, frame.in_charge + 22, slip.title)
    for number, warn in enumerate(slip.warn):
        _reminder(frame, slip, call, number, warn)
    _breach(frame, slip, call)


def _fan(frame: Frame, colour: Node, call: Node, bus: int, name: str) -> None:
    start, end = colour.box.side("bottom"), call.box.side("top")
    frame.pen.path(
        colour, call, [start, (start[0], bus), (end[0], bus), end], name=name,
        label=Box(end[0] + 6, bus + 6, 90, 16),
    )  # fmt: skip


def _timer(frame: Frame, slip: Slip, call: Node, slot: int, name: str, days: int, doc: str) -> Node:
    point = (call.box.x + 40 + slot * frame.timer_room, call.box.bottom)
    room = Box(point[0] + 8, point[1] + 18, frame.timer_room - 34, 46)
    return frame.pen.add(
        Node(
            f"timer-{slip.id}-{slot}", "boundaryEvent", name, Box.around(*point, 36, 36),
            lane="lane-in-charge", label=room, trigger="timer", duration=f"P{days}D", doc=doc,
            attached_to=call.id,
        )
    )  # fmt: skip


def _reminder(frame: Frame, slip: Slip, call: Node, slot: int, warn: int) -> None:
    words = frame.story.words
    ahead = words.days(warn)
    timer = _timer(frame,
        slip, call, slot, words.say("due-soon", days=ahead), slip.reply - warn,
        words.say("due-soon-doc", days=ahead),
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
    words, story = frame.story.words, frame.story
    timer = _timer(frame,
        slip, call, breach_slot(slip), words.say("overdue", days=words.days(slip.reply)),
        slip.reply, words.say("overdue-doc", n=slip.reply),
    )  # fmt: skip
    x, step = timer.box.middle[0], words.days(story.escalation_days)
    y = frame.supervisors + 166
    name = words.say("escalate", steps=story.steps) if story.steps else words.say("escalate-none")
    escalate = frame.pen.add(
        task(f"escalate-{slip.id}", "sendTask", name, (x, y),
             lane="lane-supervisors", loops=story.steps if story.steps > 1 else 0),
        doc=words.say("escalate-doc", days=step) if story.steps else "",
    )  # fmt: skip
    done = frame.pen.add(
        event(f"escalated-{slip.id}", "endEvent", words.say("escalated"),
              (x - 114, escalate.box.middle[1]), lane="lane-supervisors", room=94)
    )  # fmt: skip
    if story.steps:
        wait = frame.pen.add(
            event(f"wait-{slip.id}", "intermediateCatchEvent", words.say("next-step", days=step),
                  (x, frame.supervisors + 60), lane="lane-supervisors", trigger="timer",
                  duration=f"P{story.escalation_days}D", place="beside", room=100)
        )  # fmt: skip
        frame.pen.line(timer, "bottom", wait, "top")
        frame.pen.line(wait, "bottom", escalate, "top")
    else:
        frame.pen.line(timer, "bottom", escalate, "top")
    frame.pen.line(escalate, "left", done, "right")
