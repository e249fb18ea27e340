"""The compiled policy: what the services see of the policy file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from shared.domain.aggregates import Decision, Escalation, Handling, Limits
from shared.domain.calendar import WorkingCalendar
from shared.domain.case import Case, Kind, Submission
from shared.domain.clock_rules import ClockRules, Warn
from shared.domain.errors import Problem
from shared.domain.keeping import AssessmentRule, RetentionRule
from shared.domain.notices import Addressee, Happening, Messages
from shared.domain.policy import Count, Score, Titled, Unit
from shared.domain.reviews import ReviewRules
from shared.policy.deciding.admit import Admission
from shared.policy.deciding.classify import Classifier
from shared.policy.deciding.decide import Escalations, Rules, case_rules, roles
from shared.policy.deciding.evaluators import resolve
from shared.policy.deciding.facts import CaseFacts, HandlingFacts
from shared.policy.deciding.telling import Telling
from shared.policy.deciding.tree import Tree, targets
from shared.policy.engine.durable import OnFallback
from shared.policy.schema.document import Document
from shared.policy.schema.names import CATEGORY_UNIT, STATION
from shared.policy.schema.vocabulary import ROUTING_FACTS
from shared.policy.time import clocks as sections

NOTHING_COUNTED: Mapping[str, int] = MappingProxyType({})


class CompiledPolicy:
    """One version of the policy; implements `shared.domain.policy.Policy`.

    Immutable, pure, and safe to share between threads. A policy that nobody holds any more frees
    the engine's memory by itself; `close` does it now.
    """

    def __init__(
        self,
        document: Document,
        calendar: WorkingCalendar,
        version: str,
        on_fallback: OnFallback | None = None,
    ) -> None:
        self._document = document
        self._calendar = calendar
        self._version = version
        self._tree = Tree.of(document.units)
        self._scale = _view(
            Score(
                id=score.id, title=dict(score.title), value=score.value, satisfied=score.satisfied
            )
            for score in document.rating.scale
        )
        self._levels = _view(Titled(id=part.id, title=dict(part.title)) for part in document.levels)
        self._colours = _view(
            Titled(id=part.id, title=dict(part.title)) for part in document.colours
        )
        self._limits = sections.limits(document)
        self._warnings = sections.warnings(document)
        self._clocks = sections.rules(document)
        self._admission = Admission(document, self._tree.units)
        self._classifier = Classifier(document)
        self._target_of = targets(document)
        self._handling_facts = HandlingFacts(document, self._tree.units)
        self._telling = Telling(document, self._tree.units, self._handling_facts, on_fallback)
        self._escalations = Escalations(document, self._tree, self._handling_facts, on_fallback)
        self._triage, self._routing, self._evaluators = case_rules(document, on_fallback)
        used = dict(self._triage.table.types)
        if self._routing is not None:
            used |= {
                name: kind
                for name, kind in self._routing.table.types.items()
                if name not in ROUTING_FACTS
            }
        self._case_facts = CaseFacts(document, self._tree.units, used)
        self._counts = {
            name: Count(of=part.of, days=part.days)
            for name, part in document.counts.items()
            if name in used
        }

    @property
    def name(self) -> str:
        """The policy's own name."""
        return self._document.policy

    @property
    def version(self) -> str:
        """`NAME@` and the first 12 hex digits of the file's SHA-256."""
        return self._version

    @property
    def document(self) -> Document:
        """The file's content, for whoever shows it."""
        return self._document

    @property
    def calendar(self) -> WorkingCalendar:
        """Working days and time zone."""
        return self._calendar

    @property
    def units(self) -> Mapping[str, Unit]:
        """The organisation tree, by id."""
        return self._tree.units

    @property
    def scale(self) -> Mapping[str, Score]:
        """The rating scale, by id, best first."""
        return self._scale

    @property
    def colours(self) -> Mapping[str, Titled]:
        """The colours of triage, most urgent first."""
        return self._colours

    @property
    def levels(self) -> Mapping[str, Titled]:
        """The levels of the house, from the top."""
        return self._levels

    @property
    def rating_days(self) -> int:
        """Working days for which a rating link lives."""
        return self._document.rating.link_days

    @property
    def rounds(self) -> int:
        """How often a case may go round; a dissatisfied rating of the last round closes it."""
        return self._document.reopening.rounds

    @property
    def repeat_days(self) -> int:
        """Calendar days within which the same matter counts as a repeat."""
        return self._document.repeats.days

    @property
    def clocks(self) -> ClockRules:
        """Pauses, extensions, and what becomes of the acceptance clock at a transfer."""
        return self._clocks

    @property
    def assessment(self) -> AssessmentRule | None:
        """How a year is scored; None where the policy does not say."""
        part = self._document.assessment
        return None if part is None else part.rule()

    @property
    def retention(self) -> RetentionRule | None:
        """For how long what is personal is kept; None where nothing is ever erased."""
        return self._document.retention.rule() if self._document.retention else None

    @property
    def review(self) -> ReviewRules | None:
        """Which units are reviewed each month, and by whom; None where none is."""
        return self._document.review.rules if self._document.review else None

    @property
    def fallbacks(self) -> int:
        """How often the reference interpreter had to stand in for the engine."""
        return sum(rules.engine.fallbacks for rules in self._tables())

    @property
    def conflicts(self) -> int:
        """How often rows of a `unique` or `any` table matched together that must not."""
        return sum(rules.engine.conflicts for rules in self._tables())

    @property
    def counts(self) -> Mapping[str, Count]:
        """What the rows want to have counted, by the facts' names."""
        return self._counts

    def admit(self, submission: Submission) -> Sequence[Problem]:
        """What the policy finds wrong with a submission: unknown names, missing fields."""
        return self._admission.problems(submission)

    def classify(self, submission: Submission) -> tuple[str, str | None]:
        """The category and item of a submission: as given, or found from its text."""
        return self._classifier.classify(submission)

    def triage(self, case: Case, counts: Mapping[str, int] = NOTHING_COUNTED) -> Decision:
        """Colour, unit and clock of a case; `counts` are those that the case does not carry."""
        facts = dict(self._case_facts.of(case, counts))
        decided = self._triage.one(facts)
        colour, target, routed = decided.outcome.colour, decided.outcome.unit, None
        if target is None and self._routing is not None:
            route = self._routing.one({**facts, "colour": colour})
            target, routed = route.outcome.unit, route.row
        unit = self._tree.units[self._resolve_unit(target or STATION, case)]
        owed = self._owes_answer(case.kind)
        return Decision(
            colour=colour,
            unit=unit.id,
            level=unit.level,
            answer_owed=owed,
            limits=self._limits_of(colour, unit.level) if owed else Limits(),
            table="triage",
            row=decided.row,
            routing_row=routed,
            facts=facts,
            policy_version=self._version,
        )

    def category_unit(self, category: str, item: str | None) -> str:
        """The unit that deals with an item, else with its category, else the default one."""
        by_item = self._target_of.get((category, item))
        return by_item or self._target_of.get((category, None)) or self._document.default_unit

    def evaluators(self, handling: Handling) -> Sequence[str]:
        """Who may rate the answer, the first reachable one preferred; never who handled the case.

        Each is `informant:REF`, `person:REF` or `unit:ID`.
        """
        decided = self._evaluators.all(self._handling_facts.of(handling))
        asked = roles(self._evaluators.table.hit, [named.outcome.ask for named in decided])
        return resolve(asked, handling, self._tree)

    def warnings(self, colour: str) -> Sequence[Warn]:
        """When a warning is given before the due date, numbers first, the earliest first."""
        return self._warnings.get(colour, ())

    def escalation(self, handling: Handling) -> Escalation:
        """The pace and the chain by which the case climbs once it is overdue."""
        return self._escalations.of(handling)

    @property
    def messages(self) -> Messages:
        """How messages to people outside the ledger look, and when they go out."""
        return self._telling.messages

    def addressees(self, happening: Happening) -> Sequence[Addressee]:
        """Who is told of what happened: by every row that matches, each address once."""
        return self._telling.addressees(happening)

    def mailboxes(self, unit: str) -> Sequence[str]:
        """The mail addresses of a unit; none where it has none."""
        return self._telling.mailboxes(unit)

    def close(self) -> None:
        """Free the engine's memory now; later decisions come from the reference interpreter."""
        for rules in self._tables():
            rules.engine.close()

    def _tables(self) -> Iterator[Rules[Any]]:
        tables = (
            self._triage,
            self._routing,
            self._evaluators,
            self._escalations.rules,
            self._telling.rules,
        )
        yield from (rules for rules in tables if rules is not None)

    def _limits_of(self, colour: str, level: str) -> Limits:
        return self._limits.get((colour, level)) or self._limits[colour, None]

    def _owes_answer(self, kind: Kind) -> bool:
        part = self._document.kinds.get(kind)
        # A kind that a later version dropped: rather an answer too many than one too few.
        return True if part is None else part.answer_owed

    def _resolve_unit(self, target: str, case: Case) -> str:
        if target == STATION:
            station = self._tree.units.get(case.station or "")
            return station.id if station else self._document.default_unit
        if target == CATEGORY_UNIT:
            return self.category_unit(case.category, case.item)
        return target


def _view(things: Any) -> Mapping[str, Any]:
    return MappingProxyType({thing.id: thing for thing in things})
