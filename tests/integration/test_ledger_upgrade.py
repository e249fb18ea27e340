"""The books of a release that wrote what was recorded into every dossier: nothing is lost."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from services.ledger import logic, queries
from services.ledger.dossier import Dossier
from services.ledger.journal import GENESIS, as_json, digest_of, seal, verify
from services.ledger.reading import read_file
from services.ledger.service import LEDGER
from services.ledger.store import FACTS, RATINGS
from shared.domain.events import Event
from shared.domain.ids import new_id
from shared.domain.model import micros
from shared.storage.schema import assert_schema_matches
from shared.storage.storage import Storage
from tests.support.desk import Desk, desk
from tests.support.earlier import earlier, write
from tests.support.house import SmallPolicy, at
from tests.support.story import DUE, MONDAY, Story

NOW = at("2026-04-01 09:00")

REFUSED = (sqlite3.IntegrityError, psycopg.errors.UniqueViolation, sa.exc.IntegrityError)
"""What keeps a second entry of the same version out of the journal."""


@pytest.fixture
def older(tmp_path: Path, url: str | None) -> Storage:
    """The ledger's tables as the release with the sixth revision left them."""
    return earlier(LEDGER, "0006", tmp_path, url)


def plain(dossier: Dossier) -> dict[str, Any]:
    """A dossier's body as that release wrote it, which knew no first entry."""
    return {name: value for name, value in dossier.plain().items() if name != "first_seq"}


def write_case(storage: Storage, story: Story) -> Dossier:
    """A case as that release stored it: with everything that was recorded in the dossier."""
    dossier = Dossier(case_id=story.id)
    for event in story.events:
        dossier = logic.enter(dossier, event)
    case = story.case.plain()
    names = (
        "source", "external_id", "channel", "kind", "category", "item", "station", "recorder",
        "campaign",
    )  # fmt: skip
    facts = {name: case[name] for name in names}
    owners = {
        f"{owner}_version": getattr(dossier, f"{owner}_version")
        for owner in ("record", "handling", "clocks", "judgement")
    }
    body = {**plain(dossier), **facts, "subject": story.case.subject}
    write(
        storage,
        "dossiers",
        key=story.id,
        version=dossier.version,
        state=dossier.standing.state.value,
        round=dossier.standing.round,
        recorded_at=micros(dossier.recorded_at),
        due_at=micros(dossier.current.due_at),
        replied_at=micros(dossier.current.replied_at),
        colour=dossier.colour,
        answer_owed=dossier.answer_owed,
        breached=False,
        body=json.dumps(body),
        **facts,
        **owners,
    )
    told = logic.facts(story.events[0], first_seq=0)
    assert told is not None
    write(storage, "texts", case_id=story.id, words=told.words)
    return dossier


def write_rating(storage: Storage, dossier: Dossier) -> None:
    """What that release counted of the judgement of the case's first round."""
    part = dossier.round(1)
    told = part.plain()
    names = ("level", "unit", "asked_at", "rated_at", "satisfied")
    body = {name: told[name] for name in names} | {"case_id": dossier.case_id, "round": 1}
    write(
        storage,
        "ratings",
        key=f"{dossier.case_id}:1",
        case_id=dossier.case_id,
        level=part.level,
        unit=part.unit,
        asked_at=micros(part.asked_at),
        rated_at=micros(part.rated_at),
        value=part.value,
        satisfied=part.satisfied,
        lapsed=part.lapsed,
        body=json.dumps(body),
    )


def write_journal(storage: Storage, events: list[Event]) -> None:
    """The events in the journal, and its end as that release noted it."""
    end = GENESIS
    for seq, event in enumerate(events, 1):
        body = event.to_json()
        about = (new_id(), event.type, event.case_id, event.aggregate, event.version)
        fields = (seq, *about, micros(MONDAY), None, None, digest_of(body.encode()))
        names = (
            "seq", "event_id", "type", "case_id", "aggregate", "version", "at", "correlation",
            "policy_version", "digest",
        )  # fmt: skip
        link = seal(end, as_json(fields))
        row = dict(zip(names, fields, strict=True))
        write(storage, "journal", **row, body=body, previous=end, hash=link)
        end = link
    chain = sa.table("chain", sa.column("key"), sa.column("body"))
    noted = {"name": "journal", "seq": len(events), "hash": end.hex()}
    with storage.transaction(datetime.now(UTC)) as tx:
        tx.connection.execute(sa.update(chain).values(body=json.dumps(noted)))


