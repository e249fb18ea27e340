"""The deadline service on real databases: clocks speak once, however long nobody was up."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import cast

import pytest

from services.deadline.service import DEADLINE
from services.deadline.store import CLOCKS, MOST
from shared.domain.aggregates import Actor, Limits
from shared.domain.case import State
from shared.domain.errors import Unavailable
from shared.domain.events import (
    CaseDueSoon,
    CaseEscalated,
    CaseOverdue,
    CaseTransferred,
    ClocksEvent,
    DeadlineSet,
    Event,
)
from shared.observe.metrics import Metrics
from shared.runtime.http import application
from tests.support.browser import Browser
from tests.support.desk import Desk, desk
from tests.support.house import (
    SmallPolicy,
    Unchanging,
    answering,
    at,
    replied,
    routed,
    routing,
    withdrawing,
)
from tests.support.machine import machine, storage_of

START = at("2026-03-02 09:00")
LONG_AFTER = at("2026-06-01 00:00")
CASES = 100

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
        yield opened


def alarms(office: Desk) -> list[ClocksEvent]:
    return [event for event in office.sent(ClocksEvent) if not isinstance(event, DeadlineSet)]


def names(number: int) -> list[str]:
    return [f"case-{each:03}" for each in range(number)]


def expected(cases: list[str]) -> Counter[tuple[str, str, int]]:
    kinds = [("case.due-soon", 0), ("case.due-soon", 1), ("case.overdue", 0)]
    kinds += [("case.escalated", 0), ("case.escalated", 1)]
    return Counter((case, kind, step) for case in cases for kind, step in kinds)


def counted(events: list[ClocksEvent]) -> Counter[tuple[str, str, int]]:
    return Counter((each.case_id, each.type, each.clocks.said[-1].step) for each in events)


def test_a_routed_case_gets_its_due_date_and_a_row_in_the_books(office: Desk) -> None:
    office.hear(routing(routed()))
    [deadline] = office.sent(DeadlineSet)
    assert deadline.clocks.due_at is not None
    with office.storage.transaction(START) as tx:
        assert tx.get(CLOCKS, "case-1") == deadline.clocks


def test_a_case_that_is_owed_no_answer_is_in_the_books_without_a_word(office: Desk) -> None:
    office.hear(routing(routed(answer_owed=False, limits=Limits())))
    assert office.sent(Event) == []
    with office.storage.transaction(START) as tx:
        clocks = tx.get(CLOCKS, "case-1")
    assert clocks is not None
    assert (clocks.due_at, clocks.standing.state) == (None, State.OPEN)


def test_the_same_message_and_the_same_version_set_one_deadline(office: Desk) -> None:
    event = routing(routed())
    office.hear(event, event, message_id="first")
    office.hear(event, message_id="first")
    office.hear(event, message_id="another")
    assert len(office.sent(DeadlineSet)) == 1


def test_marks_that_pass_while_the_service_is_down_are_said_once_each(open_desk: Opener) -> None:
    cases = names(CASES)
    with open_desk(START) as before:
        before.hear(*(routing(routed(name)) for name in cases))
        assert before.tick() == 0
    with open_desk(LONG_AFTER) as after:
        after.tick_until_quiet()
    with open_desk(LONG_AFTER) as again:
        assert again.tick() == 0
        assert counted(alarms(again)) == expected(cases)


def test_what_was_missed_is_said_in_the_order_of_its_time(open_desk: Opener) -> None:
    with open_desk(START) as before:
        before.hear(routing(routed()))
    with open_desk(LONG_AFTER) as after:
        after.tick_until_quiet()
        said = sorted(alarms(after), key=lambda event: event.version)
    assert [type(event) for event in said] == [
        CaseDueSoon,
        CaseDueSoon,
        CaseOverdue,
        CaseEscalated,
        CaseEscalated,
    ]
    assert [each.to_unit for each in said if isinstance(each, CaseEscalated)] == [
        "north",
        "leaders",
    ]


def test_one_transaction_takes_a_batchs_worth_and_the_next_ones_the_rest(office: Desk) -> None:
    cases = names(MOST + 50)
    late = [routed(name, received_at=at("2026-03-12 15:00")) for name in cases]
    office.hear(*(routing(handling) for handling in late))
    office.now = LONG_AFTER
    assert [office.tick() for _ in range(3)] == [MOST, 50, 0]


def test_marks_are_said_when_their_moment_comes_and_not_before(office: Desk) -> None:
    office.hear(routing(routed()))
    said = []
    for moment in ("2026-03-04 23:59", "2026-03-05 00:00", "2026-03-09 23:59", "2026-03-10 00:00"):
        office.now = at(moment)
        said.append(office.tick_until_quiet())
    assert said == [0, 1, 1, 1]


def test_two_replicas_say_each_mark_once_between_them(open_desk: Opener) -> None:
    cases = names(CASES)
    with ExitStack() as stack:
        replicas = [stack.enter_context(open_desk(START)) for _ in range(2)]
        replicas[0].hear(*(routing(routed(name)) for name in cases))
        together, fired = threading.Barrier(2), list[int]()

        def tick(replica: Desk) -> None:
            replica.now = LONG_AFTER
            together.wait()
            while True:
                try:
                    while more := replica.tick():
                        fired.append(more)
                except Unavailable:  # both made the same new row; a worker, too, tries again
                    continue
                return

        threads = [threading.Thread(target=tick, args=[replica]) for replica in replicas]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(fired) == 5 * CASES
        assert counted(alarms(replicas[0])) == expected(cases)


def test_two_replicas_share_the_clocks_that_are_due(tmp_path: Path, database: str) -> None:
    """While one has some in hand, the other one does not wait for it."""
    from services.deadline.store import due

    with (
        desk(DEADLINE, SmallPolicy(), START, tmp_path, database) as first,
        desk(DEADLINE, SmallPolicy(), START, tmp_path, database) as second,
    ):
        first.hear(*(routing(routed(name)) for name in names(MOST + 10)))
        with (
            first.storage.transaction(LONG_AFTER) as mine,
            second.storage.transaction(LONG_AFTER) as theirs,
        ):
            taken = [{clocks.case_id for clocks in due(tx, LONG_AFTER)} for tx in (mine, theirs)]
    assert [len(each) for each in taken] == [MOST, 10]
    assert not taken[0] & taken[1]


def test_an_answered_a_withdrawn_and_an_imported_case_raise_no_alarm(office: Desk) -> None:
    answered, withdrawn = routed("answered"), routed("withdrawn")
    imported = routed("imported", started_at=at("2014-05-05 09:00"))
    office.hear(*map(routing, (answered, withdrawn, imported)))
    office.hear(answering(replied(answered, at("2026-03-03 09:00"))))
    office.hear(withdrawing("withdrawn", START))
    office.now = LONG_AFTER
    assert office.tick() == 0
    assert len(office.sent(DeadlineSet)) == 3


def test_an_overdue_case_that_was_transferred_goes_up_its_new_chain(office: Desk) -> None:
    handling = routed()
    office.hear(routing(handling))
    office.now = at("2026-03-12 08:00")
    office.tick_until_quiet()
    moved = CaseTransferred(
        case_id="case-1",
        handling=handling.next(unit="south-station"),
        by=Actor(unit="north-station"),
        reason="theirs",
        from_unit="north-station",
        at=office.now,
    )
    office.hear(moved)
    office.now = LONG_AFTER
    office.tick_until_quiet()
    steps = [(each.step, each.to_unit, each.clocks.unit) for each in office.sent(CaseEscalated)]
    assert steps == [(0, "north", "north-station"), (1, "leaders", "south-station")]


def test_a_date_outside_the_calendar_is_put_aside_alone_with_its_mend(office: Desk) -> None:
    ancient = routed("ancient", started_at=at("1998-01-05 09:00"))
    office.hear(routing(routed("before")), routing(ancient), routing(routed("after")))
    assert [each.case_id for each in office.sent(DeadlineSet)] == ["before", "after"]
    [parked] = office.storage.parked()
    assert parked.case_id == "ancient"
    assert "1998-01-05 lie outside" in parked.reason
    assert "widen `calendar.years`" in parked.reason
    office.hear(routing(routed("later")))
    assert len(office.sent(DeadlineSet)) == 3


def test_people_see_when_a_case_is_due(tmp_path: Path) -> None:
    storage = storage_of(DEADLINE, tmp_path)
    with machine(
        DEADLINE, storage, Unchanging(SmallPolicy()), tmp_path, clock=lambda: at("2026-03-05 12:00")
    ) as running:
        running.send(routing(routed()))
        patience = monotonic() + 10
        while not running.of(CaseDueSoon) and monotonic() < patience:
            sleep(0.05)
        browser = Browser(application([running.host], Metrics()))
        shown = browser.get("/cases/case-1/deadline")
        assert shown.status_code == 200
        deadline = shown.json()
        assert deadline["due_day"] == "2026-03-09"
        assert deadline["due_at"] == "2026-03-09T15:59:59.999999Z"
        assert (deadline["working_days"], deadline["working_days_left"]) == (5, 2)
        assert not deadline["overdue"]
        assert [mark["kind"] for mark in deadline["said"]] == ["due-soon"]
        assert len(deadline["marks"]) == 4
        unknown = browser.get("/cases/case-2/deadline")
        assert unknown.status_code == 404
        assert unknown.headers["content-type"] == "application/problem+json"
