"""`concentric report` and `concentric audit` on real books: whole, damaged, and over HTTP."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.embedded.house import House, open_storage
from shared.domain.case import GivenInformant
from shared.domain.commands import ReplyToCase, SubmitCase, WithdrawCase
from shared.domain.ids import new_id
from shared.runtime.http import application
from shared.settings import Settings
from shared.storage.messaging import OutboxRow, Parked
from shared.storage.storage import Storage
from tests.support.machine import POLICIES
from tests.support.serving import served

POLICY = POLICIES / "message-board.yaml"

SERVICES = ("intake", "router", "deadline", "evaluation", "notify", "ledger")


def settings(folder: Path, url: str | None = None) -> Settings:
    return Settings.read({"DATABASE_URL": url or ""}, data=folder, policy=POLICY, drain=5.0)


@contextmanager
def house(folder: Path, url: str | None = None) -> Iterator[House]:
    """A running house."""
    running = House(settings(folder, url))
    running.start()
    try:
        yield running
    finally:
        running.stop()


def live(running: House) -> None:
    """One case is answered, one taken back, one stays open."""
    answered, withdrawn, _ = (
        SubmitCase(
            source="tests",
            external_id=name,
            channel="message-board",
            category="construction",
            subject=f"Matter {name}",
            text=f"About {name}",
            informant=GivenInformant(ref=name, contact=f"{name}@example.org"),
        )
        for name in ("answered", "withdrawn", "open")
    )
    intake, router = running.hosts["intake"].gateway, running.hosts["router"].gateway
    for command in (answered, withdrawn, _):
        intake.execute(command)
    assert running.quiet()
    intake.execute(WithdrawCase(case_id=withdrawn.about, reason="Done already"))
    reply = ReplyToCase(case_id=answered.about, unit="housing-and-construction", reply="Mended")
    router.execute(reply)
    assert running.quiet()
    # published rows are deleted a moment later, when there is nothing else to write
    until = monotonic() + 10
    while any(host.storage.counts().outbox for host in running.hosts.values()):
        assert monotonic() < until, "the outbox was never tidied"
        sleep(0.05)


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SQLite files of a house that was stopped in good order; not to be changed."""
    folder = tmp_path_factory.mktemp("lived-in")
    with house(folder) as running:
        live(running)
    return folder


@pytest.fixture
def books(lived_in: Path, tmp_path: Path) -> Path:
    """A copy of them, to be damaged."""
    return Path(shutil.copytree(lived_in, tmp_path / "books"))


def concentric(*arguments: str | Path, url: str | None = None) -> Result:
    environment = {"DATABASE_URL": url, "CONCENTRIC_POLICY": str(POLICY), "COLUMNS": "200"}
    return CliRunner().invoke(app, [*map(str, arguments)], env=environment)


def as_json(result: Result) -> Any:
    assert result.exit_code in {0, 1}, result.output
    return json.loads(result.stdout)


@contextmanager
def opened(folder: Path, service: str, url: str | None = None) -> Iterator[Storage]:
    storage = open_storage(settings(folder, url), service)
    try:
        yield storage
    finally:
        storage.close()


def damage(folder: Path, service: str, statement: str, url: str | None = None) -> None:
    """What somebody does to the books behind Concentric's back."""
    with opened(folder, service, url) as storage, storage.transaction(datetime.now(UTC)) as tx:
        assert tx.connection.execute(sa.text(statement)).rowcount > 0


# ── whole books ───────────────────────────────────────────────────────────────────────────────


def check_whole(found: Mapping[str, Any]) -> None:
    assert found["passed"]
    assert found["differences"] == 0
    assert found["journal"]["breaks"] == 0
    assert tuple(found["services"]) == SERVICES
    for service in SERVICES:
        count = found["services"][service]
        assert (count["recorded"], count["open"], count["withdrawn"]) == (3, 2, 1), service
        assert (count["outbox"], count["parked"]) == (0, 0), service


def test_whole_books_pass_on_sqlite(books: Path) -> None:
    result = concentric("audit", "--json", "--data", books)
    assert result.exit_code == 0
    check_whole(as_json(result))
    assert "The books agree" in concentric("audit", "--data", books).stdout


