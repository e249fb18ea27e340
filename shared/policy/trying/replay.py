"""What another policy would have decided: two policies over the same cases, pure.

A case is decided anew by both, so that what people did afterwards (transfers, extensions) stays
out of the comparison; what is taken from the past is the case itself and when it was answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.domain.case import Case, Submission
from shared.domain.errors import ConfigurationError
from shared.domain.policy import Policy
from shared.policy.explaining.hypothetical import handling_of

ASPECTS = ("admission", "colour", "unit", "deadline", "evaluator")
"""In what two outcomes can differ."""

EXAMPLES = 5
"""Cases that are named for each kind of change."""

ADMITTED = "admitted"
NOBODY = "nobody"
NOT_OWED = "no answer owed"


@dataclass(frozen=True, slots=True)
class Past:
    """A case of the past, as each of the two policies takes it in, and when it was answered."""

    before: Case
    after: Case
    submission: Submission
    replied_at: datetime | None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy makes of a case."""

    admission: str
    """`admitted`, or what the policy would refuse in its submission."""
    colour: str
    unit: str
    due: datetime | None
    deadline: str
    """In words: the working days allowed, or why there is no due date."""
    evaluator: str
    """Who would be asked first to rate the answer."""
    category: str
    row: str

    def differs(self, other: Outcome) -> list[str]:
        """The aspects in which two outcomes differ."""
        changed = {
            "admission": self.admission != other.admission,
            "colour": self.colour != other.colour,
            "unit": self.unit != other.unit,
            "deadline": (self.due, self.deadline) != (other.due, other.deadline),
            "evaluator": self.evaluator != other.evaluator,
        }
        return [aspect for aspect in ASPECTS if changed[aspect]]

    def shown(self) -> dict[str, str | None]:
        """The outcome for a report."""
        due = self.due.isoformat() if self.due else None
        names = ("admission", "colour", "unit", "deadline", "evaluator", "category", "row")
        return {**{name: getattr(self, name) for name in names}, "due": due}


@dataclass
class Kept:
    """Cases of one policy, colour or unit, and how their promises were kept."""

    cases: int = 0
    on_time: int = 0
    late: int = 0
    overdue: int = 0
    """Not answered, and the due date has passed."""

    @property
    def rate(self) -> float | None:
        """on_time ÷ (on_time + late + overdue), as the house reckons it."""
        owed = self.on_time + self.late + self.overdue
        return self.on_time / owed if owed else None

    def add(self, due: datetime | None, replied_at: datetime | None, now: datetime) -> None:
        """One more case."""
        self.cases += 1
        if due is None:
            return
        if replied_at is not None:
            self.on_time += replied_at <= due
            self.late += replied_at > due
        else:
            self.overdue += due < now

    def merge(self, other: Kept) -> None:
        """Add up."""
        for name in ("cases", "on_time", "late", "overdue"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass
class Side:
    """All cases under one of the two policies."""

    all: Kept = field(default_factory=Kept)
    colours: dict[str, Kept] = field(default_factory=dict)
    units: dict[str, Kept] = field(default_factory=dict)

    def merge(self, other: Side) -> None:
        """Add up."""
        self.all.merge(other.all)
        for mine, theirs in ((self.colours, other.colours), (self.units, other.units)):
            for name, kept in theirs.items():
                mine.setdefault(name, Kept()).merge(kept)


@dataclass
class Replay:
    """What came of it; parts of it add up."""

    cases: int = 0
    before: Side = field(default_factory=Side)
    after: Side = field(default_factory=Side)
    changed: list[dict[str, Any]] = field(default_factory=list)
    """Every case whose outcome differs, in the order of the cases."""
    groups: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """How many cases changed in an aspect from what to what."""
    examples: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)

    def merge(self, later: Replay) -> None:
        """Add what came of the cases that follow."""
        self.cases += later.cases
        self.before.merge(later.before)
        self.after.merge(later.after)
        self.changed += later.changed
        self.groups += later.groups
        for group, names in later.examples.items():
            known = self.examples.setdefault(group, [])
            known += names[: EXAMPLES - len(known)]


