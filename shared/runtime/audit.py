"""The audit: do the books of all services tell the same story, and is the journal complete?

Pure and streaming: it is fed with what each service holds, sorted by case id, and keeps one case
in memory at a time. What is compared:

- every service knows the same cases and where each stands, so that recorded = open + closed +
  withdrawn holds everywhere with the same numbers;
- the ledger has seen the newest version of each aggregate that its owner wrote;
- the journal holds the versions 1 to n of each aggregate, each once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from shared.domain.case import Standing, State
from shared.domain.errors import ConfigurationError

OWNERS = {
    "record": "intake",
    "handling": "router",
    "clocks": "deadline",
    "judgement": "evaluation",
}
"""Which service numbers the versions of which aggregate."""

LEDGER = "ledger"

KEPT = 10_000
"""Differences kept; beyond that they are counted."""

STILL = 10.0
"""Seconds without any change after which the books count as settled."""

PAUSE = 0.5
"""Seconds between two looks."""

ADVICE = {
    "missing": "The event that would make the case known was not delivered or is parked: see that"
    " the service runs (`/readyz`), look at what it parked, and audit again.",
    "standing": "A close, reopening or withdrawal has not reached the service: see that it runs,"
    " look at `concentric parked list`, and audit again.",
    "state": "A row was written by something else than Concentric, or by a newer release.",
    "behind": "Events have not reached the ledger: see that it runs, look at what it parked, and"
    " audit again.",
    "ahead": "The owner lost what it had told others: restore its database from a backup that is"
    " as recent as the others'.",
    "journal": "Entries were removed or added behind Concentric's back, or lie parked: look at"
    " what the ledger parked, verify the chain, compare with a backup.",
}
"""What to do next, by the code of a difference."""

Line = tuple[str, int, str, int]
"""Case id, version, state, round: a line of a service's books."""

Seen = tuple[str, int, int, int, int]
"""Case id and the newest versions that the ledger has seen, in the order of `OWNERS`."""

Held = tuple[str, str, int, int]
"""Case id, aggregate, how many entries the journal holds of it, and the newest version."""


@dataclass
class Count:
    """Cases in one service's books."""

    recorded: int = 0
    open: int = 0
    closed: int = 0
    withdrawn: int = 0

    def add(self, state: str) -> None:
        """One more case; a state that is none of ours is in no other figure than `recorded`."""
        self.recorded += 1
        if state in _STATES:
            setattr(self, state, getattr(self, state) + 1)


@dataclass(frozen=True)
class Difference:
    """Something that one service's books say otherwise than another's."""

    case_id: str
    service: str
    """Whose books have to be mended."""
    code: str
    """A word of `ADVICE`."""
    about: str
    """The aggregate, or empty."""
    message: str

    @property
    def key(self) -> tuple[str, ...]:
        """What makes it the same difference in two looks."""
        return (self.case_id, self.service, self.code, self.about)


@dataclass(frozen=True)
class Findings:
    """What one look at all books found."""

    counts: Mapping[str, Count]
    number: int
    """Differences, in all."""
    found: Mapping[tuple[str, ...], Difference] = field(default_factory=dict)
    """The first `KEPT` of them, by their keys."""

    def lasting(self, before: Findings) -> Findings:
        """Without what an earlier look did not find: that is on its way, or has arrived since."""
        if max(self.number, before.number) > KEPT:
            return self
        found = {key: value for key, value in self.found.items() if key in before.found}
        return replace(self, number=len(found), found=found)


@dataclass(frozen=True)
class Waiting:
    """Messages that have not had their effect."""

    outbox: int
    """Not yet confirmed by the bus."""
    parked: int
    """Put aside, because they cannot be handled: what they say is not in the books."""


@dataclass(frozen=True)
class Journal:
    """What a walk along the journal's chain found."""

    entries: int
    head: str
    breaks: int
    found: Sequence[str]
    """The first breaks, in words."""


@dataclass(frozen=True)
class Audit:
    """Everything that an audit found."""

    findings: Findings
    waiting: Mapping[str, Waiting]
    journal: Journal

    @property
    def passed(self) -> bool:
        """Whether the books are right: an outbox alone is no fault, its messages will be sent."""
        parked = any(each.parked for each in self.waiting.values())
        return not (self.findings.number or parked or self.journal.breaks)