def test_whole_books_pass_on_postgresql_and_damaged_ones_do_not(
    database: str, tmp_path: Path
) -> None:
    with house(tmp_path, database) as running:
        live(running)
        # the house is running, as a second process would find it
        check_whole(as_json(concentric("audit", "--json", url=database)))
    report = as_json(concentric("report", "--json", url=database))
    assert (report["cases"], report["open"], report["withdrawn"]) == (3, 2, 1)
    damage(tmp_path, "router", "delete from handlings where state = 'withdrawn'", database)
    damage(tmp_path, "ledger", "delete from journal where seq = 2", database)
    result = concentric("audit", "--json", "--wait", "0", url=database)
    assert result.exit_code == 1
    found = as_json(result)
    assert {one["code"] for one in found["first"]} == {"missing", "ahead", "journal"}
    assert found["journal"]["breaks"] == 1


def test_the_report_reads_the_books_of_a_house_that_does_not_run(books: Path) -> None:
    report = as_json(concentric("report", "--json", "--data", books))
    assert (report["cases"], report["open"], report["closed"]) == (3, 2, 0)
    assert report["satisfaction"]["departments"]["asked"] == 1
    shown = concentric("report", "--data", books).stdout
    assert "3 cases = 2 open + 0 closed + 1 withdrawn" in shown
    assert "Housing and construction office" in shown


def test_the_report_is_about_the_days_asked_for(books: Path) -> None:
    none = concentric("report", "--json", "--data", books, "--to", "2020-12-31")
    assert as_json(none)["cases"] == 0
    all_of_them = concentric("report", "--json", "--data", books, "--from", "2020-12-31")
    assert as_json(all_of_them)["cases"] == 3


# ── damaged books ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("service", "statement", "code"),
    [
        ("router", "delete from handlings where state = 'open'", "missing"),
        ("intake", "delete from records where state = 'withdrawn'", "missing"),
        ("ledger", "delete from dossiers where state = 'open'", "missing"),
        ("evaluation", "update judgements set state = 'closed' where state = 'open'", "standing"),
        ("deadline", "update clocks set state = 'open' where state = 'withdrawn'", "standing"),
        ("router", "update handlings set round = 2 where state = 'open'", "standing"),
        ("intake", "update records set state = 'lost' where state = 'open'", "state"),
        ("router", "update handlings set version = version + 1 where state = 'open'", "behind"),
        ("deadline", "update clocks set version = 0 where state = 'open'", "ahead"),
        ("ledger", "delete from journal where type = 'case.replied'", "journal"),
    ],
)
def test_damaged_books_do_not_pass(books: Path, service: str, statement: str, code: str) -> None:
    damage(books, service, statement)
    result = concentric("audit", "--json", "--wait", "0", "--data", books)
    assert result.exit_code == 1
    found = as_json(result)
    assert not found["passed"]
    assert code in {one["code"] for one in found["first"]}
    assert all(one["next"] for one in found["first"])
    shown = concentric("audit", "--wait", "0", "--data", books)
    assert shown.exit_code == 1
    assert found["first"][0]["case_id"] in shown.stdout
    assert found["first"][0]["next"][:20] in shown.stdout


def test_a_journal_that_was_rewritten_does_not_pass_though_the_books_agree(books: Path) -> None:
    damage(books, "ledger", "update journal set body = '{}' where seq = 1")
    result = concentric("audit", "--json", "--wait", "0", "--data", books)
    assert result.exit_code == 1
    found = as_json(result)
    assert (found["differences"], found["journal"]["breaks"]) == (0, 1)
    assert "was changed afterwards" in concentric("audit", "--wait", "0", "--data", books).stdout


def test_a_parked_message_does_not_pass(books: Path) -> None:
    now = datetime.now(UTC)
    parked = Parked(
        id=new_id(),
        message_id=new_id(),
        key="case.routed",
        type="case.routed",
        case_id=None,
        reason="ValueError",
        trace="",
        attempts=3,
        content_type="application/json",
        headers={},
        body=b"[]",
        parked_at=now,
    )
    with opened(books, "deadline") as storage, storage.transaction(now) as tx:
        tx.park(parked)
    result = concentric("audit", "--json", "--data", books)
    assert result.exit_code == 1
    assert as_json(result)["services"]["deadline"]["parked"] == 1
    assert "deadline has parked 1 messages" in concentric("audit", "--data", books).stdout


