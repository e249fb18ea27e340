"""What a policy counts, intake and router count from their own tables, one query for a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from services.intake.service import INTAKE
from services.intake.store import SIGHTINGS
from services.router.service import ROUTER
from shared.domain.aggregates import Record
from shared.domain.case import Case, Kind
from shared.domain.commands import SubmitCase
from shared.domain.events import CaseRecorded, CaseRouted, CaseWithdrawn
from shared.domain.policy import Count
from shared.policy import parse_policy
from shared.runtime.work import Request
from tests.support.desk import Desk, desk
from tests.support.house import SmallPolicy, at
from tests.unit.policy.conftest import SMALL
from tests.unit.policy.samples import with_section

NOW = at("2026-03-04 10:00")
DAY = timedelta(days=1)
COUNTING = SmallPolicy(
    counts={
        "same-words": Count(of="same-matter", days=30),
        "same-person": Count(of="same-informant", days=7),
        "waiting": Count(of="open-cases-of-unit"),
    }
)

Opener = Callable[..., AbstractContextManager[Desk]]


@pytest.fixture(params=["sqlite", "postgresql"])
def open_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    url = None
    if request.param == "postgresql":
        url = cast("str", request.getfixturevalue("database"))
    return partial(desk, now=NOW, folder=tmp_path, url=url)


def submission(number: int, **changes: Any) -> SubmitCase:
    given: dict[str, Any] = {"source": "s", "external_id": f"{number}", "channel": "hotline"}
    given |= {"subject": "Dark lamp", "informant": {"ref": "caller-7"}}
    return SubmitCase.model_validate(given | changes)


def counted(intake: Desk) -> list[dict[str, int]]:
    return [event.case.counts for event in intake.sent(CaseRecorded)]


def test_intake_counts_within_the_days_and_within_one_batch(open_desk: Opener) -> None:
    with open_desk(INTAKE, COUNTING) as intake:
        intake._transact([Request([submission(1), submission(2), submission(2)])])
        intake.now += 10 * DAY
        intake.do(submission(3))
        intake.do(submission(4, subject="Hole in the road", informant={}))
        assert counted(intake) == [
            {"same-words": 0, "same-person": 0},
            {"same-words": 1, "same-person": 1},
            {"same-words": 2, "same-person": 0},
            {"same-words": 0},
        ]


def test_what_the_policy_does_not_count_is_neither_asked_for_nor_kept(open_desk: Opener) -> None:
    assert list(INTAKE.rows_for(submission(1), COUNTING))[2:] != []
    assert list(INTAKE.rows_for(submission(1), SmallPolicy()))[2:] == []
    with open_desk(INTAKE, SmallPolicy()) as intake:
        intake.do(submission(1))
        assert counted(intake) == [{}]
        with intake.storage.transaction(NOW) as tx:
            rows = tx.connection.execute(sa.select(sa.func.count()).select_from(SIGHTINGS.table))
            assert rows.scalar_one() == 0


def test_the_router_counts_open_cases_once_for_a_batch(open_desk: Opener) -> None:
    with open_desk(ROUTER, COUNTING) as router:
        router.hear(recorded(1, station="north"), recorded(2, station="north"))
        with statements() as asked:
            router.hear(recorded(3), recorded(4), recorded(5, category="bills"))
        assert sum("count(" in statement.lower() for statement in asked) == 1
        router.hear(withdrawn(1))
        router.hear(recorded(6))
        waiting = [event.decision.facts["waiting"] for event in router.sent(CaseRouted)]
        assert waiting == [0, 0, 2, 2, 0, 1]


def test_a_policy_without_that_count_asks_the_router_for_nothing(open_desk: Opener) -> None:
    with open_desk(ROUTER, SmallPolicy()) as router, statements() as asked:
        router.hear(recorded(1))
        assert not any("count(" in statement.lower() for statement in asked)


RULES = """
  - {name: often, when: {again: {at_least: 2}}, then: {colour: red, unit: repair}}
  - {name: busy, when: {waiting: {at_least: 2}}, then: {colour: yellow, unit: house}}
  - {name: rest, when: {}, then: {colour: yellow, unit: category-unit}}
"""
WANTED = """
  again: {title: {zh: 又, en: Again}, of: same-matter, days: 30}
  waiting: {title: {zh: 待办, en: Waiting}, of: open-cases-of-unit}
"""


def test_a_policy_file_decides_by_what_was_counted(open_desk: Opener, tmp_path: Path) -> None:
    text = with_section(with_section(SMALL, "triage", RULES), "counts", WANTED)
    policy = parse_policy("counting.yaml", text.replace("[2018, 2021]", "[2018, 2026]").encode())
    subjects = ["停电", "停电 again", "停电", "停电", "Outage"]
    with open_desk(INTAKE, policy) as intake, desk(ROUTER, policy, NOW, tmp_path) as router:
        for number, subject in enumerate(subjects):
            [event] = intake.do(submission(number, subject=subject, category="power"))
            router.hear(event)
        rows = [event.decision.row for event in router.sent(CaseRouted)]
        assert rows == ["rest", "rest", "busy", "often", "busy"]


def recorded(number: int, category: str = "lamps", station: str | None = None) -> CaseRecorded:
    """A case that falls to the northern department, or with its bills to the southern one."""
    case = Case(id=f"c{number}", text="", source="s", external_id=f"{number}", channel="hotline",
                kind=Kind.PROBLEM, category=category, subject="Dark lamp", station=station,
                recorded_at=NOW, received_at=NOW)  # fmt: skip
    return CaseRecorded(case_id=case.id, record=Record(case_id=case.id, version=1, case=case))


def withdrawn(number: int) -> CaseWithdrawn:
    from services.intake import logic

    record = logic.withdraw(recorded(number).record, "mistake", NOW)
    return CaseWithdrawn(case_id=record.case_id, record=record, reason="mistake", by="i", at=NOW)


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of any database meanwhile."""
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
