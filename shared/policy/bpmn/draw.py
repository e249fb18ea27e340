"""From a policy to the placed picture."""

from __future__ import annotations

from dataclasses import replace

from shared.policy.bpmn.case import case_pool
from shared.policy.bpmn.colours import call_of
from shared.policy.bpmn.frame import LEFT
from shared.policy.bpmn.handling import handling_pool
from shared.policy.bpmn.picture import Box, Picture, Pool
from shared.policy.bpmn.story import Story, read_story
from shared.policy.bpmn.words import Language, Words
from shared.policy.schema.document import Document


def draw(document: Document, language: Language) -> Picture:
    """The flow of a case under a checked policy."""
    story = read_story(document, Words(language))
    case = case_pool(story, handling_pool(story, 0).box.width)
    handling = handling_pool(story, case.box.bottom + 40)
    right = max(case.box.right, handling.box.right)
    pools = tuple(_as_wide(pool, right) for pool in (case, handling))
    return Picture(
        id=f"policy-{story.policy}",
        language=language,
        title=story.title,
        description=_describe(story),
        width=right + LEFT,
        height=handling.box.bottom + 20,
        pools=pools,
    )


def _as_wide(pool: Pool, right: int) -> Pool:
    lanes = (replace(lane, box=_to(lane.box, right)) for lane in pool.lanes)
    return replace(pool, box=_to(pool.box, right), lanes=tuple(lanes))


def _to(box: Box, right: int) -> Box:
    return replace(box, width=right - box.x)


def _describe(story: Story) -> str:
    words = story.words
    colours = (call_of(words, slip) for slip in story.slips)
    return words.say(
        "description",
        policy=story.title,
        channels=sum(map(len, story.channels.values())),
        colours=words.list(colours),
        levels=words.list(level.title for level in story.levels),
        roles=words.list(story.roles),
        rounds=story.rounds,
    )
