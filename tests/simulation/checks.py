"""What must always hold, held against a history that has come to rest.

The numbers are those of "What always holds" in the README.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, MutableMapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from services.deadline.plan import runs
from services.deadline.store import CLOCKS
from services.embedded.catalogue import NAMES, load
from services.ledger import queries
from services.ledger.journal import verify
from services.ledger.store import REVIEWS
from services.notify.notices import NoticeState
from services.notify.store import NOTICES
from services.router.store import HANDLINGS, newest_decision
from shared.domain.aggregates import Clocks, Handling
from shared.domain.events import (
    CaseDueSoon,
    CaseEscalated,
    CaseOverdue,
    CaseRecorded,
    CaseReplied,
    EvaluationReceived,
    EvaluationRequested,
    Event,
    ReviewOpened,
    ReviewOverdue,
    ReviewSigned,
)
from shared.domain.reviews import ReviewState
from shared.policy.explaining.explain import explain_recorded
from shared.runtime.audit import Audit, Journal, Waiting, compare
from shared.runtime.versions import find
from tests.simulation import reading, rules
from tests.simulation.people import SECRETS
from tests.simulation.records import Broken
from tests.simulation.replica import SKEW

if TYPE_CHECKING:
    from tests.simulation.history import History

E = TypeVar("E", bound=Event)

Logs = Sequence[MutableMapping[str, Any]]


def check(history: History, logs: Logs) -> None:
    """Raise `Broken` for the first thing that does not hold."""
    with reading.opened(history) as storages:
        for law in (nothing_is_lost, nothing_happens_twice, no_answer_is_taken_back):
            law(history, storages)
        clocks_speak_once(history, storages)
        reviews_are_opened_once(history, storages)
        everybody_is_told(history, storages)
        the_entitled_rate_once(history)
        decisions_can_be_explained(history, storages)
    nothing_personal_leaves(history, logs)


# ── 1: nothing is lost ────────────────────────────────────────────────────────────────────────


def nothing_is_lost(history: History, storages: reading.Storages) -> None:
    """The books of all services agree, nothing waits, only poison is parked, the chain is whole."""
    books = {name: reading.books(storages[name], name) for name in NAMES}
    with storages["ledger"].read() as connection:
        seen, held = list(queries.versions(connection)), list(queries.contents(connection))
        walked = verify(queries.journal(connection), queries.chain(connection))
    findings = compare(books, seen, held)
    waiting = {}
    for name, storage in storages.items():
        parked = [each for each in storage.parked(limit=1000)
                  if each.message_id not in history.records.poison]  # fmt: skip
        for each in parked:
            raise Broken(f"{name} parked {each.type}, which is no poison: {each.reason}")
        waiting[name] = Waiting(storage.counts(history.chance.now).outbox, len(parked))
        if waiting[name].outbox:
            raise Broken(f"{waiting[name].outbox} messages lie in the outbox of {name} for ever")
    journal = Journal(walked.entries, walked.head, walked.breaks, walked.found)
    if not Audit(findings, waiting, journal).passed:
        told = [each.message for each in findings.found.values()][:3]
        raise Broken(f"the audit does not pass: {'; '.join([*told, *journal.found[:3]])}")
    for name, count in findings.counts.items():
        if count.recorded != count.open + count.closed + count.withdrawn:
            raise Broken(f"{name}: recorded is not open + closed + withdrawn: {count}")
    recorded = {event.case_id for event in reading.heard(history, CaseRecorded)}
    if {line[0] for line in books["intake"]} != recorded:
        raise Broken("the books do not hold the cases that were recorded")


def no_answer_is_taken_back(history: History, storages: reading.Storages) -> None:
    """What somebody was told to have happened stands in the journal."""
    known = {(e.type, e.case_id, e.version) for e in reading.journal(storages)}
    history.people.listen()
    for event in history.people.promised:
        if (event.type, event.case_id, event.version or None) not in known:
            raise Broken(f"{event.type} of {event.case_id} was promised and is nowhere")


# ── 2: nothing happens twice ──────────────────────────────────────────────────────────────────


def nothing_happens_twice(history: History, storages: reading.Storages) -> None:
    """Each service committed the effect of each message that it was to hear, once."""
    records = history.records
    if not records.messages <= records.committed | records.foreign:
        raise Broken("a message was published that nobody has committed")
    if not records.committed <= records.messages:
        raise Broken("a message was committed that nobody has published")
    for envelope in records.heard.values():
        if envelope.id in records.unwritable:
            continue
        for name in NAMES:
            service, kind = load(name), type(envelope.data)
            # mypy cannot know that a key of either table may be asked for in both
            due: Any = {**service.handlers, **service.commands}
            number = records.effects[name, envelope.id]
            if number != (kind in due):
                raise Broken(
                    f"{envelope.type} {envelope.id[-6:]} took effect in {name} {number} times"
                )
    entries = Counter(entry.event_id for entry in reading.journal(storages))
    events = [each.id for each in records.heard.values() if isinstance(each.data, Event)]
    if entries != Counter(events):
        raise Broken("the journal does not hold every event that was published, each once")


# ── 3: nothing is late unseen ─────────────────────────────────────────────────────────────────


def clocks_speak_once(history: History, storages: reading.Storages) -> None:
    """Every mark was said once; none whose time has come is left; no breach went by unseen."""
    said: Counter[tuple[object, ...]] = Counter()
    overdue = set()
    for event in reading.heard(history, CaseDueSoon, CaseOverdue, CaseEscalated):
        clocks = event.clocks
        if clocks.said:
            mark = clocks.said[-1]
            at = None if mark.kind == "escalate" else mark.at
            said[event.case_id, clocks.started_at, mark.kind, mark.clock, mark.step, at] += 1
        if isinstance(event, CaseOverdue) and event.clock == "reply":
            overdue.add((event.case_id, clocks.due_at))
    for told, number in said.items():
        if number > 1:
            raise Broken(f"a clock spoke {number} times: {told}")
    for clocks in reading.entities(storages["deadline"], CLOCKS):
        left = [mark for mark in clocks.marks if mark.at <= _certainly_past(history)]
        if left:
            raise Broken(f"the clock of {clocks.case_id} has not spoken: {left[0]}")
        if _breached(clocks, history) and (clocks.case_id, clocks.due_at) not in overdue:
            raise Broken(f"{clocks.case_id} was due at {clocks.due_at}, and nobody was told")


def reviews_are_opened_once(history: History, storages: reading.Storages) -> None:
    """Each month of each unit was opened once, signed once at the most, and told overdue once."""
    told = Counter(
        (event.type, event.review.key)
        for event in reading.heard(history, ReviewOpened, ReviewSigned, ReviewOverdue)
    )
    for (what, key), number in told.items():
        if number > 1:
            raise Broken(f"{what} of {key} happened {number} times")
    for known in reading.entities(storages["ledger"], REVIEWS):
        if ("review.opened", known.key) not in told:
            raise Broken(f"nobody heard that the review {known.key} was opened")
        past = known.due_at is not None and known.due_at < _certainly_past(history)
        if past and known.state is ReviewState.OPEN:
            raise Broken(f"the review {known.key} was due at {known.due_at}, and nobody was told")


def _certainly_past(history: History) -> datetime:
    """A moment that lies in the past by everybody's clock."""
    return history.chance.now - timedelta(seconds=2 * SKEW)


