"""What must be true of the section about the monthly review beyond its shape."""

from __future__ import annotations

from shared.domain.clock_rules import entitled
from shared.policy.checks.draft import Draft
from shared.policy.deciding.tree import Tree

SHOWN = 5
"""Units that a message names."""


def check_review(draft: Draft) -> None:
    """Report units that nobody could review: none signs for itself, and the top has no parent."""
    if not draft.has("review", "units") or draft["review"] is None:
        return
    rules = draft["review"].rules
    units = [each for each in Tree.of(draft["units"]).units.values() if each.level in rules.levels]
    alone = [
        unit.id for unit in units if not set(entitled(rules.by, unit.id, unit.parent)) - {unit.id}
    ]
    if alone:
        more = ", …" if len(alone) > SHOWN else ""
        names = ", ".join(f"`{name}`" for name in alone[:SHOWN]) + more
        message = f"Nobody could sign the review of {names}: name a unit besides, or other levels."
        draft.report(("review", "by"), "nobody", message)
