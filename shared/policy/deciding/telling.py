"""Who is told of what happened: the notification table, and roles resolved to addresses. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from shared.domain.aggregates import Handling
from shared.domain.notices import Addressee, Happening, Messages, Quiet, Way
from shared.domain.policy import Unit
from shared.policy.deciding.decide import Rules
from shared.policy.deciding.facts import HandlingFacts
from shared.policy.deciding.rows import notification_table
from shared.policy.engine.durable import OnFallback
from shared.policy.engine.table import Facts
from shared.policy.schema.document import Document
from shared.policy.schema.notify import ContactPart, MessagesPart, Told, wall_time

_STAFF = re.compile(r"(?=.{1,64}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
"""Staff numbers and accounts that can stand in an address; others are not told."""

_NONE = ContactPart()


class Telling:
    """The sections `contacts`, `messages` and `notifications` of one policy.

    All rows that match count, so that the order of rows does not matter.
    """

    def __init__(
        self,
        document: Document,
        units: Mapping[str, Unit],
        facts: HandlingFacts,
        on_fallback: OnFallback | None = None,
    ) -> None:
        self._units = units
        self._facts = facts
        self._contacts = document.contacts
        table = notification_table(document)
        self.rules: Rules[Told] | None = None
        if table is not None:
            outcomes = [row.then for row in document.notifications.rows]
            self.rules = Rules(table, outcomes, None, on_fallback)
        self.messages = _messages(document.messages)

    def addressees(self, happening: Happening) -> Sequence[Addressee]:
        """By every row that matches, each address once, told as what the first row says."""
        found: dict[tuple[Way, str], Addressee] = {}
        decided = self.rules.all(self._facts_of(happening)) if self.rules else ()
        for each in decided:
            for role in each.outcome.tell:
                for way in each.outcome.by:
                    for unit, to in self._addresses(role, way, happening.handling):
                        one = Addressee(way=way, to=to, role=role, unit=unit, row=each.row)
                        found.setdefault((way, to), one)
        return list(found.values())

    def mailboxes(self, unit: str) -> Sequence[str]:
        """The mail addresses of a unit; none where it has none."""
        own = self._contacts.units.get(unit, _NONE).mail
        if own or self._contacts.unit_mail is None or unit not in self._units:
            return own
        return (self._contacts.unit_mail.replace("{unit}", unit),)

    def _facts_of(self, happening: Happening) -> Facts:
        return {
            **self._facts.of(happening.handling),
            "event": happening.event,
            "clock": happening.clock,
            "round": happening.handling.standing.round,
            "step": happening.step,
            "days-left": happening.days_left,
        }

    def _addresses(self, role: str, way: Way, handling: Handling) -> Iterator[tuple[str, str]]:
        """Unit and address of everybody in a role; the unit is empty for a person."""
        if role == "recorder":
            template, person = self._contacts.staff_mail, handling.recorder or ""
            if way is Way.MAIL and template is not None and _STAFF.fullmatch(person):
                yield "", template.replace("{person}", person)
            return
        for unit in self._units_of(role, handling):
            own = self._contacts.units.get(unit, _NONE).webhook
            for to in own if way is Way.WEBHOOK else self.mailboxes(unit):
                yield unit, to

    def _units_of(self, role: str, handling: Handling) -> Sequence[str]:
        if role == "supervisors":
            return handling.supervisors
        if role == "station":
            return (handling.station,) if handling.station else ()
        if role == "unit":
            return (handling.unit,)
        unit = self._units.get(handling.unit)
        return (unit.parent,) if unit is not None and unit.parent else ()


def _messages(part: MessagesPart) -> Messages:
    quiet = part.quiet
    return Messages(
        languages=part.languages,
        shows_subject=part.show == "subject",
        quiet=None
        if quiet is None
        else Quiet(
            start=wall_time(quiet.start),
            end=wall_time(quiet.until),
            days_off=quiet.days_off,
            exempt=frozenset(quiet.except_),
        ),
        digest_at=None if part.digest is None else wall_time(part.digest.at),
    )
