"""The ledger on real databases: what is entered once, counted right, shown safely, and proved."""

from __future__ import annotations

import hashlib
import json
import random
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from services.ledger import queries
from services.ledger.journal import Verification, verify
from services.ledger.queries import Figures
from services.ledger.reading import read_report
from services.ledger.service import LEDGER
from services.ledger.store import DOSSIERS, FACTS, JOURNAL, RATINGS
from shared.domain.aggregates import Actor, Extension, ExtensionState, Pause
from shared.domain.case import Kind
from shared.domain.errors import Unavailable
from shared.domain.events import (
    CasePaused,
    CaseRefused,
    CommandRefused,
    DeadlineExtended,
    DeadlineSet,
    Event,
)
from shared.domain.model import micros
from shared.observe.metrics import Metrics
from shared.runtime.http import application
from tests.support.browser import Browser
from tests.support.desk import Desk, desk
from tests.support.house import SmallPolicy, Unchanging, at
from tests.support.machine import machine, storage_of
from tests.support.story import DUE, MONDAY, Story, two_rounds

NOW = DUE + timedelta(days=100)
MOMENT = timedelta(microseconds=1)
DAY = timedelta(days=1)

Opener = Callable[[datetime], AbstractContextManager[Desk]]


@pytest.fixture
def open_desk(url: str | None, tmp_path: Path) -> Opener:
    """Opens the same database at a moment; opened twice, a replica."""
    return partial(desk, LEDGER, SmallPolicy(), folder=tmp_path, url=url)


@pytest.fixture
def office(open_desk: Opener) -> Iterator[Desk]:
    with open_desk(NOW) as opened:
        yield opened


@pytest.fixture
def browser(url: str | None, tmp_path: Path) -> Iterator[Browser]:
    """The ledger's pages, over the books of the other fixtures."""
    storage = storage_of(LEDGER, tmp_path, url)
    with machine(LEDGER, storage, Unchanging(SmallPolicy()), tmp_path, lambda: NOW) as running:
        yield Browser(application([running.host], Metrics()))


def hear(office: Desk, *events: Event) -> None:
    """One message for each event, all of which take effect."""
    for event in events:
        assert not office.hear(event).parked


def figures(office: Desk) -> Figures:
    """All that is counted, over all cases."""
    now = micros(office.now)
    assert now is not None
    with office.storage.read() as connection:
        counted = queries.figures(connection, ("colour",), now)
    return sum(counted.values(), Figures())


def check(office: Desk) -> Verification:
    with office.storage.read() as connection:
        return verify(queries.journal(connection), queries.chain(connection))


def rows(office: Desk, table: sa.Table) -> Sequence[sa.Row[Any]]:
    with office.storage.read() as connection:
        return connection.execute(sa.select(table)).all()


# ── the journal ───────────────────────────────────────────────────────────────────────────────


def test_every_event_is_entered_once_and_chained(office: Desk) -> None:
    story = two_rounds()
    hear(office, *story.events)
    found = check(office)
    assert (found.intact, found.entries) == (True, len(story.events))
    entered = [(row.type, row.version) for row in rows(office, JOURNAL.table)]
    assert entered == [(event.type, event.version) for event in story.events]


def test_an_event_about_no_case_is_journalled_and_makes_no_dossier(office: Desk) -> None:
    refused = CaseRefused(case_id="", source="tests", external_id=None, problems=())
    hear(office, refused, refused)
    assert check(office).entries == 2
    assert rows(office, DOSSIERS.table) == []


def test_the_same_message_again_changes_nothing(office: Desk) -> None:
    event = Story().recorded().events[0]
    office.hear(event, message_id="01890000-0000-7000-8000-000000000001")
    again = office.hear(event, message_id="01890000-0000-7000-8000-000000000001")
    assert again.duplicates == 1
    assert check(office).entries == 1


