"""From a case, or its handling, to the facts that rows are matched against. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.domain.aggregates import Handling
from shared.domain.case import Case, Scalar
from shared.domain.policy import Unit
from shared.policy.engine.keywords import KeywordIndex, fold
from shared.policy.engine.table import Facts, FactType
from shared.policy.schema.document import Document
from shared.policy.schema.rules import MentionPart


class CaseFacts:
    """Derives those facts of a case that the triage table uses."""

    def __init__(
        self, document: Document, units: Mapping[str, Unit], used: Mapping[str, FactType]
    ) -> None:
        self._units = units
        self._sides = {channel.id: channel.side for channel in document.channels}
        self._used = tuple(used)
        self._counts = [name for name in document.counts if name in used]
        self._attributes = {name: used[name] for name in document.attributes if name in used}
        self._mentions = {
            name: _Mention(mention) for name, mention in document.mentions.items() if name in used
        }
        self._index = KeywordIndex(
            keyword for mention in self._mentions.values() for keyword in mention.keywords
        )

    def of(self, case: Case, counts: Mapping[str, int]) -> Facts:
        """The facts of a case; those that it lacks are None.

        `counts` are those that the case itself does not carry, by their names.
        """
        station = self._units.get(case.station or "")
        person = case.informant
        known: dict[str, Scalar | None] = {
            "kind": case.kind.value,
            "channel": case.channel,
            "side": self._sides.get(case.channel),
            "category": case.category,
            "item": case.item,
            "source": case.source,
            "station": case.station,
            "station-level": station.level if station else None,
            "campaign": case.campaign,
            "place": case.place,
            "informant-known": bool(person.ref or person.name or person.contact),
            "repeat": case.repeat_of is not None,
        }
        for name, kind in self._attributes.items():
            known[name] = kind.read(case.attributes.get(name))
        for name in self._counts:
            known[name] = counts.get(name, case.counts.get(name))
        if self._mentions:
            in_subject, anywhere = self._index.in_case(case.subject, case.text)
            for name, mention in self._mentions.items():
                known[name] = mention.made_by(in_subject if mention.in_subject else anywhere)
        return {name: known[name] for name in self._used}


class _Mention:
    """Enough of these words stand in a text."""

    def __init__(self, part: MentionPart) -> None:
        self.keywords = frozenset(map(fold, part.keywords))
        self.in_subject = part.within == "subject"
        self._at_least = part.at_least

    def made_by(self, hits: Iterable[str]) -> bool:
        return len(self.keywords.intersection(hits)) >= self._at_least


class HandlingFacts:
    """Derives the facts of an answered case for the evaluator mapping."""

    def __init__(self, document: Document, units: Mapping[str, Unit]) -> None:
        self._units = units
        self._sides = {channel.id: channel.side for channel in document.channels}

    def of(self, handling: Handling) -> Facts:
        """The facts of a handling; those that it lacks are None."""
        station = self._units.get(handling.station or "")
        return {
            "level": handling.level or None,
            "unit": handling.unit or None,
            "kind": handling.kind.value,
            "channel": handling.channel or None,
            "side": self._sides.get(handling.channel),
            "colour": handling.colour or None,
            "station": handling.station,
            "station-level": station.level if station else None,
        }
