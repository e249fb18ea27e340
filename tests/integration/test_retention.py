"""Erasure service by service, on real databases: when it comes, and what it must not break."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from services.evaluation.service import EVALUATION
from services.evaluation.texts import TEXTS
from services.intake.service import INTAKE
from services.intake.store import FINGERPRINTS, RECORDS, SIGHTINGS
from services.ledger import queries
from services.ledger.entering import append_entry
from services.ledger.erasing import erasures
from services.ledger.erasure import ERASED_ENTRIES, ErasedEntries
from services.ledger.journal import Verification, digest_of, verify
from services.ledger.service import LEDGER
from services.ledger.store import FACTS, JOURNAL
from services.notify.notices import DIGEST, DayList, Listed, Notice, NoticeState, Told
from services.notify.service import NOTIFY
from services.notify.store import NOTICES
from services.router.service import ROUTER
from services.router.store import HANDLINGS, decisions
from shared.bus.codec import Envelope, encode
from shared.domain.aggregates import Judgement
from shared.domain.case import GivenInformant, Kind, Standing, State
from shared.domain.commands import RateReply, RetryNotification, SubmitCase, WithdrawCase
from shared.domain.erasure import erased
from shared.domain.errors import Conflict
from shared.domain.events import (
    CaseClosed,
    CaseErased,
    CaseRecalled,
    CaseRecorded,
    CaseReopened,
    CaseReplied,
    EvaluationRequested,
    Event,
)
from shared.domain.ids import new_id
from shared.domain.keeping import RetentionRule
from shared.domain.model import micros
from shared.domain.notices import Way
from shared.domain.policy import Count
from shared.runtime.service import Service
from shared.storage.messaging import Parked
from tests.support.desk import Desk, desk
from tests.support.house import SmallPolicy, answering, at, replied, routed
from tests.support.story import Story, two_rounds

ENDED = at("2026-03-02 09:00")
"""A Monday."""

NOW = at("2027-01-01 12:00")

POLICY = SmallPolicy(
    retention=RetentionRule(days=2, kinds={Kind.COMPLAINT: 30, Kind.PRAISE: None}),
    counts={
        "same-words": Count(of="same-matter", days=30),
        "same-person": Count(of="same-informant", days=30),
    },
)

Opener = Callable[[Service, datetime], AbstractContextManager[Desk]]


@pytest.fixture
def url() -> str | None:
    """The database: a file, where a test does not ask for both."""
    return None


both = pytest.mark.parametrize("url", ["sqlite", "postgresql"])
"""For what the databases do differently."""


@pytest.fixture
def open_desk(url: str | None, request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens a service on the same database at a moment."""
    if url == "sqlite":
        url = None
    elif url is not None:
        url = cast("str", request.getfixturevalue("database"))

    def opened(service: Service, now: datetime) -> AbstractContextManager[Desk]:
        return desk(service, POLICY, now, folder=tmp_path, url=url)

    return opened


def rows(office: Desk, table: sa.Table) -> str:
    """All that a table holds, as text."""
    with office.storage.read() as connection:
        return "\n".join(f"{tuple(row)}" for row in connection.execute(sa.select(table)))


def case(name: str = "zqx", kind: Kind = Kind.PROBLEM, **changes: Any) -> SubmitCase:
    """A submission in all of whose parts the name stands."""
    given = {
        "source": "s",
        "external_id": name,
        "channel": "hotline",
        "kind": kind,
        "subject": f"Lamp of {name}",
        "text": f"{name} sits in the dark",
        "informant": GivenInformant(ref=f"{name}-ref", contact=f"{name}@example.org"),
    }
    return SubmitCase.model_validate({**given, **changes})


def closed(case_id: str, when: datetime = ENDED, round_: int = 1) -> CaseClosed:
    standing = Standing(state=State.CLOSED, round=round_)
    judgement = Judgement(case_id=case_id, version=2 * round_, standing=standing)
    return CaseClosed(case_id=case_id, judgement=judgement, reason="satisfied", at=when)


def reopened(case_id: str) -> CaseReopened:
    judgement = Judgement(case_id=case_id, version=3, standing=Standing(round=2))
    return CaseReopened(case_id=case_id, judgement=judgement, reason="dissatisfied", at=ENDED)


