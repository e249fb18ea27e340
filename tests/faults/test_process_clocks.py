"""Clocks that jump, and clocks that nobody watched: everything is said once, nothing too early."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

import httpx
import psycopg
import pytest

from tests.support.audited import audited
from tests.support.caseload import case
from tests.support.processes import Process, services
from tests.support.servers import Server, fresh
from tests.support.servers.server import libpq

pytestmark = [pytest.mark.timeout(200), pytest.mark.faults_long]

DAY = timedelta(days=1)
CONFIRMATION = 6.0
"""Seconds after which these services believe a clock that jumped ahead; a minute in production."""

LOOK = 2.5
"""Seconds in which every clock is looked at twice."""


@dataclass
class Clockwork:
    """Six services whose clock a test can set, and what the journal holds."""

    folder: Path
    database: str
    running: Mapping[str, Process]

    def set_ahead(self, by: timedelta) -> None:
        """Set the clock of the machine on which all services run."""
        # in one step: a service must not find an empty file
        new = self.folder / "clock.new"
        new.write_text(f"{by.total_seconds()}", encoding="utf-8")
        new.rename(self.folder / "clock")

    def hand_in(self, cases: Sequence[Mapping[str, object]]) -> list[str]:
        """Record cases; their ids, once each has its clocks."""
        url = f"{self.running['intake'].url}/commands/submit-case/batch"
        answers = httpx.post(url, json=cases, timeout=30).raise_for_status().json()
        ids = [answer["case_id"] for answer in answers]
        until_(lambda: set(ids) <= set(self.due()))
        return ids

    def due(self) -> dict[str, datetime]:
        """Due dates by case."""
        rows = self._rows("select key, body::json->>'due_at' from deadline.clocks")
        return {key: datetime.fromisoformat(due) for key, due in rows if due}

    def overdue(self) -> Counter[tuple[str, str]]:
        """How often the journal holds that a clock of a case has run out, by case and clock."""
        query = "select case_id, coalesce(body::json->>'clock', 'reply') from ledger.journal"
        rows = self._rows(f"{query} where type = 'case.overdue'")
        return Counter((case_id, clock) for case_id, clock in rows)

    def unanswered(self) -> Counter[str]:
        """The same of the clock that counts for the answer, by case."""
        said = self.overdue()
        return Counter({case: said[case, clock] for case, clock in said if clock == "reply"})

    def _rows(self, query: str) -> list[tuple[str, ...]]:
        with psycopg.connect(libpq(self.database), autocommit=True) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def clockwork(
    rabbitmq: Server, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Clockwork]:
    folder = tmp_path_factory.mktemp("clocks")
    (folder / "confirmation").write_text(f"{CONFIRMATION}", encoding="utf-8")
    with (
        fresh.vhost(rabbitmq) as amqp,
        fresh.database(postgres) as database,
        services(folder, amqp, database, afflicted=True) as running,
    ):
        yield Clockwork(folder, database, running)


def test_a_clock_that_jumps_says_nothing_too_early_and_nothing_twice(clockwork: Clockwork) -> None:
    now = datetime.now(UTC)
    begun = [
        case(number) | {"recorded_at": (now - number * DAY).isoformat()} for number in range(45)
    ]
    ids = clockwork.hand_in(begun)
    ahead = {each: due for each, due in clockwork.due().items() if each in ids and due > now}
    jump = max(DAY, min(ahead.values()) - now + timedelta(hours=2))
    expected = Counter(each for each, due in ahead.items() if due < now + jump)
    assert expected
    before = clockwork.overdue()
    assert not clockwork.unanswered()

    clockwork.set_ahead(jump)
    sleep(LOOK)
    clockwork.set_ahead(timedelta())
    sleep(LOOK)
    assert clockwork.overdue() == before, "whoever mistyped the date has set it back"

    clockwork.set_ahead(jump)
    until_(lambda: clockwork.unanswered() == expected)

    clockwork.set_ahead(jump - timedelta(hours=1))
    later = clockwork.hand_in([case(1000)])
    clockwork.running["deadline"].kill()
    clockwork.running["deadline"].start()
    sleep(LOOK)
    assert clockwork.unanswered() == expected, "what was said is not said again"
    books = audited(clockwork.folder, clockwork.database)
    assert {book["recorded"] for book in books.values()} == {len(ids) + len(later)}


def test_deadlines_that_pass_while_nobody_watches_are_said_once_each(clockwork: Clockwork) -> None:
    before = clockwork.overdue()
    ids = clockwork.hand_in([case(number) for number in range(2000, 2100)])
    clockwork.running["deadline"].kill()
    last = max(due for each, due in clockwork.due().items() if each in ids)
    clockwork.set_ahead(last - datetime.now(UTC) + DAY)
    clockwork.running["deadline"].start()
    until_(lambda: set(ids) <= set(clockwork.unanswered()))
    sleep(LOOK)
    said = clockwork.overdue()
    assert set(said.values()) == {1}
    assert set(before) <= set(said)
    audited(clockwork.folder, clockwork.database)


def until_(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    until = monotonic() + 60
    while not holds():
        assert monotonic() < until, "not within a minute"
        sleep(0.1)
