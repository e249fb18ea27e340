"""A case that nobody recorded: what a submission would become, and who would have handled it.

Explanations, scenarios and counter-examples speak of such cases. They are written as submissions
are, with a few things besides that other services would add.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from shared.domain.aggregates import Actor, Decision, Handling
from shared.domain.case import Case, Name, Submission
from shared.domain.policy import Policy

SUBJECT = "—"
"""A subject in which no keyword stands."""


class Hypothetical(Submission):
    """A submission, with what the house would add to it."""

    source: Name = "example"
    external_id: Name = "example-1"
    subject: Annotated[Name, Field(max_length=500)] = SUBJECT
    repeat_of: Name | None = None
    """The earlier case of which it is a repeat; given, the fact `repeat` is true."""
    counts: dict[Name, int] = Field(default_factory=dict)
    """What would have been counted, by the facts' names."""
    answered_by: Actor | None = None
    """Who answers, where it is not the unit to which the case is routed."""

    @property
    def submission(self) -> Submission:
        """What a channel would hand in."""
        return Submission.model_validate(self.model_dump(include=set(Submission.model_fields)))


def case_of(given: Hypothetical, policy: Policy, now: datetime | None = None) -> Case:
    """The case that intake would record; `now` stands in for a moment that is not given."""
    moment = given.recorded_at or now or datetime.now(UTC)
    classified = policy.classify(given.submission)
    return Case.recorded("example", given, classified, moment, given.repeat_of, given.counts)


def handling_of(
    case: Case, decision: Decision, policy: Policy, answered_by: Actor | None = None
) -> Handling:
    """The handling of a case at the moment of its answer."""
    by = answered_by or Actor(unit=decision.unit)
    unit = policy.units.get(by.unit)
    return Handling(
        case_id=case.id,
        kind=case.kind,
        channel=case.channel,
        colour=decision.colour,
        unit=by.unit,
        level=unit.level if unit else decision.level,
        assignee=by.person,
        answer_owed=decision.answer_owed,
        limits=decision.limits,
        recorder=case.recorder,
        station=case.station,
        informant_ref=case.informant.ref,
        informant_reachable=case.informant.contact is not None,
        subject=case.subject,
        replied_by=by,
        policy_version=decision.policy_version,
    )


def given_only(given: Hypothetical) -> Mapping[str, object]:
    """The case as it was written, for people and for `--case`."""
    return given.model_dump(mode="json", exclude_defaults=True)