def test_a_second_event_with_the_same_version_is_kept_out_by_the_database(office: Desk) -> None:
    event = Story().recorded().events[0]
    office.hear(event)
    refused = (sqlite3.IntegrityError, psycopg.errors.UniqueViolation, sa.exc.IntegrityError)
    with pytest.raises(refused):  # SQLAlchemy's, where it comes with the answer to the commit
        office.hear(event)
    assert check(office).entries == 1


@pytest.mark.parametrize(
    "damage",
    [
        "update journal set body = replace(body, 'stairs', 'cellar') where seq = 1",
        "update journal set digest = replace(digest, substr(digest, 1, 1), 'x') where seq = 2",
        "update journal set at = at + 1 where seq = 2",
        "delete from journal where seq = 2",
        "delete from journal where seq = 3",
        "update journal set case_id = 'another' where seq = 3",
        "delete from chain",
    ],
)
def test_damage_behind_the_ledgers_back_is_noticed(office: Desk, damage: str) -> None:
    hear(office, *Story().recorded().routed().due().events)
    with office.storage.transaction(NOW) as tx:
        tx.connection.execute(sa.text(damage))
    assert check(office).breaks > 0


def test_replicas_that_hear_at_the_same_time_keep_one_unbroken_chain(open_desk: Opener) -> None:
    stories = [two_rounds(f"{number}") for number in range(12)]
    with open_desk(NOW) as one, open_desk(NOW) as two:
        halves = (one, stories[::2]), (two, stories[1::2])
        threads = [threading.Thread(target=_hear_patiently, args=half) for half in halves]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = check(one)
        assert (found.intact, found.entries) == (True, sum(len(s.events) for s in stories))
        assert len(rows(one, DOSSIERS.table)) == 12


def _hear_patiently(office: Desk, stories: Sequence[Story]) -> None:
    for story in stories:
        for event in story.events:
            while True:
                try:
                    office.hear(event)
                    break
                except Unavailable:  # the other replica was first to write: as the worker does
                    continue


def test_cases_end_alike_in_whatever_order_their_events_arrive(open_desk: Opener) -> None:
    stories = [two_rounds(f"{number}") for number in range(4)]
    events = [event for story in stories for event in story.events]
    random.Random(7).shuffle(events)
    with open_desk(NOW) as office:
        hear(office, *events)
        dossiers = rows(office, DOSSIERS.table)
        ends = {(row.version, row.state, row.round, row.channel) for row in dossiers}
        assert (len(dossiers), len(ends)) == (4, 1)
        assert figures(office) == Figures(cases=4, closed=4, late=4)
        assert len(rows(office, RATINGS.table)) == 8
        assert len(rows(office, FACTS.table)) == 4


# ── what counts as what ───────────────────────────────────────────────────────────────────────

IN_TIME, LATE = DUE - timedelta(days=1), DUE + timedelta(days=1)


def told(name: str = "case") -> Story:
    """A red case that is due on Monday, 9 March 2026."""
    return Story(name).recorded().routed().due()


@pytest.mark.parametrize(
    ("story", "now", "counted"),
    [
        (told(), DUE - MOMENT, Figures(open=1)),
        (told(), DUE, Figures(open=1)),
        (told(), DUE + MOMENT, Figures(open=1, open_overdue=1, overdue=1)),
        (told().replied(IN_TIME).asked(), NOW, Figures(open=1)),
        (told().replied(LATE).asked(), NOW, Figures(open=1, open_overdue=1)),
        (told().replied(IN_TIME).closed(), NOW, Figures(closed=1, on_time=1)),
        (told().replied(DUE).closed(), NOW, Figures(closed=1, on_time=1)),
        (told().replied(DUE + MOMENT).closed(), NOW, Figures(closed=1, late=1)),
        (told().replied(IN_TIME).closed("not-rated"), NOW, Figures(closed=1, on_time=1)),
        (told().closed(), NOW, Figures(closed=1, late=1)),
        (two_rounds(), NOW, Figures(closed=1, late=1)),
        (told().withdrawn(), NOW, Figures(withdrawn=1)),
        (told().replied(LATE).withdrawn(), NOW, Figures(withdrawn=1)),
        (Story().recorded(), NOW, Figures(open=1)),
        (Story().recorded().routed(owed=False), NOW, Figures(open=1)),
        (Story().recorded().routed(owed=False).closed(), NOW, Figures(closed=1)),
        (Story(repeat_of="x").recorded(), NOW, Figures(open=1, repeats=1)),
    ],
    ids=[
        "before its due date",
        "at its due date",
        "unanswered beyond its due date",
        "answered in time, not rated yet",
        "answered late, not rated yet",
        "closed in time",
        "answered in the last moment",
        "answered a moment too late",
        "answered, and nobody was asked",
        "closed without an answer that was owed",
        "the first round late, the second in time",
        "withdrawn beyond its due date",
        "withdrawn after a late answer",
        "not routed yet",
        "owed no answer",
        "owed no answer, closed",
        "a repeat",
    ],
)
def test_a_case_counts_as(open_desk: Opener, story: Story, now: datetime, counted: Figures) -> None:
    with open_desk(now) as office:
        hear(office, *story.events)
        assert figures(office) == counted + Figures(cases=1)


