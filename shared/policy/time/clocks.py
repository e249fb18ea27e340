"""What the policy file says about clocks, in the words of the services."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.aggregates import Limits
from shared.domain.clock_rules import (
    ClockRules,
    ExtensionRule,
    PauseRule,
    Share,
    Warn,
)
from shared.policy.schema.clocks import ColourPart, HoursPart, LimitsPart
from shared.policy.schema.document import Document

ByLevel = Mapping[tuple[str, str | None], Limits]
"""Limits by colour and level; by colour and None for the levels without limits of their own."""


def limits(document: Document) -> ByLevel:
    """The limits of each colour, and of each level that has its own."""
    found: dict[tuple[str, str | None], Limits] = {}
    for colour in document.colours:
        found[colour.id, None] = _limits(colour, colour)
        for level, part in colour.levels.items():
            found[colour.id, level] = _limits(part, colour)
    return found


def warnings(document: Document) -> Mapping[str, tuple[Warn, ...]]:
    """When each colour warns: days before the due date, the earliest first, then shares."""
    return {colour.id: _warnings(colour) for colour in document.colours}


def rules(document: Document) -> ClockRules:
    """Pauses, extensions, and what becomes of the acceptance clock at a transfer."""
    more = document.extensions
    return ClockRules(
        pauses={
            reason: PauseRule(title=dict(part.title), by=part.by, max_days=part.max_days)
            for reason, part in document.pauses.items()
        },
        extension=None
        if more is None
        else ExtensionRule(
            most=more.most,
            max_days=more.max_days,
            asked_by=more.asked_by,
            decided_by=more.decided_by,
        ),
        at_transfer=document.acceptance.at_transfer,
    )


def _limits(part: LimitsPart | ColourPart, colour: ColourPart) -> Limits:
    reply, accept = part.reply or colour.reply, part.accept or colour.accept
    return Limits(
        accept=None if isinstance(accept, HoursPart) else accept,
        reply=None if isinstance(reply, HoursPart) else reply,
        accept_hours=accept.hours if isinstance(accept, HoursPart) else None,
        reply_hours=reply.hours if isinstance(reply, HoursPart) else None,
        rating=part.rating or colour.rating,
    )


def _warnings(colour: ColourPart) -> tuple[Warn, ...]:
    numbers = {warn for warn in colour.warn if isinstance(warn, int)}
    shares = {int(warn.rstrip("%")) for warn in colour.warn if isinstance(warn, str)}
    return (*sorted(numbers, reverse=True), *map(Share, sorted(shares)))
