"""The lane of the evaluator: from the answer to the rating, and round again or to the end."""

from __future__ import annotations

from shared.policy.bpmn.frame import GAP, Frame
from shared.policy.bpmn.pen import event, gateway, task
from shared.policy.bpmn.picture import Box, Node


def draw_judgement(frame: Frame) -> None:
    """The rating of every colour's answers; the colours are drawn before."""
    words, story, lane = frame.story.words, frame.story, "lane-evaluator"
    y, low = frame.rating + 110, frame.rating + 240
    x, along = frame.x + 80, frame.along
    who = frame.pen.add(
        task("who-rates", "businessRuleTask", words.say("who-rates"), (x, y), lane=lane),
        doc=words.say("who-rates-doc", rows=story.evaluator_rows),
    )
    frame.pen.note(who, words.list(story.roles), Box(x - 55, low - 42, 150, 84))
    _exits(frame, who)
    anyone = frame.pen.add(gateway("anyone", words.say("anyone"), (along(240), y), lane=lane))
    ask = frame.pen.add(task("ask", "sendTask", words.say("ask"), (along(380), y), lane=lane))
    rate = frame.pen.add(
        task("rate", "userTask", words.say("rate"), (along(560), y), lane=lane),
        doc=words.say("rate-doc", scale=words.list(story.scale)),
    )
    satisfied = frame.pen.add(
        gateway("satisfied", words.say("satisfied"), (along(760), y), lane=lane)
    )
    closed = frame.pen.add(
        event("closed", "endEvent", words.say("closed"), (along(920), y), lane=lane)
    )
    nobody = frame.pen.add(
        event("not-asked", "endEvent", words.say("not-asked"), (along(240), low), lane=lane)
    )
    frame.pen.line(who, "right", anyone, "left")
    frame.pen.line(anyone, "right", ask, "left", name=words.say("yes"))
    frame.pen.line(anyone, "bottom", nobody, "top", name=words.say("no"))
    frame.pen.line(ask, "right", rate, "left")
    frame.pen.line(rate, "right", satisfied, "left")
    frame.pen.line(satisfied, "right", closed, "left", name=words.say("yes"))
    _lapse(frame, rate, low)
    _reopening(frame, satisfied, low)


def _exits(frame: Frame, who: Node) -> None:
    """Every colour's handling ends down in the lane of the evaluator."""
    bus = frame.rating + 30
    for slip in frame.story.slips:
        call = frame.pen.node(f"handle-{slip.id}")
        start, end = call.box.side("right"), who.box.side("top")
        down = call.box.right + GAP - 36
        frame.pen.path(call, who, [start, (down, start[1]), (down, bus), (end[0], bus), end])


def _lapse(frame: Frame, rate: Node, low: int) -> None:
    words, days = frame.story.words, frame.story.link_days
    x = rate.box.x + 20
    timer = frame.pen.add(
        Node(
            "link-lapses", "boundaryEvent", words.say("link", days=words.days(days)),
            Box.around(x, rate.box.bottom, 36, 36), lane="lane-evaluator",
            label=Box(x + 22, rate.box.bottom + 8, 110, 32), trigger="timer",
            duration=f"P{days}D", attached_to=rate.id, ends=True,
        )
    )  # fmt: skip
    lapsed = frame.pen.add(
        event("lapsed", "endEvent", words.say("lapsed"), (x, low), lane="lane-evaluator")
    )
    frame.pen.line(timer, "bottom", lapsed, "top")


def _reopening(frame: Frame, satisfied: Node, low: int) -> None:
    words, lane, rounds = frame.story.words, "lane-evaluator", frame.story.rounds
    x = satisfied.box.middle[0]
    again = frame.pen.add(
        gateway("rounds", words.say("rounds", rounds=rounds), (x, low), lane=lane, above=False)
    )
    over = frame.pen.add(
        event("rounds-over", "endEvent", words.say("rounds-over", rounds=rounds), (x - 110, low),
              lane=lane, room=90)
    )  # fmt: skip
    reopened = frame.pen.add(
        event("reopened", "intermediateThrowEvent", words.say("reopened"), (x + 160, low),
              lane=lane, trigger="message")
    )  # fmt: skip
    frame.pen.line(satisfied, "bottom", again, "top", name=words.say("no"))
    frame.pen.line(again, "left", over, "right", name=words.say("no"))
    frame.pen.line(again, "right", reopened, "left", name=words.say("yes"))
    colour = frame.pen.node("which-colour")
    up = frame.right - 24
    start, end = reopened.box.side("right"), colour.box.side("right")
    frame.pen.path(
        reopened, colour, [start, (up, start[1]), (up, end[1]), end],
        name=words.say("reopened"), label=Box(up - 130, end[1] - 20, 120, 16),
    )  # fmt: skip