def test_a_reopened_case_counts_by_the_date_of_its_new_round(open_desk: Opener) -> None:
    again = told().replied(IN_TIME).asked().rated(satisfied=False).reopened().routed()
    later = DUE + timedelta(days=30)
    with open_desk(later + MOMENT) as office:
        hear(office, *again.events)
        assert figures(office).open_overdue == 0
        hear(office, *again.due(later).events[-1:])
        assert figures(office).overdue == 1
        hear(office, *again.replied(later).closed().events[-2:])
        assert figures(office) == Figures(cases=1, closed=1, on_time=1)


def test_pauses_and_time_that_was_granted_are_counted(office: Desk) -> None:
    events = two_rounds().events
    at = next(index for index, event in enumerate(events) if isinstance(event, DeadlineSet))
    set_first = events[at]
    assert isinstance(set_first, DeadlineSet)
    hear(office, *events[: at + 1])
    assert (figures(office).paused, figures(office).extended) == (0, 0)
    by, clocks = Actor(unit="north-station"), set_first.clocks
    assert clocks.due_at is not None
    pause = Pause(reason="planned-outage", by=by, at=NOW, until=NOW + DAY)
    more = Extension(days=5, reason="parts", by=by, at=NOW)
    still = clocks.next(pauses=(pause,), extensions=(more,))
    hear(office, CasePaused(case_id=clocks.case_id, clocks=still, pause=pause))
    assert (figures(office).paused, figures(office).extended) == (1, 0), "asked is not granted"
    granted = more.but(state=ExtensionState.GRANTED)
    later = still.next(extensions=(granted,))
    hear(
        office,
        DeadlineExtended(
            case_id=clocks.case_id,
            clocks=later,
            extension=granted,
            moved_from=clocks.due_at,
            moved_to=clocks.due_at + DAY,
        ),
    )
    assert (figures(office).paused, figures(office).extended) == (1, 1)


def test_the_report_is_about_the_cases_recorded_in_the_period(office: Desk) -> None:
    times = ["2026-03-01 23:59", "2026-03-02 00:00", "2026-03-03 23:59", "2026-03-04 00:00"]
    for number, time in enumerate(times):
        story = Story(f"{number}", recorded_at=at(time)).recorded().routed().due()
        satisfied = number < 3
        hear(office, *story.replied(DUE).asked().rated(satisfied=satisfied).closed().events)

    def counts(start: date | None, end: date | None) -> tuple[int, int, int]:
        with office.storage.read() as connection:
            found = read_report(connection, office.policy, NOW, start, end)
        judged = found.satisfaction["branches"]
        return found.cases, judged.rated, judged.satisfied

    assert counts(None, None) == (4, 4, 3)
    assert counts(date(2026, 3, 2), date(2026, 3, 3)) == (2, 2, 2)
    assert counts(date(2026, 3, 4), None) == (1, 1, 0)
    assert counts(None, date(2026, 3, 1)) == (1, 1, 1)
    assert counts(date(2027, 1, 1), None) == (0, 0, 0)