def erasing(*told: Event) -> CaseErased:
    """What intake says once the case of these events is to be erased."""
    [recorded] = [event for event in told if isinstance(event, CaseRecorded)]
    record = recorded.record
    gone = erased(record, NOW).next(standing=Standing(state=State.CLOSED, round=2))
    return CaseErased(case_id=record.case_id, record=gone, ended_at=ENDED, at=NOW)


# ── when ──────────────────────────────────────────────────────────────────────────────────────


@both
def test_a_case_is_erased_once_its_days_are_over_and_not_before(open_desk: Opener) -> None:
    with open_desk(INTAKE, ENDED) as intake:
        intake.do(case())
        intake.hear(closed(case().about))
        intake.now = at("2026-03-04 23:59")
        assert intake.tick() == 0
        intake.now = at("2026-03-05 00:00")
        intake.certain = False
        assert intake.tick() == 0, "the clock has just jumped ahead: nobody believes it yet"
        intake.certain = True
        assert intake.tick() == 1
        [event] = intake.sent(CaseErased)
        assert (event.case_id, event.ended_at) == (case().about, ENDED)
        assert event.record.case is not None
        assert (event.record.version, event.record.case.category) == (2, "general")
        assert intake.tick() == 0
        for table in (RECORDS.table, FINGERPRINTS.table, SIGHTINGS.table):
            assert "zqx" not in rows(intake, table)
        assert rows(intake, FINGERPRINTS.table) + rows(intake, SIGHTINGS.table) == ""


def test_each_kind_is_kept_as_long_as_the_policy_says(open_desk: Opener) -> None:
    with open_desk(INTAKE, ENDED) as intake:
        for kind in (Kind.PROBLEM, Kind.COMPLAINT, Kind.PRAISE):
            intake.do(case(kind.value, kind))
            intake.hear(closed(case(kind.value).about))
        gone = []
        for now in ("2026-03-10 12:00", "2026-04-10 12:00", "2029-01-01 12:00"):
            intake.now = at(now)
            intake.tick_until_quiet()
            gone.append([event.case_id for event in intake.sent(CaseErased)])
    problem, complaint = case("problem").about, case("complaint").about
    assert gone == [[problem], [problem, complaint], [problem, complaint]]


def test_a_case_that_went_round_again_is_kept_from_its_last_end_on(open_desk: Opener) -> None:
    about = case().about
    with open_desk(INTAKE, ENDED) as intake:
        intake.do(case())
        intake.hear(closed(about))
        intake.hear(reopened(about))
        intake.now = at("2026-06-01 12:00")
        assert intake.tick() == 0, "it is open"
        intake.hear(closed(about, intake.now, round_=2))
        intake.hear(closed(about))  # late, of the first round
        assert intake.tick() == 0
        intake.now += timedelta(days=3)
        assert intake.tick() == 1


def test_a_withdrawn_case_counts_from_its_withdrawal(open_desk: Opener) -> None:
    with open_desk(INTAKE, ENDED) as intake:
        intake.do(case())
        intake.do(WithdrawCase(case_id=case().about, reason="zqx says so"))
        intake.now = at("2026-03-05 00:00")
        assert intake.tick() == 1
        assert "zqx" not in rows(intake, RECORDS.table)


def test_without_the_section_nothing_is_erased(open_desk: Opener) -> None:
    with open_desk(INTAKE, ENDED) as intake:
        intake.policy = replace(POLICY, retention=None)
        intake.do(case())
        intake.hear(closed(case().about))
        intake.now = at("2029-01-01 12:00")
        assert intake.tick() == 0


def test_words_stay_known_as_long_as_a_later_case_has_them(open_desk: Opener) -> None:
    first, second = case(), case(external_id="second")
    with open_desk(INTAKE, ENDED) as intake:
        intake.do(first)
        intake.now = at("2026-03-04 09:00")
        intake.do(second)
        intake.hear(closed(first.about))
        intake.now = at("2026-03-05 09:00")
        assert intake.tick() == 1
        third = case(external_id="third")
        [recorded] = intake.do(third)
        assert isinstance(recorded, CaseRecorded)
        assert recorded.case.repeat_of == first.about