def compare(
    books: Mapping[str, Iterable[Line]], seen: Iterable[Seen], held: Iterable[Held]
) -> Findings:
    """Compare everything, case by case; each stream sorted by case id.

    Raises `ConfigurationError` where one is not.
    """
    counts = {service: Count() for service in books}
    streams = [
        *(_tagged(service, lines) for service, lines in books.items()),
        _tagged(_SEEN, seen),
        _tagged(_HELD, held),
    ]
    number, found = 0, dict[tuple[str, ...], Difference]()
    for case_id, rows in groupby(merge(*streams, key=itemgetter(0)), key=itemgetter(0)):
        case = _gather(rows, counts)
        for difference in _differences(case_id, case, counts):
            number += 1
            if len(found) < KEPT:
                found[difference.key] = difference
    return Findings(counts, number, found)


def settled(
    look: Callable[[], Findings],
    *,
    wait: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    sending: Callable[[], bool] = lambda: False,
) -> Findings:
    """Look again while there are differences, for `wait` seconds at the most.

    Events on their way make differences that the next look no longer finds, so only those count
    that every look finds. The books have settled when nothing has changed for `STILL` seconds and
    nobody is `sending`: a relay that found the broker away tries again only after a pause.
    """
    changed = began = clock()
    latest = lasting = look()
    while lasting.number and clock() - began < wait and (clock() - changed < STILL or sending()):
        sleep(PAUSE)
        newest = look()
        if newest != latest:
            changed = clock()
        latest, lasting = newest, newest.lasting(lasting)
    return lasting


_STATES = {state.value for state in State}
_SEEN, _HELD = "seen", "held"


@dataclass
class _Case:
    """All that is said of one case."""

    lines: dict[str, Line] = field(default_factory=dict)
    seen: Seen | None = None
    held: dict[str, tuple[int, int]] = field(default_factory=dict)


def _tagged(source: str, rows: Iterable[Any]) -> Iterator[tuple[str, str, Any]]:
    before = ""
    for row in rows:
        case_id = row[0]
        if case_id < before:
            raise ConfigurationError(
                f"The books ({source}) are not sorted by case id: {case_id!r} follows {before!r}."
                ' Keys need the collation "C"; was the database restored with another one?'
            )
        before = case_id
        yield case_id, source, row


def _gather(rows: Iterable[tuple[str, str, Any]], counts: Mapping[str, Count]) -> _Case:
    case = _Case()
    for _, source, row in rows:
        if source == _SEEN:
            case.seen = row
        elif source == _HELD:
            case.held[row[1]] = (row[2], row[3])
        else:
            case.lines[source] = row
            counts[source].add(row[2])
    return case


def _differences(case_id: str, case: _Case, services: Iterable[str]) -> Iterator[Difference]:
    known = ", ".join(case.lines) or "the journal"
    for service in services:
        if service not in case.lines:
            message = f"{service} does not know the case; {known} does"
            yield Difference(case_id, service, "missing", "", message)
    yield from _standings(case_id, case)
    yield from _versions(case_id, case)


def _standings(case_id: str, case: _Case) -> Iterator[Difference]:
    standings = {}
    for service, (_, _, state, round_) in case.lines.items():
        if state not in _STATES:
            message = f"{service} has the state {state!r}, which is none"
            yield Difference(case_id, service, "state", "", message)
        else:
            standings[service] = Standing(state=State(state), round=round_)
    if len(set(standings.values())) < 2:
        return
    highest = Standing()
    for standing in standings.values():
        highest = highest.join(standing)
    for service, standing in standings.items():
        if standing != highest:
            message = f"{service} has the case {_words(standing)}, others {_words(highest)}"
            yield Difference(case_id, service, "standing", "", message)


def _words(standing: Standing) -> str:
    return f"{standing.state.value} in round {standing.round}"


def _versions(case_id: str, case: _Case) -> Iterator[Difference]:
    seen = dict(zip(OWNERS, case.seen[1:] if case.seen else (0, 0, 0, 0), strict=True))
    for aggregate, owner in OWNERS.items():
        line = case.lines.get(owner)
        written, known = line[1] if line else 0, seen[aggregate]
        if known != written:
            where, code = (LEDGER, "behind") if known < written else (owner, "ahead")
            message = f"{owner} has version {written} of the {aggregate}, the ledger {known}"
            yield Difference(case_id, where, code, aggregate, message)
        entries, newest = case.held.get(aggregate, (0, 0))
        if not entries == newest == known:
            message = (
                f"the journal holds {entries} of the versions 1 to {max(newest, known)}"
                f" of the {aggregate}"
            )
            yield Difference(case_id, LEDGER, "journal", aggregate, message)
