"""`concentric parked` on a running house, and what the audit makes of what was decided."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.embedded.house import House
from services.router.service import ROUTER
from shared.bus.protocol import Message
from shared.domain.commands import SubmitCase
from shared.domain.events import CaseRecorded, Event
from shared.domain.ids import new_id
from shared.runtime.handling import Context
from shared.runtime.http import application
from shared.settings import Settings
from shared.storage.tx import Tx
from tests.support.machine import POLICIES
from tests.support.serving import served

WHO = ("--by", "ops-1", "--reason", "decided in a test")

CASE = SubmitCase(
    source="tests",
    external_id="1",
    channel="message-board",
    category="construction",
    subject="Matter",
    text="About it",
)


@dataclass
class Place:
    """A running house at an address."""

    house: House
    folder: Path
    url: str

    def run(self, *words: str) -> Result:
        url = ("--url", self.url)
        return CliRunner().invoke(app, [*words, *url], env={"COLUMNS": "250"})

    def listed(self, *words: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(
            self.run("parked", "list", "--json", *words).stdout
        )
        return found

    def submit(self) -> None:
        self.house.hosts["intake"].gateway.execute(CASE)
        assert self.house.quiet()

    def send_nonsense(self) -> None:
        """A message that the router and the ledger hear, and cannot read."""
        self.house.bus.publish([Message(new_id(), "case.recorded", b"no JSON")])

    def audit(self) -> Any:
        assert self.house.quiet()
        result = self.run("audit", "--json", "--wait", "0")
        return json.loads(result.stdout)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    policy = POLICIES / "message-board.yaml"
    house = House(Settings.read({}, data=tmp_path, policy=policy, drain=5.0))
    house.start()
    try:
        with served(application(list(house.hosts.values()), house.metrics)) as url:
            yield Place(house, tmp_path, url)
    finally:
        house.stop()


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A router that fails at every recorded case, until the patch is undone."""

    def fail(event: CaseRecorded, tx: Tx, ctx: Context) -> Sequence[Event]:
        raise ZeroDivisionError("a bug")

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ROUTER.handlers, CaseRecorded, fail)  # type: ignore[misc]
        yield patch


def until_listed(place: Place, number: int) -> list[dict[str, Any]]:
    end = monotonic() + 10
    while len(found := place.listed()) != number:
        assert monotonic() < end
        sleep(0.05)
    return found


def test_a_bug_is_mended_and_what_lay_aside_goes_its_way(
    place: Place, bug: pytest.MonkeyPatch
) -> None:
    place.submit()
    [line] = until_listed(place, 1)
    assert (line["service"], line["type"], line["case_id"]) == (
        "router",
        "case.recorded",
        CASE.about,
    )
    assert "ZeroDivisionError" in place.run("parked", "list").stdout
    assert place.run("parked", "replay", "--all", *WHO).exit_code == 1, "it fails again"
    bug.undo()

    done = place.run("parked", "replay", line["id"], *WHO)

    assert (done.exit_code, done.stdout) == (0, f"router {line['id']} handled\n")
    found = place.audit()
    assert found["passed"]
    assert found["services"]["router"]["replayed"] == 2
    assert found["services"]["deadline"]["recorded"] == 1
    gone = place.run("parked", "replay", line["id"], *WHO)
    assert gone.exit_code == 2
    assert "nothing lies aside under that" in gone.output


def test_what_was_discarded_explains_the_difference_that_it_makes(
    place: Place, bug: pytest.MonkeyPatch
) -> None:
    place.submit()
    until_listed(place, 1)
    assert not place.audit()["passed"]

    assert place.run("parked", "discard", "--all", "--case", CASE.about, *WHO).exit_code == 0

    found = place.audit()
    assert found["passed"]
    assert found["differences"] == 0
    assert found["services"]["router"]["discarded"] == 1
    explained = {one["service"] for one in found["explained"]}
    assert explained == {"router", "deadline", "evaluation", "notify"}
    shown = place.run("audit", "--wait", "0")
    assert "a message was discarded at router" in shown.stdout
    from_files = CliRunner().invoke(app, ["audit", "--wait", "0", "--data", f"{place.folder}"])
    assert from_files.exit_code == 0


def test_the_list_is_narrowed_by_service_and_type(place: Place) -> None:
    place.send_nonsense()
    found = until_listed(place, 2)
    assert {line["service"] for line in found} == {"router", "ledger"}
    assert [line["service"] for line in place.listed("--service", "ledger")] == ["ledger"]
    assert len(place.listed("--type", "case.recorded", "--limit", "1")) == 1
    assert place.listed("--type", "case.closed") == []


def test_a_message_is_shown_whole_or_its_body_alone(place: Place) -> None:
    place.send_nonsense()
    [line, _] = until_listed(place, 2)
    shown = json.loads(place.run("parked", "show", line["id"]).stdout)
    assert (shown["service"], shown["body"]) == (line["service"], "no JSON")
    assert place.run("parked", "show", line["id"], "--body").stdout == "no JSON\n"


def test_what_cannot_be_done_is_said_in_words(place: Place) -> None:
    for words, told in (
        (("show", "unknown"), "nothing lies aside under that"),
        (("replay", *WHO), "name the ids, or give --all"),
        (("discard", "x", "--all", *WHO), "name the ids, or give --all"),
        (("discard", "x", "--case", "y", *WHO), "belong to --all"),
        (("list", "--service", "console"), "there is no console"),
    ):
        result = place.run("parked", *words)
        assert result.exit_code == 2
        assert told in result.output
