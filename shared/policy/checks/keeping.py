"""What must be true of the section about erasure beyond its shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.policy.checks.draft import Draft
from shared.policy.schema.names import suggest
from shared.policy.source import Path


def check_retention(draft: Draft) -> None:
    """Report kinds that the house does not take in, and times that forget before they compare."""
    if not draft.has("retention") or draft["retention"] is None:
        return
    part = draft["retention"]
    if draft.has("kinds"):
        known = draft["kinds"]
        for kind in part.kinds:
            if kind not in known:
                message = f"There is no kind `{kind}` here: {suggest(kind, known)}"
                draft.report(("retention", "kinds", kind), "unknown-kind", message)
    times: list[tuple[Path, Any]] = [(("retention", "days"), part.days)]
    times += [(("retention", "kinds", kind), days) for kind, days in part.kinds.items()]
    for path, days in times:
        for needed, why in _needed(draft):
            if days != "never" and days < needed:
                message = (
                    f"{days} days are too short: {why} looks back {needed} days, to cases that"
                    f" would be erased. Give {needed} or more, or shorten that."
                )
                draft.report(path, "too-short", message)


def _needed(draft: Draft) -> Iterator[tuple[int, str]]:
    """For how many days cases are compared with later ones, and where the policy says so."""
    if draft.has("repeats"):
        yield draft["repeats"].days, "`repeats.days`"
    if draft.has("counts"):
        for name, count in draft["counts"].items():
            if count.days is not None:
                yield count.days, f"`counts.{name}`"
