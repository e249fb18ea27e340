"""The policy as the services see it; `shared.policy` makes one from the policy file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Protocol

from shared.domain.aggregates import Decision, Escalation, Handling
from shared.domain.calendar import WorkingCalendar
from shared.domain.case import Case, Submission
from shared.domain.clock_rules import ClockRules, Warn
from shared.domain.errors import Problem
from shared.domain.keeping import AssessmentRule, RetentionRule
from shared.domain.model import Instant, Value
from shared.domain.notices import Addressee, Happening, Messages
from shared.domain.reviews import ReviewRules


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


class Count(Value):
    """What a fact of the policy counts among the cases."""

    of: str
    """`same-matter`, `same-informant` or `open-cases-of-unit`."""
    days: int | None = None
    """Calendar days before the recording; None where the present counts."""


class PolicyVersion(Value):
    """One version of the house's policy, as it was applied; it never changes."""

    number: int
    """From 1, one more for each that is applied; the same content may be applied again."""
    version: str
    """As `Policy.version`, by which decisions name it."""
    checksum: str
    """SHA-256 of the content in UTF-8, in hex digits."""
    content: str
    by: str
    """Who applied it."""
    note: str = ""
    at: Instant
    effective_at: Instant
    """From when on every service decides by it: a little later, so that all have heard of it."""

    @property
    def key(self) -> str:
        """Its number, so written that keys sort as numbers do."""
        return key_of(self.number)


def key_of(number: int) -> str:
    """The key of the version with this number."""
    return f"{number:08d}"


def checksum(content: str) -> str:
    """The SHA-256 of a policy file's content, in hex digits."""
    return sha256(content.encode()).hexdigest()


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

    @property
    def counts(self) -> Mapping[str, Count]:
        """What the rows want to have counted, by the facts' names."""

    def triage(self, case: Case, counts: Mapping[str, int] = ...) -> Decision:
        """Colour, unit and clock of a case; `counts` are those that the case does not carry."""

    def category_unit(self, category: str, item: str | None) -> str:
        """The unit that deals with an item, else with its category, else the default one."""

    def evaluators(self, handling: Handling) -> Sequence[str]:
        """Who may rate the answer, the first reachable one preferred; never who handled the case.

        Each is `informant:REF`, `person:REF` or `unit:ID`.
        """

    def warnings(self, colour: str) -> Sequence[Warn]:
        """When a warning is given before the due date, numbers first, the earliest first."""

    def escalation(self, handling: Handling) -> Escalation:
        """The pace and the chain by which the case climbs once it is overdue."""

    @property
    def clocks(self) -> ClockRules:
        """Pauses, extensions, and what becomes of the acceptance clock at a transfer."""

    @property
    def assessment(self) -> AssessmentRule | None:
        """How a year is scored; None where the policy does not say."""

    @property
    def retention(self) -> RetentionRule | None:
        """For how long what is personal is kept; None where nothing is ever erased."""

    @property
    def review(self) -> ReviewRules | None:
        """Which units are reviewed each month, and by whom; None where none is."""

    @property
    def messages(self) -> Messages:
        """How messages to people outside the ledger look, and when they go out."""

    def addressees(self, happening: Happening) -> Sequence[Addressee]:
        """Who is told of what happened: by every row that matches, each address once."""

    def mailboxes(self, unit: str) -> Sequence[str]:
        """The mail addresses of a unit; none where it has none."""
