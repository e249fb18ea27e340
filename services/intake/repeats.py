"""When a case repeats an earlier one: the same words, within the days that the policy gives."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.domain.ids import fingerprint
from shared.domain.model import Instant, Value

WORDLESS = fingerprint("")
"""Of a text that holds nothing but punctuation: no two of those are known to mean the same."""


class Run(Value):
    """Cases of the same words, each within the days of the one before."""

    case_id: str
    """The earliest case, of which the others are repeats."""
    first_at: Instant
    last_at: Instant


class Matter(Value):
    """All cases of the same words, as runs in the order of time."""

    fingerprint: str
    runs: tuple[Run, ...] = ()


def enter(known: Matter, case_id: str, at: datetime, days: int) -> tuple[Matter, str | None]:
    """The matter with a case that was recorded at `at`, and the case that it repeats, if any.

    `days` are calendar days between a case and its repeat. Registers may come in out of order: a
    case older than its run's first becomes the first, and what has been recorded stays as it is.
    """
    if known.fingerprint == WORDLESS:
        return known, None
    window = timedelta(days=days)
    repeat_of = None
    runs = list(known.runs)
    for place, run in enumerate(runs):
        if run.first_at <= at <= run.last_at + window:
            repeat_of = run.case_id
            runs[place] = run.but(last_at=max(run.last_at, at))
            break
        if run.first_at - window <= at < run.first_at:
            runs[place] = run.but(case_id=case_id, first_at=at)
            break
    else:
        runs.append(Run(case_id=case_id, first_at=at, last_at=at))
        runs.sort(key=lambda run: run.first_at)
    return known.but(runs=tuple(runs)), repeat_of


def without(known: Matter, at: datetime) -> Matter:
    """The matter without the run of which a case recorded at `at` was the last.

    A run goes on as long as later cases of the same words are kept.
    """
    runs = tuple(run for run in known.runs if not run.first_at <= at == run.last_at)
    return known if runs == known.runs else known.but(runs=runs)
