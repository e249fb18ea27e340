"""What the picture tells of a policy, in the reader's language: read once, drawn afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.policy.bpmn.spans import Span
from shared.policy.bpmn.words import Words
from shared.policy.deciding.tree import Tree
from shared.policy.engine.table import Hit
from shared.policy.schema.clocks import ColourPart, LimitsPart
from shared.policy.schema.document import Document

TINTS = {
    "red": "#d6453d", "orange": "#e08a1e", "yellow": "#d9b310", "green": "#3f9b5f",
    "blue": "#3a78b5", "purple": "#8357a8", "grey": "#7b8794", "white": "#c9d1d9",
    "black": "#30363d",
}  # fmt: skip
"""Colours of CSS for a policy's colours that are named like one."""

RANKED = ("#d6453d", "#e08a1e", "#d9b310", "#3f9b5f", "#3a78b5", "#8357a8")
"""For other names, by urgency."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long there is to answer, and to accept."""

    reply: Span
    accept: Span | None


@dataclass(frozen=True, slots=True)
class Slip:
    """A colour and its clocks."""

    id: str
    title: str
    tint: str
    limits: Limits
    warn: tuple[int | str, ...]
    """So many of the limit's unit before its end, or a share such as `50%`; the earliest first."""
    levels: Mapping[str, Limits]
    """By the ids of the levels that have limits of their own."""

    def at(self, level: str) -> Limits:
        """The limits for cases that go to a unit of this level."""
        return self.levels.get(level, self.limits)


@dataclass(frozen=True, slots=True)
class Rank:
    """A level of the house."""

    id: str
    title: str
    steps: tuple[str, ...]
    units: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """How an overdue case climbs."""

    steps: int
    """The longest chain; 0 where none climbs."""
    first: Span
    """From the breach to the first step, where no row says otherwise."""
    firsts: tuple[Span, ...]
    """The same and those of the rows, the shortest first."""
    paces: tuple[Span, ...]
    """Between two steps: the general pace and those of the rows, the quickest first."""
    repeat: bool
    rows: int


@dataclass(frozen=True, slots=True)
class Pause:
    """A reason for which the clocks may stand still."""

    id: str
    title: str
    by: tuple[str, ...]
    longest: Span


@dataclass(frozen=True, slots=True)
class Extensions:
    """How a unit gets more time."""

    most: int
    longest: Span
    asked_by: tuple[str, ...]
    decided_by: tuple[str, ...]


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
    ladder: Ladder
    pauses: tuple[Pause, ...]
    extensions: Extensions | None
    """None where nobody gets more time."""
    anew: bool
    """Whether the acceptance clock starts anew at a transfer."""
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
    asked = [row.then for row in document.evaluators.rows]
    if document.evaluators.otherwise is not None:
        asked.append(document.evaluators.otherwise)
    roles = dict.fromkeys(role for one in asked for role in one.ask)
    return Story(
        words=words,
        policy=document.policy,
        title=title(document.title),
        channels={side: names for side, names in channels.items() if names},
        repeat_days=document.repeats.days,
        triage_rows=len(document.triage.rows),
        evaluator_rows=len(document.evaluators.rows),
        owed=tuple(title(kind.title) for kind in kinds if kind.answer_owed),
        not_owed=tuple(title(kind.title) for kind in kinds if not kind.answer_owed),
        slips=_slips(document, words),
        levels=_levels(document, tree, words),
        ladder=_ladder(document, tree),
        pauses=tuple(
            Pause(
                id=reason,
                title=title(part.title),
                by=_who(part.by, tree, words),
                longest=Span.of(part.max_days),
            )
            for reason, part in document.pauses.items()
        ),
        extensions=_extensions(document, tree, words),
        anew=document.acceptance.at_transfer == "anew",
        roles=tuple(words.say(f"role-{role}") for role in roles),
        scale=tuple(title(score.title) for score in document.rating.scale),
        link_days=document.rating.link_days,
        rounds=document.reopening.rounds,
    )


def _ladder(document: Document, tree: Tree) -> Ladder:
    part = document.escalation
    days = {part.days, *(row.then.days for row in part.rows if row.then.days is not None)}
    paces = tuple(map(Span.of, sorted(days)))
    return Ladder(
        steps=_longest_chain(document, tree),
        first=Span.of(part.first or part.days),
        firsts=paces if part.first is None else (Span.of(part.first),),
        paces=paces,
        repeat=part.repeat,
        rows=len(part.rows),
    )


def _longest_chain(document: Document, tree: Tree) -> int:
    """Of those that follow from the tree, and those of escalation's own rows, where it has some."""
    own = [row.then.to for row in document.escalation.rows if row.then.to is not None]
    if document.escalation.hit in {Hit.RULE_ORDER, Hit.COLLECT}:  # all that match are told
        own = [tuple({unit for chain in own for unit in chain})]
    return max(map(len, [*tree.chains.values(), *own]))


def _who(whos: Iterable[str], tree: Tree, words: Words) -> tuple[str, ...]:
    titles = {name: unit.title for name, unit in tree.units.items()}
    return tuple(
        titles[who][words.language] if who in titles else words.say(f"who-{who}") for who in whos
    )


def _extensions(document: Document, tree: Tree, words: Words) -> Extensions | None:
    part = document.extensions
    if part is None:
        return None
    return Extensions(
        most=part.most,
        longest=Span.of(part.max_days),
        asked_by=_who(part.asked_by, tree, words),
        decided_by=_who(part.decided_by, tree, words),
    )


def _slips(document: Document, words: Words) -> tuple[Slip, ...]:
    return tuple(
        Slip(
            id=colour.id,
            title=words.title(colour.title),
            tint=TINTS.get(colour.id, RANKED[min(rank, len(RANKED) - 1)]),
            limits=_limits(colour, colour),
            warn=_in_order(colour),
            levels={level: _limits(part, colour) for level, part in colour.levels.items()},
        )
        for rank, colour in enumerate(document.colours)
    )


def _limits(part: ColourPart | LimitsPart, colour: ColourPart) -> Limits:
    accept = part.accept or colour.accept
    return Limits(
        reply=Span.of(part.reply or colour.reply),
        accept=None if accept is None else Span.of(accept),
    )


def _in_order(colour: ColourPart) -> tuple[int | str, ...]:
    """The warnings for which some limit leaves time, the earliest first."""
    replies = [colour.reply, *(part.reply or colour.reply for part in colour.levels.values())]
    limits = list(map(Span.of, replies))
    passed: dict[int | str, int] = {}
    for warn in colour.warn:
        given = [span.minutes for limit in limits if (span := limit.passed(warn)) is not None]
        if given:
            passed[warn] = given[0]
    return tuple(sorted(passed, key=lambda warn: passed[warn]))


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