def test_the_books_of_an_older_release_are_read_counted_and_gone_on_with(
    older: Storage, tmp_path: Path, url: str | None
) -> None:
    story = Story("old", campaign="spring").recorded().routed().due()
    unheard = Story("unheard").recorded().routed()
    dossier = write_case(older, story)
    shell = logic.enter(Dossier(case_id=unheard.id), unheard.events[1])
    write(older, "dossiers", key=unheard.id, state="open", round=1, body=json.dumps(plain(shell)))
    write_journal(older, story.events)
    older.close()

    with desk(LEDGER, SmallPolicy(), NOW, folder=tmp_path, url=url) as office:
        assert_schema_matches(office.storage)
        with office.storage.read() as connection:
            known, recorded = dossier.but(first_seq=1), logic.facts(story.events[0], first_seq=1)
            assert connection.execute(sa.select(FACTS.table)).one() == recorded
            assert queries.one(connection, story.id) == (known, recorded)
            assert queries.one(connection, unheard.id) == (shell, None)
            file = read_file(connection, story.id, NOW)
            assert file.case.campaign == "spring"
            assert [one.seq for one in file.history] == [1, 2, 3]
            [(found, facts)] = queries.listing(connection, [], words="stairs", limit=9)
            assert (found.case_id, facts.external_id) == (story.id, "old")

        with pytest.raises(REFUSED):
            office.hear(story.events[-1])
        story.replied(DUE)
        assert not office.hear(story.events[-1]).parked
        assert not office.hear(unheard.events[0]).parked
        with office.storage.read() as connection:
            walked = verify(queries.journal(connection), queries.chain(connection))
            assert (walked.intact, walked.entries) == (True, len(story.events) + 1), walked.found
            histories = [read_file(connection, one.id, NOW).history for one in (story, unheard)]
            assert [[one.seq for one in history] for history in histories] == [[1, 2, 3, 4], [5]]
            counted = queries.figures(connection, ("channel", "category"), 1)
            assert counted[("hotline", "power")].cases == 2
            stored = connection.scalars(sa.select(LEDGER.books.table.c.body)).all()
        assert not any("stairs" in body for body in stored), "facts stand in one place alone"


def test_what_was_asked_before_the_upgrade_is_rated_after_it(
    older: Storage, tmp_path: Path, url: str | None
) -> None:
    rated, asked = (
        Story(name).recorded().routed().due().replied(DUE).asked() for name in ("rated", "asked")
    )
    rated.rated(satisfied=False)
    for story in (rated, asked):
        write_rating(older, write_case(older, story))
    write_journal(older, [*rated.events, *asked.events])
    older.close()

    with desk(LEDGER, SmallPolicy(), NOW, folder=tmp_path, url=url) as office:
        assert votes(office) == queries.Votes(asked=2, rated=1)
        asked.rated(satisfied=True)
        assert not office.hear(asked.events[-1]).parked
        assert votes(office) == queries.Votes(asked=2, rated=2, satisfied=1)
        with office.storage.read() as connection:
            ratings = connection.scalars(sa.select(RATINGS.table.c.body)).all()
            listed = queries.listing(connection, [], limit=9)
    firsts = {rated.id: 1, asked.id: len(rated.events) + 1}
    assert {RATINGS.parse(body).key for body in ratings} == {f"{n}:1" for n in firsts.values()}
    assert {known.case_id: facts.first_seq for known, facts in listed} == firsts
    assert all(known.case_id in facts.words for known, facts in listed)


def votes(office: Desk) -> queries.Votes:
    """Counted by a column of the dossiers, so that a judgement without its case is none."""
    with office.storage.read() as connection:
        return queries.votes(connection, ("category",))[("power",)]
