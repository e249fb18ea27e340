"""How many cases came before with the same words, or from the same informant: the policy's counts.

Moments are kept only of what the policy counts, so a count begins when a policy that wants it does.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from services.intake.repeats import WORDLESS
from shared.domain.case import Case, Submission
from shared.domain.ids import digest
from shared.domain.model import Instant, Value
from shared.domain.policy import Count

KEPT = 200
"""Moments remembered of one matter or informant, the newest: counts end there."""


class Sightings(Value):
    """When cases came that have something in common."""

    key: str
    """A digest: it tells nobody what was said, or by whom."""
    moments: tuple[Instant, ...] = ()
    """In the order of time."""


def keys_of(submission: Submission, counts: Mapping[str, Count]) -> dict[str, str]:
    """The sightings that each of intake's counts goes by; none where nothing can be told apart."""
    found = {name: _key(submission, count.of) for name, count in counts.items()}
    return {name: key for name, key in found.items() if key is not None}


def all_keys_of(case: Case) -> list[str]:
    """Every key by which the case can have been counted, by this policy or an earlier one."""
    keys = (_key(case, of) for of in ("same-matter", "same-informant"))
    return [key for key in keys if key is not None]


def _key(submission: Submission | Case, of: str) -> str | None:
    if of == "same-matter":
        words = submission.matter
        return None if words == WORDLESS else digest(f"matter\n{words}")
    person = submission.informant
    if of != "same-informant" or not (person.ref or person.contact):
        return None
    # A number means something within its source alone; whoever has none is known by the contact.
    whom = f"{submission.source}\n{person.ref}" if person.ref else f"{person.contact}"
    return digest(f"informant\n{whom}")


def earlier(known: Sightings, at: datetime, days: int) -> int:
    """How many came within so many calendar days before `at`, or at that very moment."""
    first = bisect_left(known.moments, at - timedelta(days=days))
    return bisect_right(known.moments, at) - first


def enter(known: Sightings, at: datetime) -> Sightings:
    """The sightings with one more; the oldest of too many is forgotten."""
    moments = list(known.moments)
    insort(moments, at)
    return known.but(moments=tuple(moments[-KEPT:]))


def tally(
    known: Mapping[str, Sightings], counts: Mapping[str, Count], at: datetime
) -> dict[str, int]:
    """The counts for a case recorded at `at`, from the sightings by the counts' names."""
    return {name: earlier(seen, at, counts[name].days or 0) for name, seen in known.items()}


def entered(known: Iterable[Sightings], at: datetime) -> list[Sightings]:
    """All these sightings, each once, with the case entered."""
    return [enter(seen, at) for seen in {seen.key: seen for seen in known}.values()]


def without(known: Sightings, at: datetime) -> Sightings:
    """The sightings without one that was made at `at`."""
    moments = list(known.moments)
    if at in moments:
        moments.remove(at)
    return known.but(moments=tuple(moments))