def replay(past: Iterable[Past], baseline: Policy, candidate: Policy, now: datetime) -> Replay:
    """Decide every case by both policies."""
    found = Replay()
    for each in past:
        before = outcome(baseline, each.before, each.submission)
        after = outcome(candidate, each.after, each.submission)
        found.cases += 1
        _count(found.before, before, each, now)
        _count(found.after, after, each, now)
        aspects = before.differs(after)
        if aspects:
            _note(found, each.before, aspects, before, after)
    return found


def outcome(policy: Policy, case: Case, submission: Submission) -> Outcome:
    """What the policy would do with the case, from its submission to whom it asks."""
    problems = policy.admit(submission)
    decision = policy.triage(case)
    due, deadline = None, NOT_OWED
    limit = decision.limits.reply
    if decision.answer_owed and limit is not None:
        deadline = f"{limit} working days"
        try:
            due = policy.calendar.due(case.recorded_at, limit)
        except ConfigurationError:
            deadline = f"{limit} working days, outside the calendar"
    handling = handling_of(case, decision, policy)
    asked = policy.evaluators(handling) if decision.answer_owed else ()
    return Outcome(
        admission=", ".join(f"{one.field} {one.code}" for one in problems) or ADMITTED,
        colour=decision.colour,
        unit=decision.unit,
        due=due,
        deadline=deadline,
        evaluator=asked[0] if asked else NOBODY,
        category=case.category,
        row=decision.row,
    )


def _count(side: Side, found: Outcome, each: Past, now: datetime) -> None:
    for kept in (
        side.all,
        side.colours.setdefault(found.colour, Kept()),
        side.units.setdefault(found.unit, Kept()),
    ):
        # nobody owes anything for a case that was taken back
        kept.add(None if each.withdrawn else found.due, each.replied_at, now)


def _note(found: Replay, case: Case, aspects: list[str], before: Outcome, after: Outcome) -> None:
    found.changed.append(
        {
            "id": case.id,
            "source": case.source,
            "external_id": case.external_id,
            "changed": aspects,
            "before": before.shown(),
            "after": after.shown(),
        }
    )
    for aspect in aspects:
        group = (aspect, _word(before, aspect), _word(after, aspect))
        found.groups[group] += 1
        examples = found.examples.setdefault(group, [])
        if len(examples) < EXAMPLES:
            examples.append(case.external_id)


def _word(found: Outcome, aspect: str) -> str:
    """An aspect's value, so that alike changes are alike: people and days are left out."""
    value: str = getattr(found, aspect)
    if aspect == "evaluator" and not value.startswith("unit:"):
        return value.partition(":")[0]
    return value


def as_json(found: Replay, head: Mapping[str, Any]) -> dict[str, Any]:
    """Everything for programs."""
    return {
        **head,
        "cases": found.cases,
        "changed": len(found.changed),
        "groups": [
            {
                "aspect": aspect,
                "before": before,
                "after": after,
                "cases": number,
                "examples": found.examples[aspect, before, after],
            }
            for (aspect, before, after), number in groups_of(found)
        ],
        "on_time": {"before": _kept(found.before.all), "after": _kept(found.after.all)},
        "colours": _sides(found.before.colours, found.after.colours),
        "units": _sides(found.before.units, found.after.units),
        "cases_changed": found.changed,
    }


def groups_of(found: Replay) -> list[tuple[tuple[str, str, str], int]]:
    """The kinds of change by aspect, the most frequent first."""
    return sorted(
        found.groups.items(), key=lambda pair: (ASPECTS.index(pair[0][0]), -pair[1], pair[0])
    )


def _sides(before: Mapping[str, Kept], after: Mapping[str, Kept]) -> dict[str, dict[str, Any]]:
    names = sorted({*before, *after})
    return {
        name: {
            "before": _kept(before.get(name, Kept())),
            "after": _kept(after.get(name, Kept())),
        }
        for name in names
    }


def _kept(kept: Kept) -> dict[str, Any]:
    return {**vars(kept), "rate": kept.rate}
