"""The forecast on real databases: what it counts, and that it reads little."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy.dialects import sqlite

from services.deadline.gauges import expected, figures
from services.deadline.service import DEADLINE
from services.deadline.store import AWAITED
from tests.support.desk import Desk, desk
from tests.support.house import SmallPolicy, answering, at, replied, routed, routing

START = at("2026-03-02 09:00")


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    url = None
    if request.param == "postgresql":
        url = cast("str", request.getfixturevalue("database"))
    with desk(DEADLINE, SmallPolicy(), START, tmp_path, url) as opened:
        opened.hear(routing(routed()))
        yield opened


def test_the_forecast_counts_what_a_unit_cannot_answer_at_its_pace(office: Desk) -> None:
    """The north answers one case in two working days, and has three to answer in five."""
    ago = at("2026-02-10 09:00")
    for number in range(10):
        handling = routed(f"old-{number}", started_at=ago, received_at=ago)
        office.hear(answering(replied(handling, at("2026-02-20 09:00"))))
    office.hear(routing(routed("case-2")), routing(routed("case-3")))
    office.hear(routing(routed("south", unit="south-station")))
    with office.storage.read() as connection:
        found = expected(connection, office.context())
        samples = list(figures(connection, office.context()))
    by_unit = {unit.unit: unit for unit in found.units}
    north, south = by_unit["north-station"], by_unit["south-station"]
    assert (north.answered, north.per_day, north.open) == (10, 0.5, 3)
    [step] = north.steps
    # From Monday to Monday there are six working days, today included: three answers.
    assert (step.days_left, step.queue, step.can_answer, step.breaches) == (6, 3, 3, 0)
    assert (south.answered, south.breaches) == (0, 1)
    office.now = at("2026-03-05 08:00")
    with office.storage.read() as connection:
        [later] = [u for u in expected(connection, office.context()).units if u.answered]
    assert [(s.days_left, s.can_answer, s.breaches) for s in later.steps] == [(3, 1, 2)]
    gauges = {sample.labels.get("unit"): sample.value for sample in samples[1:]}
    assert gauges == {"north-station": 0, "south-station": 1}


def test_it_reads_an_index_of_the_open_cases_alone(tmp_path: Path) -> None:
    query = AWAITED.compile(dialect=sqlite.dialect())
    with desk(DEADLINE, SmallPolicy(), START, tmp_path) as opened:
        opened.hear(routing(routed()))
        with opened.storage.read() as connection:
            plan = connection.exec_driver_sql(f"explain query plan {query}").all()
    assert "INDEX ix_clocks_awaited" in plan[0][-1]
