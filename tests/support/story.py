"""A case told by its four owners: each act adds the events that they would send."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from shared.domain.aggregates import (
    Actor,
    Clocks,
    Decision,
    Handling,
    HandlingState,
    Judgement,
    JudgementState,
    Limits,
    Rating,
    Record,
)
from shared.domain.case import Case, Kind, Standing, State
from shared.domain.events import (
    CaseClosed,
    CaseOverdue,
    CaseRecorded,
    CaseReopened,
    CaseReplied,
    CaseRouted,
    CaseTransferred,
    CaseWithdrawn,
    DeadlineSet,
    EvaluationLapsed,
    EvaluationReceived,
    EvaluationRequested,
    Event,
)
from shared.domain.ids import case_id
from tests.support.house import at

MONDAY = at("2026-03-02 09:00")
DUE = at("2026-03-09 23:59")
POLICY = "small@000000000000"


class Story:
    """What is told of one case, event by event, in the order in which it happened."""

    def __init__(self, name: str = "case", **case: object) -> None:
        facts = {
            "source": "tests",
            "external_id": name,
            "channel": "hotline",
            "kind": Kind.PROBLEM,
            "category": "power",
            "item": "outage",
            "subject": f"No light in the stairs ({name})",
            "text": "Since the storm.",
            "recorded_at": MONDAY,
            "received_at": MONDAY,
            "recorder": "recorder",
            "station": "north-station",
            **case,
        }
        self.id = case_id("tests", name)
        self.case = Case.from_plain({"id": self.id, **facts})
        self.record = Record(case_id=self.id)
        self.handling = Handling(case_id=self.id)
        self.clocks = Clocks(case_id=self.id)
        self.judgement = Judgement(case_id=self.id)
        self.events: list[Event] = []

    def recorded(self) -> Self:
        """Intake records it."""
        self.record = self.record.next(case=self.case)
        return self._tell(CaseRecorded(case_id=self.id, record=self.record))

    def withdrawn(self) -> Self:
        """Whoever raised it takes it back."""
        standing = Standing(state=State.WITHDRAWN, round=self.record.standing.round)
        self.record = self.record.next(withdrawn_reason="solved", standing=standing)
        withdrawn = CaseWithdrawn(case_id=self.id, record=self.record, reason="solved", at=MONDAY)
        return self._tell(withdrawn)

    def routed(
        self, colour: str = "red", unit: str = "north-station", *, owed: bool = True
    ) -> Self:
        """The router gives it to a unit, in the first or a further round."""
        self.handling = self.handling.next(
            state=HandlingState.ROUTED if owed else HandlingState.NOTED,
            colour=colour,
            unit=unit,
            level="branches",
            answer_owed=owed,
            replied_at=None,
            policy_version=POLICY,
            standing=self.handling.standing.join(self.judgement.standing),
        )
        decision = Decision(
            colour=colour,
            unit=unit,
            level="branches",
            answer_owed=owed,
            limits=Limits(),
            table="triage",
            row="any",
            policy_version=POLICY,
        )
        return self._tell(CaseRouted(case_id=self.id, handling=self.handling, decision=decision))

    def transferred(self, unit: str) -> Self:
        """It moves to another unit."""
        by, before = Actor(unit=self.handling.unit), self.handling.unit
        self.handling = self.handling.next(unit=unit)
        return self._tell(
            CaseTransferred(
                case_id=self.id,
                handling=self.handling,
                by=by,
                reason="theirs",
                from_unit=before,
                at=MONDAY,
            )
        )

    def due(self, due: datetime = DUE) -> Self:
        """The deadline service reckons its due date."""
        self.clocks = self.clocks.next(due_at=due, standing=self.handling.standing)
        return self._tell(DeadlineSet(case_id=self.id, clocks=self.clocks))

    def overdue(self) -> Self:
        """The due date passes."""
        self.clocks = self.clocks.next()
        return self._tell(CaseOverdue(case_id=self.id, clocks=self.clocks))

    def replied(self, when: datetime) -> Self:
        """The unit answers."""
        by = Actor(unit=self.handling.unit)
        self.handling = self.handling.next(
            state=HandlingState.REPLIED, replied_at=when, replied_by=by
        )
        told = CaseReplied(case_id=self.id, handling=self.handling, reply="Mended.", by=by, at=when)
        return self._tell(told)

    def asked(self, link: str = "https://ledger.example/rate/secret") -> Self:
        """Somebody is asked to rate the answer."""
        self.judgement = self.judgement.next(
            state=JudgementState.ASKED,
            evaluator="informant:1",
            asked_at=self.handling.replied_at,
            level=self.handling.level,
            unit=self.handling.unit,
        )
        return self._tell(EvaluationRequested(case_id=self.id, judgement=self.judgement, link=link))

    def rated(self, *, satisfied: bool) -> Self:
        """The answer is rated."""
        assert self.judgement.asked_at is not None
        rating = Rating(
            score="satisfied" if satisfied else "dissatisfied",
            value=3 if satisfied else 1,
            satisfied=satisfied,
            by="informant:1",
            at=self.judgement.asked_at + timedelta(hours=1),
        )
        self.judgement = self.judgement.next(state=JudgementState.RATED, rating=rating)
        return self._tell(
            EvaluationReceived(case_id=self.id, judgement=self.judgement, rating=rating)
        )

    def lapsed(self) -> Self:
        """Nobody rates the answer in time."""
        self.judgement = self.judgement.next(state=JudgementState.LAPSED)
        return self._tell(EvaluationLapsed(case_id=self.id, judgement=self.judgement))

    def reopened(self) -> Self:
        """It goes round again."""
        standing = Standing(state=State.OPEN, round=self.judgement.standing.round + 1)
        self.judgement = self.judgement.next(
            state=JudgementState.NONE,
            standing=standing,
            evaluator=None,
            asked_at=None,
            rating=None,
        )
        return self._tell(
            CaseReopened(case_id=self.id, judgement=self.judgement, reason="bad", at=MONDAY)
        )

    def closed(self, reason: str = "satisfied") -> Self:
        """The loop is closed."""
        standing = Standing(state=State.CLOSED, round=self.judgement.standing.round)
        self.judgement = self.judgement.next(standing=standing)
        return self._tell(
            CaseClosed(case_id=self.id, judgement=self.judgement, reason=reason, at=MONDAY)
        )

    def _tell(self, event: Event) -> Self:
        self.events.append(event)
        return self


def two_rounds(name: str = "case") -> Story:
    """A case with everything: transferred, answered late, reopened, answered in time, lapsed."""
    return (
        Story(name)
        .recorded()
        .routed()
        .due()
        .transferred("south-station")
        .overdue()
        .replied(DUE + timedelta(days=1))
        .asked()
        .rated(satisfied=False)
        .reopened()
        .routed(unit="south-station")
        .due(DUE + timedelta(days=30))
        .replied(DUE + timedelta(days=20))
        .asked()
        .lapsed()
        .closed("lapsed")
    )
