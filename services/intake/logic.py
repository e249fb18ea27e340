"""What may be recorded, and what a record is, as pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from shared.domain.aggregates import Record
from shared.domain.case import Case, Standing, State, Submission
from shared.domain.erasure import erased
from shared.domain.errors import Conflict, NotFound, Problem
from shared.domain.policy import Policy

NOTHING_COUNTED: Mapping[str, int] = MappingProxyType({})

CLOCK_SKEW = timedelta(minutes=5)
"""By how much the clock of whoever submits may be ahead of ours."""


def problems(submission: Submission, policy: Policy, now: datetime) -> list[Problem]:
    """Everything that keeps a submission from being recorded, at once; empty where nothing does."""
    return [*policy.admit(submission), *_times(submission, policy, now)]


def _times(submission: Submission, policy: Policy, now: datetime) -> Iterator[Problem]:
    recorded_at, answer = submission.recorded_at or now, submission.answer
    latest, calendar = now + CLOCK_SKEW, policy.calendar
    if recorded_at > latest:
        yield _in_the_future("recorded_at")
    elif recorded_at < calendar.begins:
        message = (
            f"The policy's calendar begins on {calendar.first}, and no deadline can be reckoned"
            " before: correct the time, or widen `calendar.years` in the policy."
        )
        yield Problem(field="recorded_at", code="before-calendar", message=message)
    if answer is not None and answer.at > latest:
        yield _in_the_future("answer.at")
    elif answer is not None and answer.at < recorded_at <= latest:
        message = (
            "The answer was given before the case was recorded: correct one of the two times."
            if submission.recorded_at
            else "The answer was given before this moment: give `recorded_at` as well."
        )
        yield Problem(field="answer.at", code="answer-before-recording", message=message)


def _in_the_future(field: str) -> Problem:
    message = "This time lies in the future: correct it, and look at the time zone and the clock."
    return Problem(field=field, code="in-the-future", message=message)


def record(
    known: Record,
    submission: Submission,
    policy: Policy,
    now: datetime,
    repeat_of: str | None,
    counts: Mapping[str, int] = NOTHING_COUNTED,
) -> Record:
    """The record of an admitted submission."""
    classified = policy.classify(submission)
    case = Case.recorded(known.case_id, submission, classified, now, repeat_of, counts)
    return known.next(case=case)


def withdraw(known: Record, reason: str, now: datetime) -> Record:
    """The record of a case that was taken back; open cases alone can be."""
    if known.case is None:
        raise NotFound.of("case_id", "unknown-case", f"{known.case_id} has not been recorded")
    state = known.standing.state
    if state is not State.OPEN:
        raise Conflict.of(
            "case_id", f"case-{state}", f"the case is {state} and cannot be withdrawn"
        )
    withdrawn = Standing(state=State.WITHDRAWN, round=known.standing.round)
    return known.next(standing=withdrawn, withdrawn_reason=reason, ended_at=now)


def settle(known: Record, standing: Standing, at: datetime) -> Record:
    """The record after the case was closed or reopened at that moment; no event of ours."""
    settled = known.standing_at(standing)
    if settled is known:
        return known
    ended_at = None if settled.standing.state is State.OPEN else at
    return settled.but(ended_at=ended_at)


def erase(known: Record, at: datetime) -> Record:
    """What is left of the record of a case that has been kept long enough."""
    return erased(known, at).next()
