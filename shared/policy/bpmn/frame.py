"""Where the parts of a case's pool stand, from the policy's colours."""

from __future__ import annotations

from shared.policy.bpmn.pen import Pen
from shared.policy.bpmn.picture import Box
from shared.policy.bpmn.story import Slip, Story

LEFT, TOP = 20, 70
HEAD = 30
"""Width of the strip with a pool's or a lane's name."""

INFORMANT, INTAKE, IN_CHARGE, SUPERVISORS, RATING = 150, 170, 196, 226, 320
TIMER_ROOM = 112
"""From one timer on the border of an activity to the next."""

MOST_ROOM = 60
"""How much wider that may become where there is room."""

LEAST_CALL = 210

GAP = 90
"""Between two columns: a line goes down there."""

LEAST, LEAST_TIME = 1180, 1340
"""The width that intake and evaluation take, whatever the colours; pauses and extensions."""


class Frame:
    """The lanes' places, and the pen that draws into them.

    From the top to the bottom a case goes on; what the colours need grows to the right, one column
    each. `least` is the least width of the pool.
    """

    def __init__(self, story: Story, least: int) -> None:
        self.story, self.words = story, story.words
        self.pen = Pen()
        self.x = LEFT + 2 * HEAD
        slots = sum(breach_slot(slip) + 1 for slip in story.slips)
        needed = 100 + TIMER_ROOM * slots + (GAP + 20) * len(story.slips)
        both = bool(story.pauses and story.extensions)
        wide = max(needed, LEAST_TIME if both else LEAST, least - 2 * HEAD)
        self.timer_room = TIMER_ROOM + min(MOST_ROOM, (wide - needed) // slots)
        """What the colours leave of the width goes to their timers."""
        self.stretch = min(1.5, wide / LEAST)
        self.right = self.x + wide
        self.columns: list[int] = []
        at = self.x + 50
        for slip in story.slips:
            self.columns.append(at)
            at += self.width(slip) + GAP
        self.informant = TOP
        self.intake = self.informant + INFORMANT
        self.in_charge = self.intake + INTAKE
        self.supervisors = self.in_charge + IN_CHARGE
        self.rating = self.supervisors + SUPERVISORS
        self.time = self.rating + RATING

    def width(self, slip: Slip) -> int:
        """The width of a colour's column, in pixels."""
        return max(LEAST_CALL, 20 + self.timer_room * (breach_slot(slip) + 1))

    def along(self, x: int) -> int:
        """A distance from the left, stretched where the pool is wider than it must be."""
        return self.x + round(x * self.stretch)

    def lane(self, top: int, bottom: int) -> Box:
        """The lane between these two heights."""
        return Box(LEFT + HEAD, top, self.right - LEFT - HEAD, bottom - top)


def breach_slot(slip: Slip) -> int:
    """Which of a colour's timers is the last: never the first, so that its line has room below."""
    return max(1, len(slip.warn))


def process_id(story: Story, part: str) -> str:
    """The id of one of the two processes."""
    return f"process-{story.policy}-{part}"
