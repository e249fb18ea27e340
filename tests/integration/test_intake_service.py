"""The intake service on real databases: recorded once, refused with reasons, repeats found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from services.intake.service import INTAKE
from services.intake.store import RECORDS
from shared.domain.aggregates import Judgement, Record
from shared.domain.case import Standing, State
from shared.domain.commands import SubmitCase, WithdrawCase
from shared.domain.errors import Conflict, NotFound, Refusal
from shared.domain.events import CaseClosed, CaseRecorded, CaseReopened, CaseWithdrawn, Event
from shared.runtime.work import Request
from tests.support.desk import Desk, desk
from tests.support.house import SmallPolicy, at

NOW = at("2026-03-04 10:00")
DAY = timedelta(days=1)

Opener = Callable[[datetime], AbstractContextManager[Desk]]


@pytest.fixture(params=["sqlite", "postgresql"])
def open_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens the same database at a moment: again after the first time, as a restart does."""
    url = None
    if request.param == "postgresql":
        url = cast("str", request.getfixturevalue("database"))
    return partial(desk, INTAKE, SmallPolicy(), folder=tmp_path, url=url)


@pytest.fixture
def intake(open_desk: Opener) -> Iterator[Desk]:
    with open_desk(NOW) as opened:
        yield opened


def case(number: int = 1, **changes: Any) -> SubmitCase:
    given = {"source": "s", "external_id": f"{number}", "channel": "hotline"}
    given |= {"subject": f"Lamp {number} is dark", "text": f"Lamp {number}, at the corner."}
    return SubmitCase.model_validate({**given, **changes})


def record_of(intake: Desk, case_id: str) -> Record | None:
    with intake.storage.transaction(intake.now) as tx:
        return tx.get(RECORDS, case_id)


def closed(case_id: str, round_: int = 1) -> CaseClosed:
    standing = Standing(state=State.CLOSED, round=round_)
    judgement = Judgement(case_id=case_id, version=2 * round_, standing=standing)
    return CaseClosed(case_id=case_id, judgement=judgement, reason="satisfied", at=NOW)


def reopened(case_id: str, round_: int = 2) -> CaseReopened:
    judgement = Judgement(case_id=case_id, version=3, standing=Standing(round=round_))
    return CaseReopened(case_id=case_id, judgement=judgement, reason="dissatisfied", at=NOW)


def test_a_case_is_recorded_once_however_often_it_is_submitted(open_desk: Opener) -> None:
    with open_desk(NOW) as intake:
        [event] = intake.do(case())
        assert isinstance(event, CaseRecorded)
        assert (event.case_id, event.version) == (case().about, 1)
        assert event.case.received_at == NOW
        assert intake.do(case()) == []
        changed = case(subject="Another subject under the same number")
        assert intake.do(changed) == []
    with open_desk(NOW + DAY) as intake:
        assert intake.do(case()) == []
        assert len(intake.sent(CaseRecorded)) == 1
        kept = record_of(intake, case().about)
    assert kept is not None
    assert kept == event.record


def test_a_case_twice_in_one_batch_is_recorded_once(intake: Desk) -> None:
    [(_, outcomes)] = intake._transact([Request([case(1), case(2), case(1)])]).answers
    assert [isinstance(outcome, list) and len(outcome) for outcome in outcomes] == [1, 1, 0]
    assert len(intake.sent(CaseRecorded)) == 2


def test_a_refused_case_leaves_no_trace_and_its_neighbours_are_recorded(intake: Desk) -> None:
    wrong = case(2, channel="nowhere", recorded_at=NOW + DAY)
    [(_, outcomes)] = intake._transact([Request([case(1), wrong, case(3)])]).answers
    refusal = outcomes[1]
    assert isinstance(refusal, Refusal)
    assert [problem.field for problem in refusal.problems] == ["channel", "recorded_at"]
    assert [event.case.external_id for event in intake.sent(CaseRecorded)] == ["1", "3"]
    assert record_of(intake, wrong.about) is None
    # mended, it is the same case
    assert len(intake.do(case(2))) == 1


def test_a_repeat_names_the_earliest_case_also_within_a_batch(intake: Desk) -> None:
    words = {"subject": "Dark lamp", "text": "At the corner."}
    same = [
        case(number, recorded_at=NOW - (60 - 20 * number) * DAY, **words) for number in range(3)
    ]
    intake._transact([Request(same[:2])])
    intake.do(same[2])
    intake.do(case(3, recorded_at=NOW, subject="Dark  lamp!", text="at the corner"))
    intake.do(case(4, recorded_at=NOW, subject="Another lamp", text="At the corner."))
    found = [event.case.repeat_of for event in intake.sent(CaseRecorded)]
    assert found == [None, same[0].about, same[0].about, same[0].about, None]


def test_a_batch_reads_all_that_it_needs_at_once(
    intake: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot = intake.storage.backend.hot
    open_, read = hot.open, []

    def count(connection: sa.Connection, claim: Any, wanted: Any) -> Any:
        read.append({table.name: len(keys) for table, keys in wanted.items()})
        return open_(connection, claim, wanted)

    monkeypatch.setattr(hot, "open", count)
    intake._transact([Request([case(number) for number in range(100)])])
    assert len(intake.sent(CaseRecorded)) == 100
    assert read == [{"records": 100, "fingerprints": 100}]


def test_an_open_case_is_withdrawn_once(intake: Desk) -> None:
    intake.do(case())
    command = WithdrawCase(case_id=case().about, reason="settled between neighbours", by="clerk-1")
    [event] = intake.do(command)
    assert isinstance(event, CaseWithdrawn)
    assert (event.version, event.reason, event.by, event.at) == (2, command.reason, "clerk-1", NOW)
    assert event.standing.state is State.WITHDRAWN
    with pytest.raises(Conflict, match="is withdrawn and cannot be withdrawn"):
        intake.do(command)
    assert len(intake.sent(CaseWithdrawn)) == 1


def test_a_case_that_nobody_recorded_cannot_be_withdrawn(intake: Desk) -> None:
    with pytest.raises(NotFound):
        intake.do(WithdrawCase(case_id="unknown", reason="why not"))
    assert record_of(intake, "unknown") is None


def test_a_closed_case_can_be_withdrawn_only_after_it_was_reopened(intake: Desk) -> None:
    intake.do(case())
    about = case().about
    intake.hear(closed(about))
    with pytest.raises(Conflict, match="is closed"):
        intake.do(WithdrawCase(case_id=about, reason="settled"))
    intake.hear(reopened(about))
    [event] = intake.do(WithdrawCase(case_id=about, reason="settled"))
    assert isinstance(event, CaseWithdrawn)
    assert event.standing == Standing(state=State.WITHDRAWN, round=2)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0, 1)])
def test_where_a_case_stands_does_not_depend_on_the_order_of_news(
    intake: Desk, order: tuple[int, ...]
) -> None:
    intake.do(case())
    news: list[Event] = [closed(case().about), reopened(case().about)]
    for index in order:
        intake.hear(news[index])
    known = record_of(intake, case().about)
    assert known is not None
    assert known.standing == Standing(state=State.OPEN, round=2)
    assert known.version == 1


def test_news_that_overtake_the_record_are_kept_for_it(intake: Desk) -> None:
    intake.hear(closed(case().about))
    [event] = intake.do(case())
    assert isinstance(event, CaseRecorded)
    assert event.record.standing.state is State.CLOSED