# ── over HTTP ─────────────────────────────────────────────────────────────────────────────────


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [case["external_id"] for case in answer.json()["cases"]]


def test_cases_are_found_by_what_they_are_and_what_they_say(office: Desk, browser: Browser) -> None:
    hour = timedelta(hours=1)
    water = Story("water", recorded_at=MONDAY + hour, text="100% Wasser_rohr, 水管", place="Turm")
    power = Story("power", recorded_at=MONDAY, kind=Kind.COMPLAINT)
    hear(office, *water.recorded().routed("yellow", "south-station").due(NOW + hour).events)
    hear(office, *power.recorded().routed().due().events)
    assert ids(browser.get("/cases")) == ["water", "power"]
    assert ids(browser.get("/cases?colour=yellow")) == ["water"]
    assert ids(browser.get("/cases?unit=north-station&state=open")) == ["power"]
    assert ids(browser.get("/cases?state=closed")) == []
    assert ids(browser.get("/cases?overdue=true")) == ["power"]
    assert ids(browser.get("/cases?overdue=false")) == ["water"]
    assert ids(browser.get("/cases?q=WASSER turm")) == ["water"]
    assert ids(browser.get("/cases?q=%E6%B0%B4%E7%AE%A1")) == ["water"]
    assert ids(browser.get("/cases?q=wasser stairs nothing")) == []
    assert ids(browser.get(f"/cases?q={power.id}")) == ["power"]


@pytest.mark.parametrize("wild", ["%25", "100%25 W", "r_o", "%5C"])
def test_a_search_takes_every_sign_as_itself(office: Desk, browser: Browser, wild: str) -> None:
    hear(office, *Story("plain", text="hundred Wasserrohr").recorded().events)
    assert ids(browser.get(f"/cases?q={wild}")) == []


def test_a_list_goes_on_where_it_ended_and_shows_each_case_once(
    office: Desk, browser: Browser
) -> None:
    for number in range(7):  # three moments, so that some are recorded at the same one
        recorded_at = MONDAY + timedelta(days=number // 3)
        hear(office, *Story(f"{number}", recorded_at=recorded_at).recorded().events)
    seen, after = [], ""
    while True:
        answer = browser.get(f"/cases?limit=2{after}")
        seen += ids(answer)
        if answer.json()["next"] is None:
            break
        after = f"&after={answer.json()['next']}"
    assert sorted(seen) == [f"{number}" for number in range(7)]
    assert seen[0] == "6"


def test_a_history_tells_also_what_is_about_none_of_the_cases_aggregates(
    office: Desk, browser: Browser
) -> None:
    story = Story().recorded().routed()
    refused = CommandRefused(case_id=story.id, command="accept-case", problems=())
    hear(office, refused, *story.events, refused)
    hear(office, *Story("another").recorded().events)
    history = browser.get(f"/cases/{story.id}").json()["history"]
    assert [one["seq"] for one in history] == [1, 2, 3, 4]


def test_a_file_shows_all_facts_and_the_history_but_never_a_rating_link(
    office: Desk, browser: Browser
) -> None:
    story = two_rounds()
    shuffled = [*story.events]
    random.Random(1).shuffle(shuffled)
    hear(office, *shuffled)
    answer = browser.get(f"/cases/{story.id}")
    found = answer.json()
    assert found["record"]["case"]["text"] == "Since the storm."
    assert found["handling"]["version"] == 5
    assert found["clocks"]["version"] == 3
    assert found["judgement"]["standing"] == {"state": "closed", "round": 2}
    assert [part["number"] for part in found["rounds"]] == [1, 2]
    assert len(found["history"]) == len(story.events)
    assert "secret" not in answer.text
    assert "secret" not in browser.get("/journal").text


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/cases?state=lost", 422, "state"),
        ("/cases?limit=0", 422, "limit"),
        ("/cases?limit=1000", 422, "limit"),
        ("/cases?after=yesterday", 422, "after"),
        ("/cases?after=1-a%00", 422, "after"),
        ("/cases?q=a%00b", 422, "q"),
        ("/cases?sate=open", 422, "sate"),
        ("/cases/nothing", 404, "case_id"),
        ("/cases/a%00b", 404, "case_id"),
        ("/report?from=yesterday", 422, "from"),
        ("/report?from=2026-03-02&to=2026-03-01", 422, "from"),
        ("/journal?after=-1", 422, "after"),
    ],
)
def test_wrong_questions_get_a_clear_answer(
    browser: Browser, path: str, status: int, field: str
) -> None:
    answer = browser.get(path)
    assert answer.status_code == status, answer.text
    assert [problem["field"] for problem in answer.json()["problems"]] == [field]


