"""Pauses, extensions, a doubtful clock, another calendar and the forecast, on real databases."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa

from services.deadline.calendars import PATIENCE
from services.deadline.gauges import figures
from services.deadline.service import DEADLINE
from services.deadline.store import CLOCKS, awaited
from shared.domain.aggregates import Clocks
from shared.domain.calendar import WorkingCalendar
from shared.domain.commands import (
    DecideExtension,
    PauseClock,
    RequestExtension,
    ResumeClock,
)
from shared.domain.errors import Conflict, NotFound
from shared.domain.events import (
    CaseDueSoon,
    CaseEscalated,
    CaseOverdue,
    CasePaused,
    CaseResumed,
    ClocksEvent,
    DeadlineExtended,
    DeadlineMoved,
    DeadlineSet,
    Event,
    ExtensionRefused,
    ExtensionRequested,
)
from shared.observe.metrics import Metrics
from shared.runtime.http import application
from shared.storage.storage import Storage
from tests.support.browser import Browser
from tests.support.desk import Desk, desk
from tests.support.house import (
    CALENDAR,
    ZONE,
    SmallPolicy,
    Unchanging,
    answering,
    at,
    replied,
    routed,
    routing,
)
from tests.support.machine import machine, storage_of

START = at("2026-03-02 09:00")
WEDNESDAY = at("2026-03-04 10:00")
LONG_AFTER = at("2026-06-01 00:00")
CASES = 100

MIGRATIONS = Path(__file__).parents[2] / "services" / "deadline" / "migrations"

Opener = Callable[[datetime], AbstractContextManager[Desk]]


@pytest.fixture(params=["sqlite", "postgresql"])
def open_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens the same database at a moment: again after the first time, as a restart does."""
    url = None
    if request.param == "postgresql":
        url = cast("str", request.getfixturevalue("database"))
    return partial(desk, DEADLINE, SmallPolicy(), folder=tmp_path, url=url)


@pytest.fixture
def office(open_desk: Opener) -> Iterator[Desk]:
    with open_desk(START) as opened:
        opened.hear(routing(routed()))
        yield opened


def names(number: int) -> list[str]:
    return [f"case-{each:03}" for each in range(number)]


def clocks_of(office: Desk, case: str = "case-1") -> Clocks:
    with office.storage.transaction(office.now) as tx:
        found = tx.get(CLOCKS, case)
    assert found is not None
    return found


def test_a_pause_and_an_extension_by_command_are_events_with_the_clocks(office: Desk) -> None:
    office.now = WEDNESDAY
    office.do(PauseClock(case_id="case-1", unit="north-station", reason="waiting-for-informant"))
    office.do(
        RequestExtension(
            case_id="case-1", unit="north-station", days=3, reason="parts on their way"
        )
    )
    office.do(DecideExtension(case_id="case-1", unit="north", granted=True))
    office.now = at("2026-03-06 10:00")
    office.do(ResumeClock(case_id="case-1", unit="north-station"))
    office.do(RequestExtension(case_id="case-1", unit="north-station", days=2, reason="more parts"))
    office.do(DecideExtension(case_id="case-1", unit="north", granted=False, note="no"))
    told = [type(event) for event in office.sent(Event)]
    assert sorted(told, key=str) == sorted(
        [DeadlineSet, CasePaused, ExtensionRequested, DeadlineExtended, CaseResumed,
         ExtensionRequested, ExtensionRefused], key=str
    )  # fmt: skip
    versions = [event.version for event in office.sent(ClocksEvent)]
    assert sorted(versions) == list(range(1, 8))
    due = clocks_of(office).due_at
    assert due == at("2026-03-17 00:00") - timedelta(microseconds=1)  # 5 + 3, and 2 paused


def test_a_refused_command_changes_nothing(office: Desk) -> None:
    before = clocks_of(office)
    with pytest.raises(Conflict, match="who may: 'north'"):
        office.do(PauseClock(case_id="case-1", unit="north-station", reason="planned-outage"))
    with pytest.raises(NotFound):
        office.do(ResumeClock(case_id="case-2", unit="north-station"))
    assert clocks_of(office) == before


