"""A small house without a policy file: few rules, each of which a test can change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from shared.domain.aggregates import (
    Actor,
    Decision,
    Escalation,
    Handling,
    HandlingState,
    Limits,
    Record,
)
from shared.domain.calendar import WorkingCalendar
from shared.domain.case import Case, Kind, Standing, State, Submission
from shared.domain.clock_rules import (
    ClockRules,
    ExtensionRule,
    PauseRule,
    Warn,
)
from shared.domain.errors import Problem
from shared.domain.events import CaseReplied, CaseRouted, CaseWithdrawn
from shared.domain.keeping import AssessmentRule, Measure, RetentionRule
from shared.domain.notices import Addressee, Happening, Messages
from shared.domain.policy import Count, Policy, PolicyVersion, Score, Titled, Unit
from shared.domain.reviews import ReviewRules

ZONE = ZoneInfo("Asia/Shanghai")
NOTHING_COUNTED: Mapping[str, int] = MappingProxyType({})


def at(text: str) -> datetime:
    """A moment by the clock on the wall of the house, such as `2026-03-02 09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def weekdays(first: date, last: date) -> WorkingCalendar:
    """Monday to Friday, without holidays, known for certain until the end of 2026."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    working = [day for day in days if day.weekday() < 5]
    return WorkingCalendar.of(working, ZONE, published_until=date(2026, 12, 31))


CALENDAR = weekdays(date(2012, 1, 1), date(2029, 12, 31))


def _titled(*things: str) -> dict[str, Titled]:
    return {each: Titled(id=each, title={"zh": each, "en": each.title()}) for each in things}


def _unit(name: str, level: str, parent: str | None = None) -> Unit:
    return Unit(id=name, title={"zh": name, "en": name}, level=level, parent=parent)


def _score(name: str, chinese: str, value: int, *, satisfied: bool) -> Score:
    title = {"zh": chinese, "en": name.replace("-", " ").capitalize()}
    return Score(id=name, title=title, value=value, satisfied=satisfied)


@dataclass(frozen=True)
class SmallPolicy:
    """Implements `shared.domain.policy.Policy`: a leader, two departments, two stations."""

    name: str = "small"
    version: str = "small@000000000000"
    calendar: WorkingCalendar = CALENDAR
    rating_days: int = 10
    rounds: int = 2
    repeat_days: int = 30
    clocks: ClockRules = ClockRules(  # noqa: RUF009 - frozen
        pauses={
            "waiting-for-informant": PauseRule({"zh": "等待", "en": "Waiting"}, max_days=10),
            "planned-outage": PauseRule({"zh": "停电", "en": "Outage"}, ("parent",), 5),
        },
        extension=ExtensionRule(most=2, max_days=10),
    )
    warn: Mapping[str, Sequence[Warn]] = field(
        default_factory=lambda: {"red": (2, 1), "yellow": (5,)}
    )
    limits: Mapping[str, int] = field(default_factory=lambda: {"red": 5, "yellow": 20})
    chains: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: {
            "north-station": ("north", "leaders"),
            "south-station": ("south", "leaders"),
            "north": ("leaders",),
            "south": ("leaders",),
        }
    )
    pace: Escalation = Escalation(first=2, days=2)  # noqa: RUF009 - frozen
    counts: Mapping[str, Count] = field(default_factory=dict)
    review: ReviewRules | None = None
    retention: RetentionRule | None = None
    messages: Messages = field(default_factory=Messages)
    assessment: AssessmentRule | None = AssessmentRule(  # noqa: RUF009 - frozen
        weights={Measure.ON_TIME: 60, Measure.SATISFACTION: 40}, at_least=2
    )
    tells: Mapping[str, Sequence[Addressee]] = field(default_factory=dict)
    """By event: who is told."""
    asks: Sequence[str] | None = None
    """Who rates; left out, the informant where there is one, else the recorder."""
    colours: Mapping[str, Titled] = field(default_factory=lambda: _titled("red", "yellow"))
    levels: Mapping[str, Titled] = field(
        default_factory=lambda: _titled("leaders", "departments", "branches")
    )
    units: Mapping[str, Unit] = field(
        default_factory=lambda: {
            unit.id: unit
            for unit in (
                _unit("leaders", "leaders"),
                _unit("north", "departments", "leaders"),
                _unit("south", "departments", "leaders"),
                _unit("north-station", "branches", "north"),
                _unit("south-station", "branches", "south"),
            )
        }
    )
    scale: Mapping[str, Score] = field(
        default_factory=lambda: {
            score.id: score
            for score in (
                _score("very-satisfied", "非常满意", 4, satisfied=True),
                _score("satisfied", "满意", 3, satisfied=True),
                _score("dissatisfied", "不满意", 1, satisfied=False),
            )
        }
    )

    def admit(self, submission: Submission) -> Sequence[Problem]:
        """All but what comes from nowhere is admitted."""
        if submission.channel != "nowhere":
            return ()
        return [Problem(field="channel", code="unknown-channel", message="Name another channel.")]

    def classify(self, submission: Submission) -> tuple[str, str | None]:
        """As given, or general."""
        return submission.category or "general", submission.item

    def triage(self, case: Case, counts: Mapping[str, int] = NOTHING_COUNTED) -> Decision:
        """Red where the text says so; to the station that recorded it; information ends there."""
        colour = "red" if "urgent" in case.text else "yellow"
        unit = self.units[case.station or "north-station"]
        owed = case.kind is not Kind.INFORMATION
        return Decision(
            colour=colour,
            unit=unit.id,
            level=unit.level,
            answer_owed=owed,
            limits=Limits(reply=self.limits[colour]) if owed else Limits(),
            table="triage",
            row=colour,
            facts={**case.counts, **counts},
            policy_version=self.version,
        )

    def category_unit(self, category: str, item: str | None) -> str:
        """The southern department has the bills, the northern one all else."""
        return "south" if "bills" in (category, item) else "north"

    def evaluators(self, handling: Handling) -> Sequence[str]:
        """As the test says; a real policy would leave out whoever handled the case."""
        if self.asks is not None:
            return self.asks
        if handling.informant_ref:
            return [f"informant:{handling.informant_ref}"]
        return [f"person:{handling.recorder}"] if handling.recorder else []

    def warnings(self, colour: str) -> Sequence[Warn]:
        """By colour."""
        return self.warn.get(colour, ())

    def escalation(self, handling: Handling) -> Escalation:
        """By unit, at one pace."""
        chain = self.chains.get(handling.unit, ())
        others = tuple(unit for unit in chain if unit != handling.unit)
        return self.pace.but(units=others)

    def addressees(self, happening: Happening) -> Sequence[Addressee]:
        """By event."""
        return self.tells.get(happening.event, ())

    def mailboxes(self, unit: str) -> Sequence[str]:
        """One for each unit."""
        return (f"{unit}@house.example.org",)


@dataclass(frozen=True)
class Unchanging:
    """Holds one policy for ever, where a `PolicyHolder` would watch its file."""

    current: Policy

    path: None = None
    known: int = 0

    def at(self, _now: datetime) -> Policy:
        """Always the same."""
        return self.current

    def take(self, _stored: PolicyVersion) -> bool:
        """Nothing is taken over."""
        return False


def routed(case_id: str = "case-1", **changes: object) -> Handling:
    """A red case that lies with the northern station since Monday, 2 March 2026, 9:00."""
    start = at("2026-03-02 09:00")
    handling = Handling(
        case_id=case_id,
        version=1,
        state=HandlingState.ROUTED,
        kind=Kind.PROBLEM,
        channel="hotline",
        colour="red",
        unit="north-station",
        level="branches",
        limits=Limits(reply=5),
        recorder="recorder",
        station="north-station",
        informant_ref="informant",
        informant_reachable=True,
        subject="No light in the stairs",
        received_at=start,
        started_at=start,
        policy_version="small@000000000000",
    )
    return handling.but(**changes)


def replied(
    known: Handling, when: datetime, unit: str | None = None, person: str = "clerk"
) -> Handling:
    """The handling after its unit, or another one, has answered."""
    return known.next(
        state=HandlingState.REPLIED,
        replied_at=when,
        replied_by=Actor(unit=unit or known.unit, person=person),
    )


def routing(handling: Handling) -> CaseRouted:
    """What the router tells when it has routed the case so."""
    decision = Decision(
        colour=handling.colour,
        unit=handling.unit,
        level=handling.level,
        answer_owed=handling.answer_owed,
        limits=handling.limits,
        table="triage",
        row=handling.colour,
        policy_version=handling.policy_version,
    )
    return CaseRouted(case_id=handling.case_id, handling=handling, decision=decision)


def answering(handling: Handling, reply: str = "The lamp is mended.") -> CaseReplied:
    """What the router tells when the case has been answered so."""
    assert handling.replied_by is not None
    assert handling.replied_at is not None
    return CaseReplied(
        case_id=handling.case_id,
        handling=handling,
        reply=reply,
        by=handling.replied_by,
        at=handling.replied_at,
    )


def withdrawing(case_id: str, when: datetime, round_: int = 1) -> CaseWithdrawn:
    """What intake tells when the case has been taken back."""
    standing = Standing(state=State.WITHDRAWN, round=round_)
    record = Record(case_id=case_id, version=2, standing=standing)
    return CaseWithdrawn(case_id=case_id, record=record, reason="settled", at=when)