def test_the_report_and_the_proof_of_the_journal_are_there(office: Desk, browser: Browser) -> None:
    hear(office, *two_rounds().events)
    report = browser.get("/report").json()
    assert (report["cases"], report["closed"], report["from"], report["to"]) == (1, 1, None, None)
    assert report["on_time"]["red"] == {"on_time": 0, "late": 1, "open_overdue": 0, "rate": 0.0}
    judged = {"asked": 2, "rated": 1, "satisfied": 0, "rate": 0.0}
    assert report["satisfaction"]["branches"] == judged
    assert report["titles"]["colours"]["red"] == {"zh": "red", "en": "Red"}
    assert browser.get("/journal/verify").json()["intact"] is True


def test_a_stranger_can_verify_the_journal_with_the_program_in_the_documentation(
    office: Desk, browser: Browser, tmp_path: Path
) -> None:
    hear(office, *two_rounds().events, *Story("停电").recorded().events)
    page = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
    [program] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exported = tmp_path / "journal.jsonl"

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    exported.write_text(browser.get("/journal?limit=100000").text, encoding="utf-8")
    assert run().stdout.strip() == browser.get("/journal/verify").json()["head"]
    exported.write_text(exported.read_text(encoding="utf-8").replace("storm", "party"))
    assert run().stderr.startswith("the body of entry 1 was changed")


def test_the_journal_is_proved_without_its_bodies_which_hold_peoples_words(
    office: Desk, browser: Browser
) -> None:
    hear(office, *two_rounds().events)
    told = browser.get("/journal?bodies=false").text
    assert "storm" in browser.get("/journal").text
    assert not any(word in told for word in ("storm", "stairs", "informant", "Mended"))
    before = bytes(32)
    for number, line in enumerate(map(json.loads, told.splitlines()), 1):
        content = json.dumps(line["entry"], ensure_ascii=False, separators=(",", ":"))
        before = hashlib.sha256(before + content.encode()).digest()
        assert (line["entry"][0], line["hash"]) == (number, before.hex())
    assert before.hex() == browser.get("/journal/verify").json()["head"]


def test_the_books_for_the_audit_are_sorted_and_complete(office: Desk, browser: Browser) -> None:
    for number in range(3):
        hear(office, *two_rounds(f"{number}").events)

    def lines(path: str) -> list[list[Any]]:
        return [json.loads(line) for line in browser.get(path).text.splitlines()]

    cases = sorted(two_rounds(f"{number}").id for number in range(3))
    assert lines("/books/ledger") == [[case, 15, "closed", 2] for case in cases]
    assert lines("/books/ledger/versions") == [[case, 1, 5, 3, 6] for case in cases]
    held = (("clocks", 3), ("handling", 5), ("judgement", 6), ("record", 1))
    expected = [[case, name, count, count] for case in cases for name, count in held]
    assert lines("/books/ledger/journal") == expected
    assert browser.get("/books").json() == {"ledger": {"outbox": 0, "parked": 0}}


