"""The policy as the services see it; `shared.policy` makes one from the policy file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.domain.aggregates import Decision, Handling
from shared.domain.calendar import WorkingCalendar
from shared.domain.case import Case, Submission
from shared.domain.errors import Problem
from shared.domain.model import Value
from shared.domain.notices import Addressee, Happening, Messages


class Titled(Value):
    """A thing of the house with its titles by language, `zh` and `en`."""

    id: str
    title: Mapping[str, str]


class Unit(Titled):
    """A unit in the organisation tree."""

    level: str
    parent: str | None = None


class Score(Titled):
    """A step of the rating scale; `value` is higher the better."""

    value: int
    satisfied: bool


class Policy(Protocol):
    """The rules of the house at one version; immutable, pure, safe to share between threads."""

    @property
    def name(self) -> str:
        """The policy's own name."""

    @property
    def version(self) -> str:
        """`NAME@` and the first 12 hex digits of the file's SHA-256."""

    @property
    def calendar(self) -> WorkingCalendar:
        """Working days and time zone."""

    @property
    def units(self) -> Mapping[str, Unit]:
        """The organisation tree, by id."""

    @property
    def scale(self) -> Mapping[str, Score]:
        """The rating scale, by id, best first."""

    @property
    def colours(self) -> Mapping[str, Titled]:
        """The colours of triage, most urgent first."""

    @property
    def levels(self) -> Mapping[str, Titled]:
        """The levels of the house, from the top."""

    @property
    def rating_days(self) -> int:
        """Working days for which a rating link lives."""

    @property
    def rounds(self) -> int:
        """How often a case may go round; a dissatisfied rating of the last round closes it."""

    @property
    def repeat_days(self) -> int:
        """Calendar days within which the same matter counts as a repeat."""

    def admit(self, submission: Submission) -> Sequence[Problem]:
        """What the policy finds wrong with a submission: unknown names, missing fields."""

    def classify(self, submission: Submission) -> tuple[str, str | None]:
        """The category and item of a submission: as given, or found from its text."""

    def triage(self, case: Case) -> Decision:
        """Colour, unit and clock of a case."""

    def evaluators(self, handling: Handling) -> Sequence[str]:
        """Who may rate the answer, the first reachable one preferred; never who handled the case.

        Each is `informant:REF`, `person:REF` or `unit:ID`.
        """

    def warnings(self, colour: str) -> Sequence[int]:
        """Working days before the due date at which a warning is given, the earliest first."""

    def escalation(self, unit: str) -> Sequence[str]:
        """The units above `unit` to which an overdue case goes, step by step."""

    @property
    def escalation_days(self) -> int:
        """Working days between two steps of the escalation, and from the breach to the first."""

    @property
    def messages(self) -> Messages:
        """How messages to people outside the ledger look, and when they go out."""

    def addressees(self, happening: Happening) -> Sequence[Addressee]:
        """Who is told of what happened: by every row that matches, each address once."""

    def mailboxes(self, unit: str) -> Sequence[str]:
        """The mail addresses of a unit; none where it has none."""
