"""The monthly reviews on real databases: opened once, signed by who may, overdue once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.ledger.reviewing import TIMERS, ReviewQuery, listed
from services.ledger.service import LEDGER
from shared.domain.calendar import WorkingCalendar
from shared.domain.commands import SignReview
from shared.domain.errors import Conflict, NotFound
from shared.domain.review_events import ReviewEvent, ReviewOpened, ReviewOverdue, ReviewSigned
from shared.domain.reviews import Review, ReviewFigures, ReviewRules, ReviewState
from shared.observe.metrics import Metrics
from shared.runtime.batch import Batch
from shared.runtime.http import application
from shared.runtime.work import Tick
from tests.support.browser import Browser
from tests.support.desk import Desk, desk
from tests.support.house import ZONE, SmallPolicy, Unchanging, at
from tests.support.machine import machine, storage_of
from tests.support.serving import served
from tests.support.story import Story

HOLIDAY = {date(2026, 10, day) for day in range(1, 8)}
MAKE_UP = date(2026, 10, 10)  # a Saturday


def _calendar() -> WorkingCalendar:
    """Weekdays without the week of the National Day, which a Saturday makes up for."""
    days = (date(2025, 1, 1) + timedelta(days=number) for number in range(3 * 365))
    working = [day for day in days if day.weekday() < 5 and day not in HOLIDAY]
    return WorkingCalendar.of([*working, MAKE_UP], ZONE, published_until=date(2026, 12, 31))


POLICY = SmallPolicy(calendar=_calendar(), review=ReviewRules(levels=("branches",)))
NOW = at("2026-10-01 09:00")
DUE = datetime(2026, 10, 13, 15, 59, 59, 999999, tzinfo=UTC)
"""The 8th, 9th, the Saturday, the 12th and the 13th of October are worked."""

SIGN = SignReview(
    reviewed="north-station", month="2026-09", unit="north", person="head", remark="Well done"
)

Opener = Callable[[datetime], AbstractContextManager[Desk]]


@pytest.fixture
def open_desk(url: str | None, tmp_path: Path) -> Opener:
    """Opens the same database at a moment; opened twice, a replica."""
    return partial(desk, LEDGER, POLICY, folder=tmp_path, url=url)


@pytest.fixture
def office(open_desk: Opener) -> Iterator[Desk]:
    with open_desk(NOW) as opened:
        yield opened


def told(name: str, when: str, unit: str = "north-station", **case: object) -> Story:
    story = Story(name, recorded_at=at(when), received_at=at(when), station=unit, **case)
    return story.recorded().routed(unit=unit)


def september(office: Desk) -> None:
    """Four cases of the northern station, one of the southern, one of the next month."""
    due = at("2026-09-15 23:59")
    for story in (
        told("well", "2026-09-01 00:00")
        .due(due)
        .replied(at("2026-09-03 10:00"))
        .asked()
        .rated(satisfied=True)
        .closed(),
        told("badly", "2026-09-10 10:00")
        .due(due)
        .replied(at("2026-09-20 10:00"))
        .asked()
        .rated(satisfied=False)
        .closed("rounds-exhausted"),
        told("never", "2026-09-10 11:00").due(due),
        told("again", "2026-09-30 23:59", repeat_of="well").due(at("2026-10-12 23:59")),
        told("theirs", "2026-09-11 09:00", "south-station").withdrawn(),
        told("later", "2026-10-01 00:00").due(at("2026-10-12 23:59")),
    ):
        for event in story.events:
            assert not office.hear(event).parked


def pass_time(office: Desk) -> None:
    """As the worker does: the timer of the reviews again at once, while it finds some."""
    while office.fire(TIMERS[0]):
        pass


def reviews(office: Desk) -> dict[str, Review]:
    with office.storage.read() as connection:
        return {each.key: each for each in listed(connection, ReviewQuery()).reviews}


def test_the_review_holds_the_figures_of_the_month_and_its_due_date(office: Desk) -> None:
    september(office)
    pass_time(office)
    found = reviews(office)
    assert set(found) == {"north-station/2026-09", "south-station/2026-09"}
    north = found["north-station/2026-09"]
    assert north.figures == ReviewFigures(
        recorded=4,
        answered=2,
        closed=2,
        on_time=1,
        late=1,
        open_overdue=1,
        asked=2,
        rated=2,
        satisfied=1,
        repeats=1,
    )
    assert found["south-station/2026-09"].figures == ReviewFigures(recorded=1)
    assert (north.due_at, north.signers, north.state) == (DUE, ("north",), ReviewState.OPEN)
    assert [event.review for event in office.sent(ReviewOpened)] == list(found.values())


def test_what_was_reviewed_stays_when_the_cases_go_on(office: Desk) -> None:
    september(office)
    pass_time(office)
    before = reviews(office)
    office.hear(told("afterwards", "2026-09-20 10:00").events[0])
    office.now = DUE
    pass_time(office)
    assert reviews(office) == before


def test_a_month_is_reviewed_once_it_has_ended_on_the_wall_of_the_place(office: Desk) -> None:
    september(office)
    office.now = at("2026-10-01 00:00") - timedelta(microseconds=1)
    pass_time(office)
    assert reviews(office) == {}
    office.now = at("2026-10-01 00:00")
    pass_time(office)
    assert len(reviews(office)) == 2


def test_two_replicas_open_each_review_once(office: Desk, open_desk: Opener) -> None:
    september(office)
    failures = []

    def run(one: Desk) -> None:
        try:
            pass_time(one)
        except Exception as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    with open_desk(NOW) as replica:
        thread = threading.Thread(target=run, args=(replica,))
        with office.storage.transaction(NOW) as tx:
            Batch(LEDGER, tx, office.context()).run([Tick(TIMERS[0])])
            thread.start()
            thread.join(0.5)  # it finds nothing opened, and waits for us to commit
        thread.join(30)
        assert not failures
        assert len(office.sent(ReviewOpened)) == 2  # of both: they share the outbox
    with open_desk(NOW) as restarted:
        pass_time(restarted)
        assert len(restarted.sent(ReviewOpened)) == 2


def test_missed_months_are_caught_up_from_the_first_case_on(office: Desk) -> None:
    pass_time(office)
    assert reviews(office) == {}  # a house without cases has nothing to review
    september(office)
    office.now = at("2026-12-05 09:00")
    pass_time(office)
    months = sorted({each.month for each in reviews(office).values()})
    assert months == ["2026-09", "2026-10", "2026-11"]


def test_no_more_than_twelve_months_are_caught_up(office: Desk) -> None:
    office.hear(*told("old", "2025-02-01 09:00").events)
    pass_time(office)
    months = sorted({each.month for each in reviews(office).values()})
    assert (len(months), months[0], months[-1]) == (12, "2025-10", "2026-09")


def test_nothing_is_opened_or_overdue_while_the_clock_is_in_doubt(office: Desk) -> None:
    september(office)
    office.certain = False
    pass_time(office)
    assert office.sent(ReviewEvent) == []
    office.certain = True
    pass_time(office)
    office.certain, office.now = False, DUE + timedelta(days=1)
    pass_time(office)
    assert office.sent(ReviewOverdue) == []


def test_an_unsigned_review_is_overdue_once(office: Desk, open_desk: Opener) -> None:
    september(office)
    pass_time(office)
    office.do(SIGN)
    office.now = DUE
    pass_time(office)
    assert office.sent(ReviewOverdue) == []
    office.now = DUE + timedelta(microseconds=1)
    pass_time(office)
    with open_desk(DUE + timedelta(days=3)) as replica:
        pass_time(replica)
    [said] = office.sent(ReviewOverdue)
    assert (said.review.unit, said.late_by) == ("south-station", None)


def test_what_is_said_late_says_so(office: Desk) -> None:
    september(office)
    pass_time(office)
    office.now = DUE + timedelta(hours=2)
    pass_time(office)
    assert {said.late_by for said in office.sent(ReviewOverdue)} == {7200}


def test_the_unit_above_signs_and_nobody_else(office: Desk) -> None:
    september(office)
    pass_time(office)
    for unit in ("north-station", "south", "leaders"):
        with pytest.raises(Conflict, match="north signs it") as refused:
            office.do(SIGN.model_copy(update={"unit": unit}))
        assert refused.value.problems[0].code == "not-entitled"
    office.do(SIGN)
    [event] = office.sent(ReviewSigned)
    signed = reviews(office)["north-station/2026-09"]
    assert event.review == signed
    assert signed.state is ReviewState.SIGNED
    assert signed.signature is not None
    assert (signed.signature.person, signed.signature.remark) == ("head", "Well done")
    with pytest.raises(Conflict, match="head for north signed"):
        office.do(SIGN)
    with pytest.raises(NotFound, match="no review"):
        office.do(SIGN.model_copy(update={"month": "2026-10"}))


def test_a_unit_never_signs_for_itself_even_where_the_policy_names_it(open_desk: Opener) -> None:
    rules = ReviewRules(levels=("branches",), by=("north-station", "leaders"))
    with open_desk(NOW) as office:
        office.policy = SmallPolicy(calendar=_calendar(), review=rules)
        september(office)
        pass_time(office)
        with pytest.raises(Conflict, match="leaders signs it"):
            office.do(SIGN.model_copy(update={"unit": "north-station"}))


def test_reviews_go_into_the_journal_and_are_asked_for_over_http(
    office: Desk, url: str | None, tmp_path: Path
) -> None:
    september(office)
    pass_time(office)
    office.do(SIGN)
    events = office.sent(ReviewEvent)
    assert not office.hear(*(each for each in events if isinstance(each, ReviewOpened))).parked
    with machine(
        LEDGER, storage_of(LEDGER, tmp_path, url), Unchanging(POLICY), tmp_path, lambda: NOW
    ) as running:
        browser = Browser(application([running.host], Metrics()))
        found = browser.get("/reviews?month=2026-09&state=open").json()
        assert [each["unit"] for each in found["reviews"]] == ["south-station"]
        one = browser.get("/reviews/north-station/2026-09").json()
        assert one["signature"]["person"] == "head"
        assert browser.get("/reviews/north-station/2026-10").status_code == 404
        assert browser.get("/reviews?month=2026-13").status_code == 422
        assert "review.opened" in browser.get("/journal").text
        assert 'concentric_reviews{state="open"} 1.0' in browser.get("/metrics").text


def test_the_command_lists_the_reviews_of_a_folder(tmp_path: Path) -> None:
    with desk(LEDGER, POLICY, NOW, tmp_path) as office:
        september(office)
        pass_time(office)
        office.do(SIGN)
    words = ["review", "list", "--data", f"{tmp_path}", "--json"]
    printed = CliRunner().invoke(app, [*words, "--state", "signed"])
    assert printed.exit_code == 0, printed.output
    assert '"person": "head"' in printed.output
    assert "south-station" not in printed.output
    refused = CliRunner().invoke(app, [*words, "--month", "November"])
    assert refused.exit_code == 2
    assert "month" in refused.output


def test_the_command_signs_at_a_running_installation(tmp_path: Path) -> None:
    with desk(LEDGER, POLICY, NOW, tmp_path) as office:
        september(office)
        pass_time(office)
    storage = storage_of(LEDGER, tmp_path)
    words = ["review", "sign", "north-station", "2026-09", "--person", "head"]
    with (
        machine(LEDGER, storage, Unchanging(POLICY), tmp_path, lambda: NOW) as running,
        served(application([running.host], Metrics())) as address,
    ):
        refused = CliRunner().invoke(app, [*words, "--unit", "south", "--url", address])
        assert refused.exit_code == 2
        assert "north signs it" in refused.output
        signed = CliRunner().invoke(app, [*words, "--unit", "north", "--url", address])
        assert signed.exit_code == 0, signed.output
        listing = ["review", "list", "--state", "signed", "--url", address]
        shown = CliRunner().invoke(app, listing, env={"COLUMNS": "200"})
        assert "head (north)" in shown.output