def test_the_metrics_say_what_the_report_says(office: Desk, browser: Browser) -> None:
    hear(
        office, *two_rounds().events, *Story("open", repeat_of="x").recorded().routed().due().events
    )
    metrics = browser.get("/metrics").text.splitlines()
    for line in (
        'concentric_cases{state="open"} 1.0',
        'concentric_cases{state="withdrawn"} 0.0',
        'concentric_open_cases{colour="red",unit="north-station"} 1.0',
        'concentric_overdue_cases{colour="red",unit="north-station"} 1.0',
        'concentric_on_time_cases{colour="red",outcome="late"} 1.0',
        'concentric_on_time_cases{colour="red",outcome="open_overdue"} 1.0',
        'concentric_on_time_cases{colour="yellow",outcome="on_time"} 0.0',
        'concentric_on_time_ratio{colour="all"} 0.0',
        'concentric_evaluations{level="branches",outcome="asked"} 2.0',
        'concentric_satisfaction_ratio{level="branches"} 0.0',
        "concentric_repeat_cases 1.0",
        "concentric_repeat_ratio 0.5",
        "concentric_journal_entries 18.0",
    ):
        assert line in metrics
    # a rate of nothing is no rate
    assert not any('concentric_on_time_ratio{colour="yellow"}' in line for line in metrics)


# ── the page ──────────────────────────────────────────────────────────────────────────────────


def test_the_page_shows_cases_and_rates_without_any_script(office: Desk, browser: Browser) -> None:
    hear(office, *two_rounds().events, *told("open").events)
    page = re.sub(r"<script.*?</script>", "", browser.get("/").text, flags=re.DOTALL)
    assert "No light in the stairs" in page
    assert "2026-03-09" in page
    assert "0 on time · 1 late · 1 open beyond their date" in page
    assert "0 satisfied of 1 who rated · 2 asked" in page


def test_the_pages_form_finds_cases(office: Desk, browser: Browser) -> None:
    hear(office, *two_rounds("found").events, *told("other").events)
    rows_of = re.compile(r"No light in the stairs \((\w+)\)")
    assert rows_of.findall(browser.get("/?lang=en&q=&state=").text) == ["other", "found"]
    assert rows_of.findall(browser.get("/?lang=en&q=FOUND&state=").text) == ["found"]
    assert rows_of.findall(browser.get("/?q=&state=open&utm_source=mail").text) == ["other"]
    assert browser.get("/?state=lost").status_code == 422


def test_the_page_takes_nothing_that_a_case_says_as_markup(office: Desk, browser: Browser) -> None:
    nasty = "</td><script>alert(1)</script>\"'&{{ 7 * 7 }}"
    hear(office, *Story("nasty", subject=nasty, text=nasty).recorded().routed(unit=nasty).events)
    page = browser.get("/?q=%22%3E%3Cscript%3E").text + browser.get("/").text
    assert "<script>alert" not in page
    assert '"><script>' not in page
    assert "&lt;/td&gt;&lt;script&gt;" in page
    assert "49" not in re.sub(r"[^{]*&amp;", "", page.partition("alert(1)")[2][:80])


def test_the_page_loads_nothing_from_elsewhere_and_runs_only_its_own_script(
    browser: Browser,
) -> None:
    answer = browser.get("/")
    policy = answer.headers["Content-Security-Policy"]
    nonces = set(re.findall(r'nonce="([^"]+)"', answer.text))
    assert len(nonces) == 1
    assert f"script-src 'nonce-{nonces.pop()}'" in policy
    assert "default-src 'none'" in policy
    elsewhere = re.findall(r"(?:src|href)=\"(?:https?:)?//", answer.text)
    assert elsewhere == []
    assert not re.search(r"<[^>]+\s(style|on\w+)=", answer.text)


@pytest.mark.parametrize(
    ("language", "query", "shown"),
    [
        (None, "", "zh"),
        ("zh-CN,zh;q=0.9", "", "zh"),
        ("en-GB,en;q=0.8", "", "en"),
        ("de", "", "en"),
        ("zh", "?lang=en", "en"),
        ("en", "?lang=zh", "zh"),
        ("en", "?lang=xx", "en"),
    ],
)
def test_the_page_speaks_the_readers_language(
    browser: Browser, language: str | None, query: str, shown: str
) -> None:
    page = Browser(browser.app, language).get(f"/{query}").text
    assert f'data-lang="{shown}"' in page