def test_a_pause_that_ends_while_nobody_is_up_ends_at_its_moment(open_desk: Opener) -> None:
    with open_desk(START) as before:
        before.hear(routing(routed()))
        before.now = WEDNESDAY
        pause = {"reason": "waiting-for-informant", "until": at("2026-03-06 12:00")}
        before.do(
            PauseClock.model_validate({"case_id": "case-1", "unit": "north-station", **pause})
        )
    with open_desk(LONG_AFTER) as after:
        after.tick_until_quiet()
        said = sorted(after.sent(ClocksEvent), key=lambda event: event.version)
    assert [type(event) for event in said][2:] == [
        CaseResumed, CaseDueSoon, CaseDueSoon, CaseOverdue, CaseEscalated, CaseEscalated,
    ]  # fmt: skip
    overdue = next(event for event in said if isinstance(event, CaseOverdue))
    assert overdue.clocks.said[-1].at == at("2026-03-12 00:00")


def test_what_fell_due_while_nobody_was_up_says_how_late_it_is(open_desk: Opener) -> None:
    cases = names(CASES)
    with open_desk(START) as before:
        before.hear(*(routing(routed(name)) for name in cases))
    with open_desk(at("2026-03-10 01:00")) as after:
        with after.storage.read() as connection:
            [lag, *_] = figures(connection, after.context())
        assert lag.value == timedelta(days=5, hours=1).total_seconds()  # the first warning's
        after.tick_until_quiet()
        assert after.tick_until_quiet() == 0
        overdue = after.sent(CaseOverdue)
        assert Counter(event.case_id for event in overdue) == Counter(cases)
        assert {event.late_by for event in overdue} == {3600}
        with after.storage.read() as connection:
            [lag, *_] = figures(connection, after.context())
        assert lag.value == 0


def test_a_clock_that_jumped_ahead_fires_nothing_for_good_until_it_is_confirmed(
    office: Desk,
) -> None:
    cases = ["case-1", *names(CASES)]
    office.hear(*(routing(routed(name)) for name in cases[1:]))
    office.now, office.certain = LONG_AFTER, False
    office.tick_until_quiet()
    assert {type(event) for event in office.sent(ClocksEvent)} == {DeadlineSet, CaseDueSoon}
    office.now, office.certain = START, True  # the clock went back
    assert office.tick_until_quiet() == 0
    office.now = LONG_AFTER  # and time really came there
    office.tick_until_quiet()
    once = Counter(cases)
    assert Counter(event.case_id for event in office.sent(CaseOverdue)) == once
    warned = Counter(
        (event.case_id, event.clocks.said[-1].step) for event in office.sent(CaseDueSoon)
    )
    assert set(warned.values()) == {1}
    assert len(warned) == 2 * len(cases)


def test_a_new_calendar_moves_open_deadlines_once_each_and_goes_on_after_a_restart(
    open_desk: Opener,
) -> None:
    cases = names(CASES)
    days = set(map(date.fromordinal, CALENDAR._ordinals)) - {date(2026, 3, 9)}
    closed = replace(
        SmallPolicy(), calendar=WorkingCalendar.of(days, ZONE, CALENDAR.published_until)
    )
    with open_desk(START) as before:
        before.hear(*(routing(routed(name)) for name in cases))
        before.hear(answering(replied(routed("case-000"), at("2026-03-02 10:00"))))
        settle(before)
        assert before.sent(DeadlineMoved) == []
        before.policy = closed
        before.tick()
        assert before.sent(DeadlineMoved) == []  # until it is certain that it stays
    with open_desk(START + timedelta(minutes=1)) as after:
        after.policy = closed
        settle(after)
        moved = after.sent(DeadlineMoved)
        assert Counter(event.case_id for event in moved) == Counter(cases[1:])
        assert {event.why for event in moved} == {"calendar"}
        assert {event.moved_to for event in moved} == {
            at("2026-03-11 00:00") - timedelta(microseconds=1)
        }
        settle(after)
        assert len(after.sent(DeadlineMoved)) == CASES - 1