def test_a_message_that_is_still_to_be_sent_is_shown_and_passes(books: Path) -> None:
    row = OutboxRow(id=new_id(), key="case.refused", body=b"[]", content_type="application/json")
    with opened(books, "intake") as storage, storage.transaction(datetime.now(UTC)) as tx:
        tx.send([row])
    result = concentric("audit", "--json", "--data", books)
    assert result.exit_code == 0
    assert as_json(result)["services"]["intake"]["outbox"] == 1


def test_the_audit_waits_for_what_is_on_its_way(books: Path) -> None:
    statement = "update handlings set state = '{}' where state = '{}'"
    damage(books, "router", statement.format("closed", "open"))

    def arrive() -> None:
        sleep(1.0)
        damage(books, "router", statement.format("open", "closed"))

    late = threading.Thread(target=arrive)
    late.start()
    result = concentric("audit", "--json", "--wait", "20", "--data", books)
    late.join()
    assert result.exit_code == 0
    check_whole(as_json(result))


# ── what cannot be read ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", ["report", "audit"])
def test_where_there_are_no_books_nothing_is_made_and_the_way_out_is_named(
    command: str, tmp_path: Path
) -> None:
    result = concentric(command, "--data", tmp_path / "nothing")
    assert result.exit_code == 2
    assert "--data" in result.stderr
    assert "--url" in result.stderr
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("command", ["report", "audit"])
def test_an_empty_postgresql_holds_no_books_either(command: str, database: str) -> None:
    result = concentric(command, url=database)
    assert result.exit_code == 2
    assert "There are no books in" in result.stderr
    assert "concentric up" in result.stderr


@pytest.mark.parametrize("command", ["report", "audit"])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:1", "see that Concentric runs there"),
        ("127.0.0.1:8080", "http://"),
        ("http://127.0.0.1:port", "is no address"),
    ],
)
def test_an_address_at_which_nobody_answers_is_told_in_words(
    command: str, url: str, said: str
) -> None:
    result = concentric(command, "--url", url)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_days_in_the_wrong_order_are_refused(books: Path) -> None:
    days = ("--from", "2026-02-01", "--to", "2026-01-01")
    result = concentric("report", "--data", books, *days)
    assert result.exit_code == 2
    assert "exchange the two days" in result.stderr


# ── over HTTP ─────────────────────────────────────────────────────────────────────────────────


def test_a_running_house_is_read_by_its_address(books: Path) -> None:
    with house(books) as running:
        hosts = list(running.hosts.values())
        with served(application(hosts, running.metrics)) as url:
            check_whole(as_json(concentric("audit", "--json", "--url", url)))
            told = as_json(concentric("report", "--json", "--url", f"{url}/"))
            wrong = concentric("report", "--url", url, "--from", "2026-02-01", "--to", "2026-01-01")
    assert wrong.exit_code == 2
    assert "exchange the two days" in wrong.stderr
    read = as_json(concentric("report", "--json", "--data", books))
    assert {**told, "generated_at": ""} == {**read, "generated_at": ""}


def test_services_apart_are_read_by_their_addresses(books: Path) -> None:
    with house(books) as running, ExitStack() as stack:
        urls = [
            stack.enter_context(served(application([host], type(running.metrics)())))
            for host in running.hosts.values()
        ]
        given = [part for url in urls for part in ("--url", url)]
        check_whole(as_json(concentric("audit", "--json", *given)))
        result = concentric("audit", *given[2:])
        assert result.exit_code == 2
        assert "there is no intake" in result.stderr


def test_damage_is_found_over_http_as_well(books: Path) -> None:
    damage(books, "deadline", "delete from clocks where state = 'open'")
    with house(books) as running:
        hosts = list(running.hosts.values())
        with served(application(hosts, running.metrics)) as url:
            result = concentric("audit", "--json", "--wait", "0", "--url", url)
    assert result.exit_code == 1
    assert "missing" in {one["code"] for one in as_json(result)["first"]}


@pytest.mark.parametrize("command", ["report", "audit"])
def test_the_help_has_an_example(command: str) -> None:
    result = concentric(command, "--help")
    assert result.exit_code == 0
    assert f"Example: concentric {command}" in result.stdout