def _breached(clocks: Clocks, history: History) -> bool:
    """Whether an answer is owed beyond a due date that was still to come when the case came in."""
    if not runs(clocks) or clocks.pause is not None:
        return False
    assert clocks.due_at is not None
    assert clocks.received_at is not None
    return clocks.received_at <= clocks.due_at < _certainly_past(history)


def everybody_is_told(history: History, storages: reading.Storages) -> None:
    """No notice whose time has come waits; what counts as delivered was delivered."""
    for notice in reading.entities(storages["notify"], NOTICES):
        if notice.next_at is not None and notice.next_at <= _certainly_past(history):
            raise Broken(f"a notice of {notice.event} waits since {notice.next_at}")
        if notice.state is NoticeState.DELIVERED and not history.records.delivered[notice.id]:
            raise Broken(f"a notice of {notice.event} counts as delivered, and nobody has it")


# ── 4: nobody rates who is not entitled ───────────────────────────────────────────────────────


def the_entitled_rate_once(history: History) -> None:
    """Each answer was rated once at the most, by the link that was given out for it."""
    links = {
        event.link.rpartition("/")[2]: event.judgement
        for event in reading.heard(history, EvaluationRequested)
    }
    replies = {
        (event.case_id, event.handling.standing.round): event.handling
        for event in reading.heard(history, CaseReplied)
    }
    rated = Counter(
        (event.case_id, event.judgement.standing.round)
        for event in reading.heard(history, EvaluationReceived)
    )
    for (case_id, round_), number in rated.items():
        if number > 1:
            raise Broken(f"round {round_} of {case_id} was rated {number} times")
    used = Counter(token for token, _ in history.records.ratings)
    for token, event in history.records.ratings:
        asked = links.get(token)
        if used[token] > 1 or asked is None or not isinstance(event, EvaluationReceived):
            raise Broken(f"a link was used {used[token]} times, or was none of ours: {event}")
        standing, rating = event.judgement.standing, event.rating
        if (asked.case_id, asked.standing) != (event.case_id, standing):
            raise Broken(f"the link of {asked.case_id} rated {event.case_id}")
        if rating.by != asked.evaluator:
            raise Broken(f"{rating.by} rated, and {asked.evaluator} was asked")
        if rating.by in _authors(replies[event.case_id, standing.round]):
            raise Broken(f"{rating.by} rated the own work in {event.case_id}")


def _authors(handling: Handling) -> Iterable[str]:
    """Everybody whose work the answer is."""
    by = handling.replied_by
    assert by is not None
    yield from (f"unit:{unit}" for unit in (handling.unit, by.unit))
    for person in {handling.assignee, by.person} - {None}:
        yield from (f"person:{person}", f"informant:{person}")


# ── 5: every decision can be explained ────────────────────────────────────────────────────────


def decisions_can_be_explained(history: History, storages: reading.Storages) -> None:
    """From the version that a decision names and its facts, the same row decides again."""
    for handling in reading.entities(storages["router"], HANDLINGS):
        if not handling.version:
            continue
        with storages["router"].read() as connection:
            decision = newest_decision(connection, handling.case_id)
            stored = find(connection, handling.policy_version)
        if decision is None or decision.policy_version != handling.policy_version:
            raise Broken(f"nobody knows why {handling.case_id} was decided")
        if stored is None:
            raise Broken(f"the policy {decision.policy_version} is not in the router's tables")
        policy = rules.compiled(stored.content.encode())
        told = explain_recorded(decision, handling, policy)
        if decision.row not in told.tables[0].rows:
            raise Broken(f"{decision.row!r} decided {handling.case_id}, the facts say {told}")


# ── 6: nothing personal leaves ────────────────────────────────────────────────────────────────


def nothing_personal_leaves(history: History, logs: Logs) -> None:
    """Neither logs nor metrics name a person, or say what one has said."""
    for where, text in (
        ("the log", f"{logs}"),
        ("the metrics", history.house.metrics.text().decode()),
    ):
        for secret in SECRETS:
            if secret in text:
                raise Broken(f"{where} says {secret!r}")