def settle(office: Desk) -> None:
    for _ in range(3):
        office.tick_until_quiet()
        office.now += PATIENCE + timedelta(seconds=1)


def test_people_pause_and_see_the_reckoning_over_http(tmp_path: Path) -> None:
    storage = storage_of(DEADLINE, tmp_path)
    with machine(
        DEADLINE, storage, Unchanging(SmallPolicy()), tmp_path, clock=lambda: WEDNESDAY
    ) as running:
        running.send(routing(routed()))
        running.of(DeadlineSet)
        browser = Browser(application([running.host], Metrics()))
        body = {"case_id": "case-1", "unit": "north-station", "reason": "waiting-for-informant"}
        wrong = browser.command("pause-clock", {**body, "until": "2026-03-06T12:00:00"})
        assert (wrong.status_code, wrong.json()["problems"][0]["code"]) == (422, "no-time-zone")
        assert browser.command("pause-clock", body).status_code == 200
        assert browser.command("pause-clock", body).status_code == 409
        assert browser.get("/cases/case-1/deadline").json()["paused"]
        days = browser.get("/cases/case-1/deadline/days").json()
        assert days["counts"] == {"received": 1, "counted": 5, "paused": 10, "weekend": 6}
        table = browser.get("/cases/case-1/deadline/table?language=zh")
        assert "2026-03-04  周三         暂停，不计" in table.text
        assert browser.get("/cases/case-2/deadline/days").status_code == 404
        assert browser.get("/cases/case-1/deadline/table?language=fr").status_code == 422
        assert browser.get("/forecast").json()["units"][0]["unit"] == "north-station"


@pytest.mark.parametrize("server", ["sqlite", "postgresql"])
def test_clocks_of_an_earlier_release_get_their_columns(
    server: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = cast("str", request.getfixturevalue("database")) if server == "postgresql" else None
    former = tmp_path / "former"
    former.mkdir()
    shutil.copy(MIGRATIONS / "0001_clocks.py", former)
    old = Storage.open(url, "deadline", DEADLINE.metadata, str(former), folder=tmp_path)
    old.migrate()
    body = json.dumps(
        {"case_id": "case-1", "unit": "north", "due_at": "2026-03-09T15:59:59.999999Z"}
    )
    table = sa.table("clocks", *map(sa.column, ("key", "state", "body")))
    with old.transaction(START) as tx:
        tx.connection.execute(sa.insert(table).values(key="case-1", state="open", body=body))
    old.close()
    with desk(DEADLINE, SmallPolicy(), START, tmp_path, url) as opened:
        with opened.storage.read() as connection:
            assert list(awaited(connection)) == [
                ("north", at("2026-03-10 00:00") - timedelta(microseconds=1), 1)
            ]
        assert clocks_of(opened).pauses == ()


@pytest.mark.parametrize(("lang", "words"), [("zh", "逾期预测"), ("en", "Breaches to come")])
def test_people_see_what_is_to_be_expected_and_how_a_due_date_came_about(
    tmp_path: Path, lang: str, words: str
) -> None:
    storage = storage_of(DEADLINE, tmp_path)
    with machine(
        DEADLINE, storage, Unchanging(SmallPolicy()), tmp_path, clock=lambda: WEDNESDAY
    ) as running:
        running.send(routing(routed()))
        running.of(DeadlineSet)
        browser = Browser(application([running.host], Metrics()), lang)
        expected = browser.get("/forecast/page")
        assert words in expected.text
        assert SmallPolicy().units["north-station"].title[lang] in expected.text
        assert expected.headers["content-language"] == ("zh-CN" if lang == "zh" else "en")
        reckoning = browser.get("/cases/case-1/deadline/page").text
        days = browser.get("/cases/case-1/deadline/days").json()["days"]
        assert all(day["day"] in reckoning for day in days)
        assert browser.get("/cases/nobody/deadline/page").status_code == 404
