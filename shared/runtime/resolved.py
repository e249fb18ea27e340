"""What the journal tells of messages that lay aside, for the audit.

A message that was discarded said something that is in no books of its service, nor is what would
have followed in the books of others. So the books differ about its case from then on, by somebody's
recorded decision: the audit shows that, and does not call it a loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared.runtime.audit import Findings

EXPLAINED = frozenset({"missing", "standing", "behind", "journal"})
"""The codes of differences that a message which had no effect can make."""

Resolved = tuple[str, str, str]
"""A service, the type of the event that tells of it, and the case, or empty."""


@dataclass(frozen=True)
class Resolutions:
    """How often messages went their way once more, and which were given up."""

    replayed: dict[str, int]
    """By service."""
    discarded: dict[str, int]
    """By service."""
    cases: dict[str, set[str]]
    """By case: the services at which a message about it was given up."""

    @classmethod
    def of(cls, told: Iterable[Resolved]) -> Resolutions:
        """From what the journal holds."""
        replayed, discarded = dict[str, int](), dict[str, int]()
        cases = dict[str, set[str]]()
        for service, kind, case_id in told:
            counts = discarded if kind == "message.discarded" else replayed
            counts[service] = counts.get(service, 0) + 1
            if case_id and counts is discarded:
                cases.setdefault(case_id, set()).add(service)
        return cls(replayed, discarded, cases)


def split(findings: Findings, resolutions: Resolutions) -> tuple[Findings, Findings]:
    """The differences that nobody has decided on, and those that a discarded message explains."""
    explained = {
        key: one
        for key, one in findings.found.items()
        if one.code in EXPLAINED and one.case_id in resolutions.cases
    }
    rest = {key: one for key, one in findings.found.items() if key not in explained}
    return (
        replace(findings, number=findings.number - len(explained), found=rest),
        replace(findings, number=len(explained), found=explained),
    )