# ── the journal ───────────────────────────────────────────────────────────────────────────────


def check(office: Desk) -> Verification:
    with office.storage.read() as connection:
        left = erasures(connection)
        return verify(queries.journal(connection), queries.chain(connection), left)


def heard(office: Desk, *events: Event) -> None:
    """One message for each."""
    for event in events:
        assert not office.hear(event).parked


def rewrite(office: Desk, entry: int, change: Callable[[str], str]) -> None:
    """Change a body behind everybody's back."""
    table = JOURNAL.table
    with office.storage.transaction(NOW) as tx:
        body = tx.connection.scalar(sa.select(table.c.body).where(table.c.seq == entry))
        changed = change(body or "")
        assert changed != body
        tx.connection.execute(
            sa.update(table).where(table.c.seq == entry).values(body=changed),
        )


@both
def test_the_chain_stays_whole_and_the_report_as_it_was(open_desk: Opener) -> None:
    gone, stays = two_rounds("zqx"), two_rounds("stays")
    with open_desk(LEDGER, NOW) as office:
        heard(office, *gone.events, *stays.events)
        counted = figures(office)
        heard(office, erasing(*gone.events))
        assert check(office).intact, check(office).found
        assert figures(office) == counted
        for table in LEDGER.metadata.tables.values():
            if table.name in {"journal", "dossiers", "facts"}:
                assert "zqx" not in rows(office, table), table.name
        assert "No light in the stairs (stays)" in rows(office, JOURNAL.table)
        with office.storage.read() as connection:
            assert queries.count(connection) == (1, 1)
            [(event, _)] = queries.past(connection)
        assert stays.id in event
        assert gone.id in rows(office, FACTS.table), "by its id the case is found as before"


def figures(office: Desk) -> Any:
    with office.storage.read() as connection:
        by = ("colour", "unit", "category")
        return queries.figures(connection, by, 1), queries.votes(connection, ("level", "unit"))


def test_an_erased_body_that_is_changed_afterwards_is_found(open_desk: Opener) -> None:
    story = two_rounds("zqx")
    with open_desk(LEDGER, NOW) as office:
        heard(office, *story.events, erasing(*story.events))
        rated = next(n for n, e in enumerate(story.events, 1) if e.type == "evaluation.received")
        rewrite(office, rated, lambda body: body.replace('"value":1', '"value":5'))
        found = check(office)
    assert found.breaks == 1
    assert f"entry {rated}, evaluation.received of {story.id}" in found.found[0]


def test_a_body_that_only_looks_erased_is_found(open_desk: Opener) -> None:
    story = two_rounds("zqx")
    with open_desk(LEDGER, NOW) as office:
        heard(office, *story.events)
        left = erased(story.events[0], NOW).to_json()
        rewrite(office, 1, lambda _: left)
        found = check(office)
    assert found.breaks == 1
    assert f"entry 1, case.recorded of {story.id}, was changed" in found.found[0]


def test_a_seal_without_an_erasure_of_the_case_seals_nothing(open_desk: Opener) -> None:
    story = two_rounds("zqx")
    with open_desk(LEDGER, NOW) as office:
        heard(office, *story.events)
        left = erased(story.events[0], NOW).to_json()
        rewrite(office, 1, lambda _: left)
        seal = ErasedEntries(case_id=story.id, left={1: digest_of(left.encode())}).to_json()
        with office.storage.transaction(NOW) as tx:
            fields = (new_id(), ERASED_ENTRIES, story.id, None, None, micros(NOW), None, None)
            append_entry(tx, *fields, body=seal.encode())
        found = check(office)
    assert found.breaks == 1
    assert "entry 1, case.recorded" in found.found[0]


def test_whoever_seals_a_body_as_erased_that_is_not_is_found(open_desk: Opener) -> None:
    story = two_rounds("zqx")
    with open_desk(LEDGER, NOW) as office:
        heard(office, *story.events, erasing(*story.events))
        words = '{"case_id":"' + story.id + '","words":"zqx was to blame"}'
        rewrite(office, 1, lambda _: words)
        forged = verify_with(office, {1: words})
    assert forged.breaks == 1
    assert "entry 1, case.recorded" in forged.found[0]


