"""A replay on all processors: lines of JSON in, what came of them out, added up in their order.

Light to import: every process that helps imports it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from services.intake import logic
from shared.domain.aggregates import Record
from shared.domain.case import Case, Submission
from shared.domain.policy import Policy
from shared.policy import CompiledPolicy, parse_policy
from shared.policy.trying.replay import Past, Replay, replay

CHUNK = 1000
"""Cases that a process takes at a time."""

_FIELDS = tuple(Submission.model_fields)


@dataclass(frozen=True)
class Policies:
    """The two policies as content, for whoever compiles them; and the moment of the replay."""

    baseline: bytes
    candidate: bytes
    now: datetime

    def compiled(self) -> tuple[CompiledPolicy, CompiledPolicy]:
        """Both, ready to decide; raises `PolicyError`."""
        return (
            parse_policy("baseline", self.baseline),
            parse_policy("candidate", self.candidate),
        )


def replay_lines(
    lines: Iterable[str],
    policies: Policies,
    tell: Callable[[int], None] = lambda _: None,
    processes: int | None = None,
) -> Replay:
    """Replay all cases; `tell` hears how many are done.

    Each line is a case of the ledger's past, `{"event": …, "dossier": …}`, or of a file,
    `{"submission": …, "repeat_of": …}`.
    """
    rest = iter(lines)
    found = Replay()
    first = list(islice(rest, 2 * CHUNK))
    helpers = processes or os.cpu_count() or 1
    if len(first) < 2 * CHUNK or helpers == 1:
        pair = policies.compiled()
        for chunk in _chunks(first, rest):
            found.merge(_replayed(chunk, pair, policies.now))
            tell(found.cases)
        return found
    # a process that was forked would share the engine's memory and the locks around it
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(helpers, context, _begin, (policies,)) as pool:
        waiting: deque[Future[Replay]] = deque()
        for chunk in _chunks(first, rest):
            waiting.append(pool.submit(_help, chunk))
            if len(waiting) > 2 * helpers:
                found.merge(waiting.popleft().result())
                tell(found.cases)
        while waiting:
            found.merge(waiting.popleft().result())
            tell(found.cases)
    return found


_helping: tuple[tuple[CompiledPolicy, CompiledPolicy], datetime] | None = None


def _begin(policies: Policies) -> None:
    global _helping  # noqa: PLW0603 - what a process of the pool knows for all its chunks
    _helping = (policies.compiled(), policies.now)


def _help(chunk: Sequence[str]) -> Replay:
    assert _helping is not None
    return _replayed(chunk, *_helping)


def _replayed(
    chunk: Sequence[str], pair: tuple[CompiledPolicy, CompiledPolicy], now: datetime
) -> Replay:
    return replay((past_of(json.loads(line), pair, now) for line in chunk), *pair, now)


def _chunks(first: Sequence[str], rest: Iterator[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(first), CHUNK):
        yield first[start : start + CHUNK]
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def past_of(line: dict[str, Any], policies: tuple[Policy, Policy], now: datetime) -> Past:
    """A case of the past, as it was recorded, or as each of the policies would record it."""
    if "event" in line:
        case = Case.from_plain(line["event"]["record"]["case"])
        dossier = line["dossier"]
        answers = [part["replied_at"] for part in dossier["rounds"] if part["number"] == 1]
        answered = answers[0] if answers else None
        return Past(
            before=case,
            after=case,
            submission=Submission.model_construct(
                **{name: getattr(case, name) for name in _FIELDS}
            ),
            replied_at=datetime.fromisoformat(answered) if answered else None,
            withdrawn=dossier["standing"]["state"] == "withdrawn",
        )
    submission = Submission.model_validate(line["submission"])
    known = Record(case_id=line["id"])
    before, after = (
        logic.record(known, submission, policy, now, line["repeat_of"]).case for policy in policies
    )
    assert before is not None
    assert after is not None
    answer = submission.answer
    return Past(before, after, submission, answer.at if answer else None)
