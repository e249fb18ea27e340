"""The pool of a case: raised, triaged, handled by colour, watched, rated, closed or reopened.

From the top to the bottom: what the colours need grows to the right, one column each.
"""

from __future__ import annotations

from shared.policy.bpmn.pen import GATEWAY, Pen, event, gateway, task
from shared.policy.bpmn.picture import Box, Edge, Lane, Node, Point, Pool
from shared.policy.bpmn.story import Slip, Story
from shared.policy.bpmn.text import height

LEFT, TOP = 20, 70
HEAD = 30
"""Width of the strip with a pool's or a lane's name."""

INFORMANT, INTAKE, IN_CHARGE, RATING = 150, 170, 150, 330
TIMER_ROOM = 112
"""From one timer on the border of an activity to the next."""

GAP = 90
"""Between two columns: a line goes down there."""

LEAST = 1180
"""The width that intake and evaluation take, whatever the colours."""


def case_pool(story: Story) -> Pool:
    """The pool, with its upper left corner at `LEFT`, `TOP`."""
    return _Drawing(story).pool()


class _Drawing:
    def __init__(self, story: Story) -> None:
        self.story, self.words = story, story.words
        self.pen = Pen()
        self.x = LEFT + 2 * HEAD
        self.columns: list[int] = []
        at = self.x + 50
        for slip in story.slips:
            self.columns.append(at)
            at += _width(slip) + GAP
        self.right = max(at + 20, self.x + LEAST)
        self.informant = TOP
        self.intake = self.informant + INFORMANT
        self.in_charge = self.intake + INTAKE
        self.supervisors = self.in_charge + IN_CHARGE
        self.rating = self.supervisors + (250 if story.steps else 210)

    def pool(self) -> Pool:
        self._intake(self._starts())
        self._withdrawal()
        for slip, x in zip(self.story.slips, self.columns, strict=True):
            self._slip(slip, x)
        self._evaluation()
        bottom = self.rating + RATING
        tops = {
            "informant": self.informant,
            "intake": self.intake,
            "in-charge": self.in_charge,
            "supervisors": self.supervisors,
            "evaluator": self.rating,
        }
        ends = [*list(tops.values())[1:], bottom]
        lanes = tuple(
            Lane(f"lane-{name}", self.words.say(name), self._lane(top, end))
            for (name, top), end in zip(tops.items(), ends, strict=True)
        )
        return Pool(
            id="pool-case",
            process=story_id(self.story, "case"),
            name=self.words.say("case"),
            box=Box(LEFT, TOP, self.right - LEFT, bottom - TOP),
            lanes=lanes,
            nodes=tuple(self.pen.nodes),
            edges=tuple(self.pen.edges),
            notes=tuple(self.pen.notes),
        )

    def _lane(self, top: int, bottom: int) -> Box:
        return Box(LEFT + HEAD, top, self.right - LEFT - HEAD, bottom - top)

    def _starts(self) -> list[Node]:
        """An event for each side from which matters come, with its channels beside it."""
        nodes = []
        x, y = self.x + 70, self.informant + 50
        for side, channels in self.story.channels.items():
            node = self.pen.add(
                event(
                    f"start-{side}", "startEvent", self.words.say(side), (x, y),
                    lane="lane-informant", trigger="message", doc=self.words.list(channels),
                )
            )  # fmt: skip
            text = self.words.list(channels)
            room = 190
            box = Box(x + 60, y - 32, room, min(110, height(text, room - 14, 10.5) + 12))
            self.pen.note(node, text, box)
            nodes.append(node)
            x += 300
        return nodes

    def _intake(self, starts: list[Node]) -> None:
        words, y, lane = self.words, self.intake + 75, "lane-intake"
        x = starts[0].box.middle[0]
        record = task("record", "serviceTask", words.say("record"), (x, y), lane=lane)
        record = self.pen.add(
            record, doc=words.say("record-doc", days=self.story.repeat_days)
        )
        triage = self.pen.add(
            task("triage", "businessRuleTask", words.say("triage"), (x + 190, y), lane=lane),
            doc=words.say("triage-doc", rows=self.story.triage_rows),
        )
        colour = gateway("which-colour", words.say("which-colour"), (x + 520, y), lane=lane)
        self.pen.line(starts[0], "bottom", record, "top")
        for other in starts[1:]:
            above = self.intake + 20
            down = (other.box.middle[0], above)
            entry = (record.box.right - 20, record.box.y)
            self.pen.path(other, record, [other.box.side("bottom"), down, (entry[0], above), entry])
        self.pen.line(record, "right", triage, "left")
        self.pen.add(colour)
        if not self.story.not_owed:
            self.pen.line(triage, "right", colour, "left")
            return
        owed = self.pen.add(gateway("owed", words.say("owed"), (x + 350, y), lane=lane, above=True))
        noted = self.pen.add(
            event("noted", "endEvent", words.say("noted"), (x + 350, y + 68), lane=lane, beside=True),
            doc=words.list(self.story.not_owed),
        )
        self.pen.line(triage, "right", owed, "left")
        self.pen.line(owed, "right", colour, "left", name=words.say("yes"))
        self.pen.line(owed, "bottom", noted, "top", name=words.say("no"))

    def _withdrawal(self) -> None:
        words = self.words
        x, y = self.right - 350, self.informant + 20
        self.pen.add(
            Node(
                "withdrawal", "subProcess", words.say("withdrawal"), Box(x, y, 310, 110),
                lane="lane-informant", by_event=True,
            )
        )  # fmt: skip
        back = self.pen.add(
            event("taken-back", "startEvent", words.say("taken-back"), (x + 70, y + 55),
                  lane="", trigger="message", inside="withdrawal")
        )  # fmt: skip
        end = self.pen.add(
            event("withdrawn", "endEvent", words.say("withdrawn"), (x + 240, y + 55),
                  lane="", trigger="terminate", inside="withdrawal")
        )  # fmt: skip
        self.pen.line(back, "right", end, "left", inside="withdrawal")

    def _slip(self, slip: Slip, x: int) -> None:
        """A colour's column: its handling, the timers on it, and what they set off."""
        words, wide = self.words, _width(slip)
        box = Box(x, self.in_charge + 50, wide, 70)
        call = self.pen.add(
            Node(
                f"handle-{slip.id}", "callActivity",
                words.say("call", colour=slip.title, days=words.days(slip.reply)), box,
                lane="lane-in-charge", called=story_id(self.story, "handling"), tint=slip.tint,
                doc=words.say("call-doc", n=slip.reply),
            )
        )  # fmt: skip
        colour = self.pen.node("which-colour")
        self._fan(colour, call, self.in_charge + 22, slip.title)
        for number, warn in enumerate(slip.warn):
            self._reminder(slip, call, number, warn)
        self._breach(slip, call)

    def _fan(self, colour: Node, call: Node, bus: int, name: str) -> None:
        start, end = colour.box.side("bottom"), call.box.side("top")
        self.pen.path(
            colour, call, [start, (start[0], bus), (end[0], bus), end], name=name,
            label=Box(end[0] + 6, bus + 8, 90, 16),
        )  # fmt: skip

    def _timer(self, slip: Slip, call: Node, slot: int, name: str, days: int, doc: str) -> Node:
        point = (call.box.x + 40 + slot * TIMER_ROOM, call.box.bottom)
        room = Box(point[0] + 8, point[1] + 16, TIMER_ROOM - 34, 58)
        return self.pen.add(
            Node(
                f"timer-{slip.id}-{slot}", "boundaryEvent", name, Box.around(*point, 36, 36),
                lane="lane-in-charge", label=room, trigger="timer", duration=f"P{days}D", doc=doc,
                attached_to=call.id,
            )
        )  # fmt: skip

    def _reminder(self, slip: Slip, call: Node, slot: int, warn: int) -> None:
        words = self.words
        ahead = words.days(warn)
        timer = self._timer(
            slip, call, slot, words.say("due-soon", days=ahead), slip.reply - warn,
            words.say("due-soon-doc", days=ahead),
        )  # fmt: skip
        x = timer.box.middle[0]
        end = self.pen.add(
            event(
                f"reminded-{slip.id}-{slot}", "endEvent", words.say("reminded"),
                (x, self.supervisors + 90), lane="lane-supervisors", trigger="message",
                room=TIMER_ROOM - 14,
            )
        )  # fmt: skip
        self.pen.line(timer, "bottom", end, "top")

    def _breach(self, slip: Slip, call: Node) -> None:
        words, story = self.words, self.story
        timer = self._timer(
            slip, call, len(slip.warn), words.say("overdue", days=words.days(slip.reply)),
            slip.reply, words.say("overdue-doc", n=slip.reply),
        )  # fmt: skip
        x, step = timer.box.middle[0], words.days(story.escalation_days)
        y = self.supervisors + 190
        name = words.say("escalate", steps=story.steps) if story.steps else words.say("escalate-none")
        escalate = self.pen.add(
            task(f"escalate-{slip.id}", "sendTask", name, (x, y if story.steps else y - 70),
                 lane="lane-supervisors", loops=story.steps > 1),
            doc=words.say("escalate-doc", days=step) if story.steps else "",
        )  # fmt: skip
        done = self.pen.add(
            event(f"escalated-{slip.id}", "endEvent", words.say("escalated"),
                  (x - 114, escalate.box.middle[1]), lane="lane-supervisors", room=94)
        )  # fmt: skip
        if story.steps:
            wait = self.pen.add(
                event(f"wait-{slip.id}", "intermediateCatchEvent", words.say("next-step", days=step),
                      (x, self.supervisors + 90), lane="lane-supervisors", trigger="timer",
                      duration=f"P{story.escalation_days}D", beside=True, room=66)
            )  # fmt: skip
            self.pen.line(timer, "bottom", wait, "top")
            self.pen.line(wait, "bottom", escalate, "top")
        else:
            self.pen.line(timer, "bottom", escalate, "top")
        self.pen.line(escalate, "left", done, "right")

    def _evaluation(self) -> None:
        words, story, lane = self.words, self.story, "lane-evaluator"
        y, low = self.rating + 110, self.rating + 240
        x = self.x + 80
        who = self.pen.add(
            task("who-rates", "businessRuleTask", words.say("who-rates"), (x, y), lane=lane),
            doc=words.say("who-rates-doc", rows=story.evaluator_rows),
        )
        self.pen.note(who, words.list(story.roles), Box(x - 55, low - 42, 150, 84))
        self._exits(who)
        anyone = self.pen.add(
            gateway("anyone", words.say("anyone"), (x + 160, y), lane=lane, above=True)
        )
        ask = self.pen.add(task("ask", "sendTask", words.say("ask"), (x + 300, y), lane=lane))
        rate = self.pen.add(
            task("rate", "userTask", words.say("rate"), (x + 480, y), lane=lane),
            doc=words.say("rate-doc", scale=words.list(story.scale)),
        )
        satisfied = self.pen.add(
            gateway("satisfied", words.say("satisfied"), (x + 680, y), lane=lane, above=True)
        )
        closed = self.pen.add(event("closed", "endEvent", words.say("closed"), (x + 840, y), lane=lane))
        nobody = self.pen.add(
            event("not-asked", "endEvent", words.say("not-asked"), (x + 160, low), lane=lane)
        )
        self.pen.line(who, "right", anyone, "left")
        self.pen.line(anyone, "right", ask, "left", name=words.say("yes"))
        self.pen.line(anyone, "bottom", nobody, "top", name=words.say("no"))
        self.pen.line(ask, "right", rate, "left")
        self.pen.line(rate, "right", satisfied, "left")
        self.pen.line(satisfied, "right", closed, "left", name=words.say("yes"))
        self._lapse(rate, low)
        self._reopening(satisfied, low)

    def _exits(self, who: Node) -> None:
        """Every colour's handling ends down in the lane of the evaluator."""
        bus = self.rating + 30
        for slip in self.story.slips:
            call = self.pen.node(f"handle-{slip.id}")
            start, end = call.box.side("right"), who.box.side("top")
            down = call.box.right + GAP - 36
            self.pen.path(
                call, who, [start, (down, start[1]), (down, bus), (end[0], bus), end]
            )

    def _lapse(self, rate: Node, low: int) -> None:
        words, days = self.words, self.story.link_days
        x = rate.box.x + 20
        timer = self.pen.add(
            Node(
                "link-lapses", "boundaryEvent", words.say("link", days=words.days(days)),
                Box.around(x, rate.box.bottom, 36, 36), lane="lane-evaluator",
                label=Box(x + 22, rate.box.bottom + 8, 110, 32), trigger="timer",
                duration=f"P{days}D", attached_to=rate.id,
            )
        )  # fmt: skip
        lapsed = self.pen.add(
            event("lapsed", "endEvent", words.say("lapsed"), (x, low), lane="lane-evaluator")
        )
        self.pen.line(timer, "bottom", lapsed, "top")

    def _reopening(self, satisfied: Node, low: int) -> None:
        words, lane, rounds = self.words, "lane-evaluator", self.story.rounds
        x = satisfied.box.middle[0]
        again = self.pen.add(gateway("rounds", words.say("rounds", rounds=rounds), (x, low), lane=lane))
        over = self.pen.add(
            event("rounds-over", "endEvent", words.say("rounds-over", rounds=rounds), (x - 110, low),
                  lane=lane, room=90)
        )  # fmt: skip
        reopened = self.pen.add(
            event("reopened", "intermediateThrowEvent", words.say("reopened"), (x + 160, low),
                  lane=lane, trigger="message")
        )  # fmt: skip
        self.pen.line(satisfied, "bottom", again, "top", name=words.say("no"))
        self.pen.line(again, "left", over, "right", name=words.say("no"))
        self.pen.line(again, "right", reopened, "left", name=words.say("yes"))
        colour = self.pen.node("which-colour")
        up = self.right - 24
        start, end = reopened.box.side("right"), colour.box.side("right")
        self.pen.path(
            reopened, colour, [start, (up, start[1]), (up, end[1]), end],
            name=words.say("reopened"), label=Box(up - 130, end[1] - 20, 120, 16),
        )  # fmt: skip


def _width(slip: Slip) -> int:
    return max(210, 20 + TIMER_ROOM * (len(slip.warn) + 1))


def story_id(story: Story, part: str) -> str:
    """The id of one of the two processes."""
    return f"process-{story.policy}-{part}"


__all__ = ["GATEWAY", "Edge", "Point", "case_pool", "story_id"]