def verify_with(office: Desk, bodies: dict[int, str]) -> Verification:
    """As if the journal said that these bodies were left of its entries."""
    with office.storage.read() as connection:
        left = erasures(connection)

        def forged(case_id: str) -> dict[int, str]:
            return {
                **left(case_id),
                **{seq: digest_of(body.encode()) for seq, body in bodies.items()},
            }

        return verify(queries.journal(connection), queries.chain(connection), forged)


@both
def test_what_arrives_after_the_erasure_is_entered_without_anything_personal(
    open_desk: Opener,
) -> None:
    story = two_rounds("zqx")
    late = {"case.recorded", "case.replied", "evaluation.received"}
    punctual = [event for event in story.events if event.type not in late]
    with open_desk(LEDGER, NOW) as office:
        heard(office, *punctual, erasing(*story.events))
        heard(office, *(event for event in story.events if event.type in late))
        assert check(office).intact
        for table in LEDGER.metadata.tables.values():
            assert not re.search("zqx|Mended", rows(office, table)), table.name
        with office.storage.read() as connection:
            held = {(row[1], row[2], row[3]) for row in queries.contents(connection)}
        assert ("handling", story.handling.version, story.handling.version) in held


# ── what lies aside ───────────────────────────────────────────────────────────────────────────


def aside(office: Desk, *events: Event, case_id: str | None) -> None:
    """A message that could not be handled."""
    envelopes = [
        Envelope(id=new_id(), type=e.type, source="/tests", subject=e.case_id, time=NOW, data=e)
        for e in events
    ]
    parked = Parked(
        id=new_id(),
        message_id=new_id(),
        key=events[0].type,
        type=events[0].type,
        case_id=case_id,
        reason="ValueError: zqx",
        trace="Traceback: zqx",
        attempts=3,
        content_type="application/cloudevents-batch+json",
        headers={},
        body=encode(envelopes),
        parked_at=NOW,
    )
    with office.storage.transaction(NOW) as tx:
        tx.park(parked)


@both
def test_messages_that_lie_aside_are_erased_as_well_and_others_stay(open_desk: Opener) -> None:
    gone, stays = Story("zqx").recorded(), Story("stays").recorded()
    with open_desk(ROUTER, NOW) as router:
        aside(router, *gone.events, case_id=gone.id)
        aside(router, *gone.events, *stays.events, case_id=None)
        aside(router, *stays.events, case_id=stays.id)
        router.hear(erasing(*gone.events))
        bodies = [parked.body.decode() for parked in router.storage.parked()]
        told = [f"{parked.reason}{parked.trace}" for parked in router.storage.parked()]
    assert "zqx" not in "".join(bodies)
    assert [stays.id in body for body in bodies] == [False, True, True]
    assert told == ["ValueError", "ValueError", "ValueError: zqxTraceback: zqx"]


@both
def test_the_facts_of_all_decisions_go_and_the_rows_stay(open_desk: Opener) -> None:
    gone = Story("zqx", counts={"same-words": 7}).recorded()
    stays = Story("stays", counts={"same-words": 7}).recorded()
    with open_desk(ROUTER, NOW) as router:
        router.hear(*gone.events, *stays.events)
        router.policy = replace(POLICY, version="small@111111111111")
        for story in (gone, stays):
            router.hear(CaseRecalled(case_id=story.id, record=story.record))
        with router.storage.read() as connection:
            before = decisions(connection, stays.id)
        for _ in range(2):
            router.hear(erasing(*gone.events))
        assert "zqx" not in rows(router, HANDLINGS.table)
        with router.storage.read() as connection:
            left = decisions(connection, gone.id)
            assert decisions(connection, stays.id) == before
    assert [decision.facts["same-words"] for decision in before.values()] == [7, 7]
    assert [decision.facts for decision in left.values()] == [{}, {}]
    assert [(n, each.row, each.policy_version) for n, each in left.items()] == [
        (1, "yellow", "small@000000000000"),
        (2, "yellow", "small@111111111111"),
    ]


