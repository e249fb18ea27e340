"""A candidate policy beside the one in force: what it would have decided, and nothing else.

It decides from the journal, some moments later: so it is never in the way of a live decision. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel

from shared.domain.aggregates import Decision
from shared.domain.case import Case
from shared.domain.model import Instant, Value
from shared.domain.policy import Policy

KEPT = 10_000
"""Differences of a candidate that are kept; beyond that they are counted."""

Outcome = Literal["same", "different", "failed"]


class Shadow(Value):
    """A candidate, since when it decides, and what came of it so far."""

    name: str = "shadow"
    id: str
    """Of this period: the same candidate may be tried again."""
    version: str
    content: str
    by: str
    since: Instant
    until: Instant | None = None
    """When it was stopped; None while it decides."""
    seq: int
    """The journal's entry up to which it has decided."""
    same: int = 0
    different: int = 0
    failed: int = 0


class Difference(Value):
    """A case that the candidate would have decided otherwise."""

    case_id: str
    at: Instant
    changed: tuple[str, ...]
    live_version: str
    live_row: str
    row: str
    live: tuple[str, ...]
    """What was decided, in the order of `changed`."""
    candidate: tuple[str, ...]


class Change(BaseModel):
    """How often the candidate changed one thing to another."""

    what: str
    live: str
    candidate: str
    cases: int


class ShadowReport(BaseModel):
    """What a candidate has done so far."""

    version: str | None
    """Null where there has never been one."""
    by: str | None = None
    since: Instant | None = None
    until: Instant | None = None
    same: int = 0
    different: int = 0
    failed: int = 0
    changes: list[Change] = []
    """By what changed, the most frequent first; of the differences that are kept."""
    differences: list[Difference] = []
    """The newest first."""


def compare(
    case: Case, live: Decision, at: Instant, candidate: Policy
) -> tuple[Outcome, Difference | None]:
    """What the candidate makes of a case that was decided; whatever it does wrong is counted."""
    try:
        other = candidate.triage(case)
    except Exception:  # noqa: BLE001 - a candidate may fail in any way, and nobody is harmed
        return "failed", None
    before, after = _words(live), _words(other)
    changed = tuple(name for name in before if before[name] != after[name])
    if not changed:
        return "same", None
    return "different", Difference(
        case_id=case.id,
        at=at,
        changed=changed,
        live_version=live.policy_version,
        live_row=live.row,
        row=other.row,
        live=tuple(before[name] for name in changed),
        candidate=tuple(after[name] for name in changed),
    )


def changes(differences: Iterable[Difference]) -> list[Change]:
    """The differences by kind."""
    kinds = Counter(
        kind
        for each in differences
        for kind in zip(each.changed, each.live, each.candidate, strict=True)
    )
    return [
        Change(what=what, live=live, candidate=candidate, cases=number)
        for (what, live, candidate), number in kinds.most_common()
    ]


def _words(decision: Decision) -> dict[str, str]:
    limit = decision.limits.reply
    owed = decision.answer_owed and limit is not None
    return {
        "colour": decision.colour,
        "unit": decision.unit,
        "deadline": f"{limit} working days" if owed else "no answer owed",
    }
