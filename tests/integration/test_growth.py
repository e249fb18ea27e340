"""What grows for ever is not looked through: neither by a timer, nor on the way of a case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from services.embedded.catalogue import NAMES, load
from services.ledger.erasing import erasures
from services.ledger.reading import read_file
from services.ledger.service import LEDGER
from services.notify import store
from services.notify.service import NOTIFY
from services.router.service import ROUTER
from services.router.store import open_cases
from shared.domain.notices import Way
from tests.support.desk import Desk, desk
from tests.support.house import SmallPolicy, at
from tests.support.story import Story

NOW = at("2026-03-04 10:00")

Asked = list[tuple[str, Any]]

FEW = (
    "alembic_version",
    "chain",
    "digests",
    "policies",
    "policy_head",
    "reviews",
    "shadow",
    "sweeps",
)
"""Tables that hold little, however many cases there are."""


@contextmanager
def listening() -> Iterator[Asked]:
    """Every query that is made through SQLAlchemy meanwhile, with its parameters."""
    asked: Asked = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            asked.append((statement, parameters))

    sa.event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(Engine, "before_cursor_execute", note)


def scans(office: Desk, asked: Asked) -> list[str]:
    """What SQLite would look through from end to end to answer these."""
    found = []
    with office.storage.read() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"explain query plan {statement}", parameters)
            steps = [row[-1] for row in plan.all()]
            found += [step for step in steps if step.startswith("SCAN ")]
    return [step for step in found if step.split()[1] not in FEW]


@pytest.mark.parametrize("name", NAMES)
def test_no_timer_looks_through_all_cases(name: str, tmp_path: Path) -> None:
    with desk(load(name), SmallPolicy(), NOW, tmp_path) as office:
        with listening() as asked:
            office.tick()
        assert scans(office, asked) == []


def test_the_journal_is_not_looked_through_for_the_file_of_a_case(tmp_path: Path) -> None:
    story = Story().recorded()
    with desk(LEDGER, SmallPolicy(), NOW, tmp_path) as office:
        office.hear(*story.events)
        with listening() as asked, office.storage.read() as connection:
            assert read_file(connection, story.id, NOW).history
            erasures(connection)(story.id)
        assert len(asked) == 4
        assert scans(office, asked) == []


def test_the_burden_of_a_unit_is_counted_from_its_open_cases(tmp_path: Path) -> None:
    with desk(ROUTER, SmallPolicy(), NOW, tmp_path) as office:
        with listening() as asked, office.storage.read() as connection:
            open_cases(connection, {"north-station", "south-station"})
        with office.storage.read() as connection:
            [(statement, parameters)] = asked
            plan = connection.exec_driver_sql(f"explain query plan {statement}", parameters).all()
    assert "USING INDEX ix_handlings_open (unit=?)" in plan[0][-1]


def test_messages_that_are_over_are_not_looked_through_for_those_that_wait(tmp_path: Path) -> None:
    with desk(NOTIFY, SmallPolicy(), NOW, tmp_path) as office:
        with listening() as asked:
            with office.storage.transaction(NOW) as tx:
                store.due(tx, Way.MAIL, NOW, 4)
            with office.storage.read() as connection:
                store.anything_due(connection, [Way.MAIL, Way.WEBHOOK], NOW)
        with office.storage.read() as connection:
            index = sa.inspect(connection).get_indexes("notices")
        assert len(asked) == 2
        assert scans(office, asked) == []
    [due] = [each for each in index if each["name"] == "ix_notices_due"]
    assert "NOT NULL" in f"{due['dialect_options']['sqlite_where']}"
