"""What is personal in a case, through the whole house: erased everywhere, and proved to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from services.cli.main import app
from services.embedded.catalogue import NAMES
from services.embedded.house import House
from shared.bus.codec import Envelope, decode
from shared.bus.protocol import Delivery, Subscription
from shared.domain.case import GivenInformant, Kind
from shared.domain.commands import (
    AcceptCase,
    DecideExtension,
    RateReply,
    ReplyToCase,
    RequestExtension,
    RetriageCase,
    SubmitCase,
    TransferCase,
    WithdrawCase,
)
from shared.domain.errors import Conflict
from shared.domain.events import CaseErased, CaseRouted, EvaluationRequested
from shared.runtime.http import application
from shared.settings import Settings
from tests.support.browser import Browser
from tests.support.machine import POLICIES

MARK = "zqx"
"""Stands in everything that is personal in the case that is erased, and nowhere else."""

RETENTION = "retention: {days: 1095, kinds: {complaint: never}}"
OVER = timedelta(days=1100)
"""Longer than a problem is kept."""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """The shipped policy with our retention, which shows subjects in mails."""
    text = (POLICIES / "xiaoshan.yaml").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.startswith("retention:")]
    file = tmp_path / "policy.yaml"
    changed = "\n".join([*kept, RETENTION, ""]).replace("show: case", "show: subject")
    file.write_text(changed, encoding="utf-8")
    return file


class Witness:
    """A running house, and all that it says."""

    def __init__(self, folder: Path, url: str | None, policy: Path, ahead: timedelta) -> None:
        environment = {
            "DATABASE_URL": url or "",
            # nobody listens there: what is to be told waits
            "CONCENTRIC_SMTP_URL": "smtp+plain://127.0.0.1:9",
        }
        settings = Settings.read(environment, data=folder, policy=policy, drain=5.0)
        self.house = House(settings, clock=lambda: datetime.now(UTC) + ahead)
        self.heard: list[Envelope] = []
        self.messages: list[Delivery] = []
        self._consumer = self.house.bus.subscribe(Subscription("witness", ("#",)), self._hear)

    def _hear(self, delivery: Delivery) -> None:
        self.messages.append(delivery)
        self.heard.extend(one for one in decode(delivery.message) if isinstance(one, Envelope))
        self._consumer.ack([delivery])

    def do(self, service: str, *commands: Any) -> None:
        """Carry out commands, one after the other, and wait for what follows."""
        for command in commands:
            self.house.hosts[service].gateway.execute(command)
            assert self.house.quiet(20)

    def told(self, kind: type[Any], case_id: str) -> Any:
        """The newest event of one type about a case."""
        return [e.data for e in self.heard if isinstance(e.data, kind) and e.subject == case_id][-1]

    @property
    def browser(self) -> Browser:
        """All that the house shows over HTTP."""
        return Browser(application(list(self.house.hosts.values()), self.house.metrics))

    def figures(self) -> Any:
        """The report, but for the moment at which it was made."""
        report = self.browser.get("/report").json()
        return {name: value for name, value in report.items() if name != "generated_at"}


@contextmanager
def witness(
    folder: Path, url: str | None, policy: Path, ahead: timedelta = timedelta()
) -> Iterator[Witness]:
    """The house of a folder, running on a clock that is ahead."""
    running = Witness(folder, url, policy, ahead)
    running.house.start()
    try:
        yield running
    finally:
        running.house.stop()


def case(name: str, mark: str, kind: Kind = Kind.PROBLEM) -> SubmitCase:
    """A red case, in every part of which the mark stands."""
    return SubmitCase(
        source="hotline",
        external_id=f"{mark}-{name}",
        channel="customer-hotline",
        kind=kind,
        item="unplanned-outage",
        subject=f"No light at {mark}'s",
        text=f"Since {name} says {mark}.",
        recorder=f"{mark}-recorder",
        informant=GivenInformant(
            ref=f"{mark}-ref", name=f"{mark} name", contact=f"{mark}@example.org"
        ),
        place=f"{mark} street 7",
        attributes={"customer": "hospital", "remark": f"{mark} remark"},
    )


def live(house: Witness, submitted: SubmitCase, mark: str) -> None:
    """From the recording to a satisfied rating, with words of everybody's on the way."""
    about = submitted.about
    house.do("intake", submitted)
    unit = house.told(CaseRouted, about).handling.unit
    by = {"case_id": about, "unit": unit, "person": f"{mark}-clerk"}
    house.do("router", RetriageCase(case_id=about, by=f"{mark}-chief", reason=f"{mark} why"))
    house.do("router", TransferCase(**by, to_unit="dispatch", reason=f"{mark} reason"))
    by["unit"] = "dispatch"
    house.do("router", AcceptCase(**by))
    house.do("deadline", RequestExtension(**by, days=2, reason=f"{mark} needs time"))
    decided = {**by, "unit": "bureau"}
    house.do("deadline", DecideExtension(**decided, granted=True, note=f"{mark} note"))
    house.do("router", ReplyToCase(**by, reply=f"Mended for {mark}"))
    token = house.told(EvaluationRequested, about).link.rsplit("/", 1)[-1]
    comment = f"{mark} is content"
    house.do("evaluation", RateReply(token=token, score="very-satisfied", comment=comment))


