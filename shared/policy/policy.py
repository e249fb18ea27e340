"""The compiled policy: what the services see of the policy file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from shared.domain.aggregates import Decision, Handling, Limits
from shared.domain.calendar import WorkingCalendar
from shared.domain.case import Case, Kind, Submission
from shared.domain.errors import Problem
from shared.domain.notices import Addressee, Happening, Messages
from shared.domain.policy import Score, Titled, Unit
from shared.policy.admit import Admission
from shared.policy.classify import Classifier
from shared.policy.engine import DurableEngine, OnFallback
from shared.policy.evaluators import resolve
from shared.policy.facts import CaseFacts, HandlingFacts
from shared.policy.names import CATEGORY_UNIT, STATION
from shared.policy.rows import evaluator_table, triage_table
from shared.policy.schema_notify import Document
from shared.policy.telling import Telling
from shared.policy.tree import Tree


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
        self._limits = {
            part.id: Limits(accept=part.accept, reply=part.reply) for part in document.colours
        }
        self._warnings = {
            part.id: tuple(sorted(set(part.warn), reverse=True)) for part in document.colours
        }
        self._admission = Admission(document, self._tree.units)
        self._classifier = Classifier(document)
        self._target_of = _targets(document)
        triage = triage_table(document)
        self._case_facts = CaseFacts(document, self._tree.units, triage.types)
        self._handling_facts = HandlingFacts(document, self._tree.units)
        self._telling = Telling(document, self._tree.units, self._handling_facts)
        self._triage = DurableEngine(triage, on_fallback)
        self._evaluators = DurableEngine(evaluator_table(document), on_fallback)

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
    def escalation_days(self) -> int:
        """Working days between two steps of the escalation, and from the breach to the first."""
        return self._document.escalation.days

    @property
    def fallbacks(self) -> int:
        """How often the reference interpreter had to stand in for the engine."""
        return self._triage.fallbacks + self._evaluators.fallbacks

    def admit(self, submission: Submission) -> Sequence[Problem]:
        """What the policy finds wrong with a submission: unknown names, missing fields."""
        return self._admission.problems(submission)

    def classify(self, submission: Submission) -> tuple[str, str | None]:
        """The category and item of a submission: as given, or found from its text."""
        return self._classifier.classify(submission)

    def triage(self, case: Case) -> Decision:
        """Colour, unit and clock of a case."""
        facts = self._case_facts.of(case)
        index = self._triage.first(facts)
        # The last row matches everything, or the file would not have been taken.
        row = self._document.triage[-1 if index is None else index]
        unit = self._tree.units[self._resolve_unit(row.then.unit, case)]
        owed = self._owes_answer(case.kind)
        return Decision(
            colour=row.then.colour,
            unit=unit.id,
            level=unit.level,
            answer_owed=owed,
            limits=self._limits[row.then.colour] if owed else Limits(),
            table="triage",
            row=row.name,
            facts=dict(facts),
            policy_version=self._version,
        )

    def evaluators(self, handling: Handling) -> Sequence[str]:
        """Who may rate the answer, the first reachable one preferred; never who handled the case.

        Each is `informant:REF`, `person:REF` or `unit:ID`.
        """
        index = self._evaluators.first(self._handling_facts.of(handling))
        if index is None:
            return []
        return resolve(self._document.evaluators[index].then.ask, handling, self._tree)

    def warnings(self, colour: str) -> Sequence[int]:
        """Working days before the due date at which a warning is given, the earliest first."""
        return self._warnings.get(colour, ())

    def escalation(self, unit: str) -> Sequence[str]:
        """The units above `unit` to which an overdue case goes, step by step."""
        return self._tree.chains.get(unit, ())

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
        self._triage.close()
        self._evaluators.close()

    def _owes_answer(self, kind: Kind) -> bool:
        part = self._document.kinds.get(kind)
        # A kind that a later version dropped: rather an answer too many than one too few.
        return True if part is None else part.answer_owed

    def _resolve_unit(self, target: str, case: Case) -> str:
        if target == STATION:
            station = self._tree.units.get(case.station or "")
            return station.id if station else self._document.default_unit
        if target == CATEGORY_UNIT:
            by_item = self._target_of.get((case.category, case.item))
            by_category = self._target_of.get((case.category, None))
            return by_item or by_category or self._document.default_unit
        return target


def _view(things: Any) -> Mapping[str, Any]:
    return MappingProxyType({thing.id: thing for thing in things})


def _targets(document: Document) -> dict[tuple[str, str | None], str]:
    """The unit of each category, and of each item that has one of its own."""
    targets: dict[tuple[str, str | None], str] = {}
    for category in document.categories:
        if category.unit is not None:
            targets[category.id, None] = category.unit
        for item in category.items:
            if item.unit is not None:
                targets[category.id, item.id] = item.unit
    return targets
