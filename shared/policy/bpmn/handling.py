"""The pool of the units: one lane per level, with what it does from acceptance to the answer."""

from __future__ import annotations

from shared.policy.bpmn.frame import HEAD, LEFT, process_id
from shared.policy.bpmn.pen import TASK, Pen, event, gateway, task
from shared.policy.bpmn.picture import Box, Lane, Node, Pool
from shared.policy.bpmn.spans import Span, chosen
from shared.policy.bpmn.story import Rank, Story

LANE = 204
WORK = 520
"""From the left to where a level's activity begins to need its width."""
STEP = (96, 52)
STEP_GAP = 20
LINK = "transfer-or-return"
"""The name that joins the two ends of a link."""


def handling_pool(story: Story, top: int) -> Pool:
    """The pool, with its upper side at `top`."""
    return _Drawing(story, top).pool()


class _Drawing:
    def __init__(self, story: Story, top: int) -> None:
        self.story, self.words, self.top = story, story.words, top
        self.pen = Pen()
        self.x = LEFT + 2 * HEAD
        self.widest = max(_room(level) for level in story.levels)

    def pool(self) -> Pool:
        fork = self._entry()
        for number, level in enumerate(self.story.levels):
            self._level(level, fork, self.top + number * LANE)
        right = self.x + WORK + self.widest + 310
        lanes = tuple(
            Lane(
                f"lane-level-{level.id}", level.title,
                Box(LEFT + HEAD, self.top + number * LANE, right - LEFT - HEAD, LANE),
            )
            for number, level in enumerate(self.story.levels)
        )  # fmt: skip
        return Pool(
            id="pool-handling",
            process=process_id(self.story, "handling"),
            name=self.words.say("handling"),
            box=Box(LEFT, self.top, right - LEFT, LANE * len(lanes)),
            lanes=lanes,
            nodes=tuple(self.pen.nodes),
            edges=tuple(self.pen.edges),
            notes=(),
        )

    def _entry(self) -> Node:
        words, lane, y = self.words, f"lane-level-{self.story.levels[0].id}", self.top + 75
        start = self.pen.add(
            event(
                "routed",
                "startEvent",
                words.say("routed"),
                (self.x + 52, y),
                lane=lane,
                room=94,
                place="above",
            )
        )
        fork = self.pen.add(
            gateway("which-level", words.say("which-level"), (self.x + 150, y), lane=lane)
        )
        back = self.pen.add(
            event("elsewhere", "intermediateCatchEvent", words.say("elsewhere"),
                  (self.x + 60, y + 52), lane=lane, trigger="link", room=110)
        )  # fmt: skip
        self.pen.line(start, "right", fork, "left")
        x, end = self.x + 104, fork.box.side("left")
        self.pen.path(back, fork, [back.box.side("right"), (x, y + 52), (x, end[1]), end])
        return fork

    def _level(self, level: Rank, fork: Node, top: int) -> None:
        words, lane, y = self.words, f"lane-level-{level.id}", top + 75
        x = self.x + 280
        accept = self.pen.add(
            task(f"accept-{level.id}", "userTask", words.say("accept"), (x, y), lane=lane),
            doc=self._accept_limits(level),
        )
        self._acceptance(level, accept)
        entry = accept.box.side("left")
        if top == self.top:
            self.pen.line(fork, "right", accept, "left")
        else:
            start = fork.box.side("bottom")
            self.pen.path(fork, accept, [start, (start[0], y), entry])
        ours = self.pen.add(gateway(f"ours-{level.id}", words.say("ours"), (x + 160, y), lane=lane))
        away = self.pen.add(
            event(f"away-{level.id}", "intermediateThrowEvent", words.say("elsewhere"),
                  (x + 160, y + 76), lane=lane, trigger="link", place="beside", room=84,
                  doc=self._elsewhere())
        )  # fmt: skip
        handle = self._handle(level, x + 250, y, lane)
        reply = self.pen.add(
            task(f"reply-{level.id}", "userTask", words.say("reply"),
                 (self.x + WORK + self.widest + 110, y), lane=lane)
        )  # fmt: skip
        end = self.pen.add(
            event(f"replied-{level.id}", "endEvent", words.say("replied"),
                  (self.x + WORK + self.widest + 230, y), lane=lane)
        )  # fmt: skip
        self.pen.line(accept, "right", ours, "left")
        self.pen.line(ours, "bottom", away, "top", name=words.say("no"))
        self.pen.line(ours, "right", handle, "left", name=words.say("yes"))
        self.pen.line(handle, "right", reply, "left")
        self.pen.line(reply, "right", end, "left")

    def _accept_limits(self, level: Rank) -> str:
        """For each colour how long this level has to accept; empty where there is no limit."""
        limits = {slip.title: slip.at(level.id).accept for slip in self.story.slips}
        given = [span for span in limits.values() if span is not None]
        if not given:
            return ""
        same = len(given) == len(limits) > 1 and len({span.in_hours for span in given}) == 1
        said = self.words.list(
            self.words.say("accept-one", colour=title, limit=self._accept_limit(span, same))
            for title, span in limits.items()
        )
        if same:
            said = self.words.say(f"accept-limits-{given[0].unit}", limits=said)
        return self.words.say("accept-limit", limits=said)

    def _accept_limit(self, span: Span | None, bare: bool) -> str:
        if span is None:
            return self.words.say("accept-none")
        return f"{span.number}" if bare else self.words.span(span)

    def _acceptance(self, level: Rank, accept: Node) -> None:
        """The clock of the acceptance, where a colour has one: its breach is told, and no more."""
        words, spans = self.words, {one.id: one.at(level.id).accept for one in self.story.slips}
        *_, last = spans.values()
        if not any(spans.values()):
            return
        x, y, lane = accept.box.x + 20, accept.box.bottom, accept.lane
        timer = self.pen.add(
            Node(
                f"accept-overdue-{level.id}", "boundaryEvent", self._accept_limits(level),
                Box.around(x, y, 36, 36), lane=lane, label=Box(x + 22, y + 4, 142, 46),
                trigger="timer", duration=chosen("colour", spans, last), attached_to=accept.id,
                doc=words.say("accept-doc"),
            )
        )  # fmt: skip
        told = self.pen.add(
            event(f"accept-late-{level.id}", "endEvent", words.say("accept-late"), (x, y + 70),
                  lane=lane, trigger="message", place="beside", room=140)
        )  # fmt: skip
        self.pen.line(timer, "bottom", told, "top")

    def _elsewhere(self) -> str:
        clock = "accept-anew" if self.story.anew else "accept-goes-on"
        limited = any(
            limits.accept
            for slip in self.story.slips
            for limits in (slip.limits, *slip.levels.values())
        )
        return self.words.paragraph(
            self.words.say("elsewhere-doc"), self.words.say(clock) if limited else ""
        )

    def _handle(self, level: Rank, x: int, y: int, lane: str) -> Node:
        """The level's steps in a row, within one activity; a plain one where it names none."""
        name = f"work-{level.id}"
        if not level.steps:
            middle = (x + TASK[0] // 2, y)
            return self.pen.add(task(name, "userTask", self.words.say("handle"), middle, lane=lane))
        around = self.pen.add(
            Node(name, "subProcess", self.words.say("handle"),
                 Box(x, y - 55, _room(level), 110), lane)
        )  # fmt: skip
        before: Node | None = None
        for number, step in enumerate(level.steps):
            box = Box(x + 20 + number * (STEP[0] + STEP_GAP), y - STEP[1] // 2 + 8, *STEP)
            made = self.pen.add(
                Node(f"step-{level.id}-{number + 1}", "userTask", step, box, lane="", inside=name)
            )
            if before is not None:
                self.pen.line(before, "right", made, "left", inside=name)
            before = made
        return around


def _room(level: Rank) -> int:
    """The width of a level's activity."""
    if not level.steps:
        return TASK[0]
    return 40 + len(level.steps) * (STEP[0] + STEP_GAP) - STEP_GAP