def everything(folder: Path, url: str | None) -> Iterator[tuple[str, str]]:
    """All that every table of every service holds, as text, by service and table."""
    for name in NAMES:
        engine = sa.create_engine(url or f"sqlite:///{folder / f'{name}.sqlite'}")
        tables = sa.MetaData()
        tables.reflect(engine, schema=name if url else None)
        with engine.connect() as connection:
            for table in tables.tables.values():
                rows = connection.execute(sa.select(table)).all()
                yield f"{name}.{table.name}", f"{rows}"
        engine.dispose()


def found_in(folder: Path, url: str | None, mark: str) -> set[str]:
    """The tables that hold a text."""
    return {table for table, rows in everything(folder, url) if mark in rows}


def wait_for(done: Callable[[], bool]) -> None:
    """Until it is so, for some seconds at the most."""
    until = monotonic() + 20
    while not done():
        assert monotonic() < until
        sleep(0.05)


def tidied(house: Witness) -> bool:
    """Whether nothing is on its way, not even in a table."""
    hosts: Sequence[Any] = list(house.house.hosts.values())
    return house.house.quiet(20) and not any(host.storage.counts().outbox for host in hosts)


def audit(folder: Path, url: str | None) -> tuple[int, str]:
    """The exit code and the words of `concentric audit`."""
    environment = {"DATABASE_URL": url, "COLUMNS": "200"}
    found = CliRunner().invoke(app, ["audit", "--data", f"{folder}"], env=environment)
    return found.exit_code, found.output


def test_nothing_personal_of_a_case_is_left_anywhere_and_the_books_are_right(
    tmp_path: Path, url: str | None, policy: Path
) -> None:
    erased, kept = case("old", MARK), case("kept", "kept", Kind.COMPLAINT)
    taken_back = case("taken", MARK)
    with witness(tmp_path, url, policy) as house:
        live(house, erased, MARK)
        live(house, kept, "kept")
        house.do("intake", taken_back)
        house.do(
            "intake",
            WithdrawCase(case_id=taken_back.about, reason=f"{MARK} solved", by=f"{MARK}-who"),
        )
        before = house.figures()
        messages = list(house.messages)
        wait_for(lambda: tidied(house))
    holders = found_in(tmp_path, url, MARK)
    assert {name.partition(".")[0] for name in holders} == set(NAMES)

    with witness(tmp_path, url, policy, ahead=OVER) as house:
        wait_for(lambda: sum(isinstance(one.data, CaseErased) for one in house.heard) == 2)
        wait_for(lambda: tidied(house))
        assert found_in(tmp_path, url, MARK) == set()
        assert found_in(tmp_path, url, "kept-ref") != set()
        assert house.figures() == before
        shown = house.browser.get(f"/cases/{erased.about}").json()
        assert shown["case"]["subject"] is None
        assert shown["case"]["erased_at"] is not None
        explained = house.browser.get(f"/cases/{erased.about}/explanation")
        assert (explained.status_code, explained.json()["problems"][0]["code"]) == (
            409,
            "facts-erased",
        )

        # submitted once more it is the case that exists, and nothing can be done about it
        assert house.house.hosts["intake"].gateway.execute(erased) == []
        with pytest.raises(Conflict, match="was erased on"):
            house.do("router", AcceptCase(case_id=erased.about, unit="dispatch"))
        wait_for(lambda: tidied(house))
        assert audit(tmp_path, url)[0] == 0, audit(tmp_path, url)[1]

        # the inboxes have long forgotten these: what is delivered once more brings nothing back
        house.house.bus.publish([delivery.message for delivery in messages])
        wait_for(lambda: tidied(house))
        assert found_in(tmp_path, url, MARK) == set()
        assert house.browser.get("/journal/verify").json()["intact"] is True
        assert house.figures() == before