def test_what_is_put_aside_after_the_erasure_holds_nothing_personal(open_desk: Opener) -> None:
    gone = Story("zqx").recorded()

    def fails(*_: Any) -> Any:
        raise ValueError("broken")

    with open_desk(ROUTER, NOW) as router:
        router.hear(erasing(*gone.events))
        handlers = {**ROUTER.handlers, type(gone.events[0]): fails}
        router.service = replace(ROUTER, handlers=handlers)
        assert router.hear(*gone.events).parked
        [parked] = router.storage.parked()
    assert b"zqx" not in parked.body
    assert gone.id.encode() in parked.body


# ── links and messages ────────────────────────────────────────────────────────────────────────


@both
def test_an_old_link_says_that_the_case_was_erased(open_desk: Opener) -> None:
    with open_desk(EVALUATION, ENDED) as office:
        answered = replied(routed(informant_ref="zqx"), ENDED)
        office.hear(answering(answered, "zqx is right"))
        [asked] = office.sent(EvaluationRequested)
        token = asked.link.rsplit("/", 1)[-1]
        office.do(RateReply(token=token, score="satisfied", comment="zqx"))
        story = Story("other").recorded()
        record = erased(story.record, NOW).but(case_id=answered.case_id)
        office.hear(CaseErased(case_id=answered.case_id, record=record, ended_at=ENDED, at=NOW))
        for table in EVALUATION.metadata.tables.values():
            assert table.name == "outbox" or "zqx" not in rows(office, table), table.name
        with pytest.raises(Conflict, match="ended long ago") as refused:
            office.do(RateReply(token=token, score="satisfied"))
        assert refused.value.problems[0].code in TEXTS["zh"], "the page has words for it"
        late = CaseReplied.from_json(answering(replied(routed(version=9), ENDED), "zqx").to_json())
        office.hear(late)
        assert len(office.sent(EvaluationRequested)) == 1


def notice(state: NoticeState, **changes: Any) -> Notice:
    """A message to the recorder of a case."""
    told = Told(
        case_id="case-1", event="case.routed", colour="red", unit="north", round=1, subject="zqx"
    )
    given = {
        "id": f"n-{state.value}",
        "case_id": "case-1",
        "event": "case.routed",
        "way": Way.MAIL,
        "to": "zqx@example.org",
        "role": "recorder",
        "unit": "",
        "row": "red",
        "told": told,
        "happened_at": ENDED,
        "planned_at": ENDED,
        "next_at": ENDED if state is NoticeState.WAITING else None,
        "state": state,
    }
    return Notice(**{**given, **changes})


@both
def test_messages_about_an_erased_case_are_not_sent_and_name_nobody(open_desk: Opener) -> None:
    listed = (
        Listed(case_id="case-1", colour="red", due_at=ENDED, subject="zqx"),
        Listed(case_id="case-2", colour="red", due_at=ENDED, subject="stays"),
    )
    day = DayList(day="2026-03-02", overdue=listed)
    changes = {"case_id": "", "told": None, "day_list": day, "unit": "north", "event": DIGEST}
    put = [notice(NoticeState.WAITING), notice(NoticeState.FAILED), notice(NoticeState.DELIVERED)]
    put.append(notice(NoticeState.WAITING, id="list", to="north@example.org", **changes))
    record = erased(Story("other").recorded().record, NOW).but(case_id="case-1")
    with open_desk(NOTIFY, NOW) as office:
        with office.storage.transaction(NOW) as tx:
            for each in put:
                tx.put(NOTICES, each)
        office.hear(CaseErased(case_id="case-1", record=record, ended_at=ENDED, at=NOW))
        text = rows(office, NOTICES.table)
        assert "zqx" not in text
        assert "stays" in text
        with office.storage.read() as connection:
            query = sa.select(NOTICES.table.c.key, NOTICES.table.c.state)
            states = {row.key: row.state for row in connection.execute(query)}
        assert states == {
            "n-waiting": "dropped",
            "n-failed": "failed",
            "n-delivered": "delivered",
            "list": "waiting",
        }
        with pytest.raises(Conflict, match="was erased on"):
            office.do(RetryNotification(notification_id="n-failed"))
