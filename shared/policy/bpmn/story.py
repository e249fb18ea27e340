"""What the picture tells of a policy, in the reader's language: read once, drawn afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.policy.bpmn.words import Words
from shared.policy.schema import Document
from shared.policy.tree import Tree

TINTS = {
    "red": "#d6453d", "orange": "#e08a1e", "yellow": "#d9b310", "green": "#3f9b5f",
    "blue": "#3a78b5", "purple": "#8357a8", "grey": "#7b8794", "white": "#c9d1d9",
    "black": "#30363d",
}  # fmt: skip
"""Colours of CSS for a policy's colours that are named like one."""

RANKED = ("#d6453d", "#e08a1e", "#d9b310", "#3f9b5f", "#3a78b5", "#8357a8")
"""For other names, by urgency."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A colour and its clock, in working days."""

    id: str
    title: str
    tint: str
    reply: int
    warn: tuple[int, ...]
    accept: int | None


@dataclass(frozen=True, slots=True)
class Rank:
    """A level of the house."""

    id: str
    title: str
    steps: tuple[str, ...]
    units: int


@dataclass(frozen=True, slots=True)
class Story:
    """A policy in the words of one language."""

    words: Words
    policy: str
    title: str
    channels: Mapping[str, tuple[str, ...]]
    """By side, each only where it has some."""
    repeat_days: int
    triage_rows: int
    evaluator_rows: int
    owed: tuple[str, ...]
    """The kinds to which an answer is owed, and below those to which none is."""
    not_owed: tuple[str, ...]
    slips: tuple[Slip, ...]
    levels: tuple[Rank, ...]
    steps: int
    """The longest chain of an overdue case; 0 where none climbs."""
    escalation_days: int
    roles: tuple[str, ...]
    """Who may be asked to rate, in the order in which the rows name them first."""
    scale: tuple[str, ...]
    link_days: int
    rounds: int


def read_story(document: Document, words: Words) -> Story:
    """The story of a checked policy."""
    tree = Tree.of(document.units)
    title = words.title
    channels = {
        side: tuple(title(one.title) for one in document.channels if one.side == side)
        for side in ("outside", "inside")
    }
    kinds = document.kinds.values()
    evaluators = rows_of(document.evaluators)
    asked = [row.then for row in evaluators]
    otherwise = getattr(document.evaluators, "otherwise", None)
    if otherwise is not None:
        asked.append(otherwise)
    roles = dict.fromkeys(role for one in asked for role in one.ask)
    return Story(
        words=words,
        policy=document.policy,
        title=title(document.title),
        channels={side: names for side, names in channels.items() if names},
        repeat_days=document.repeats.days,
        triage_rows=len(rows_of(document.triage)),
        evaluator_rows=len(evaluators),
        owed=tuple(title(kind.title) for kind in kinds if kind.answer_owed),
        not_owed=tuple(title(kind.title) for kind in kinds if not kind.answer_owed),
        slips=_slips(document, words),
        levels=_levels(document, tree, words),
        steps=_longest_chain(document, tree),
        escalation_days=document.escalation.days,
        roles=tuple(words.say(f"role-{role}") for role in roles),
        scale=tuple(title(score.title) for score in document.rating.scale),
        link_days=document.rating.link_days,
        rounds=document.reopening.rounds,
    )


def rows_of(table: Any) -> Sequence[Any]:
    """The rows of a table that is written as a list, or with its hit policy as `{hit, rows}`."""
    rows: Sequence[Any] = table if isinstance(table, list | tuple) else table.rows
    return rows


def _longest_chain(document: Document, tree: Tree) -> int:
    """Of those that follow from the tree, and those of escalation's own rows, where it has some."""
    rows = getattr(document.escalation, "rows", ())
    own = (row.then.to for row in rows if row.then.to is not None)
    return max(map(len, [*tree.chains.values(), *own]))


def _slips(document: Document, words: Words) -> tuple[Slip, ...]:
    return tuple(
        Slip(
            id=colour.id,
            title=words.title(colour.title),
            tint=TINTS.get(colour.id, RANKED[min(rank, len(RANKED) - 1)]),
            reply=colour.reply,
            warn=colour.warn,
            accept=colour.accept,
        )
        for rank, colour in enumerate(document.colours)
    )


def _levels(document: Document, tree: Tree, words: Words) -> tuple[Rank, ...]:
    at = [unit.level for unit in tree.units.values()]
    return tuple(
        Rank(
            id=level.id,
            title=words.title(level.title),
            steps=tuple(words.title(document.steps[step]) for step in level.steps),
            units=at.count(level.id),
        )
        for level in document.levels
    )
