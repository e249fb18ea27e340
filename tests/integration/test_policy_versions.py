"""A policy that changes while the house runs: tried, numbered, told, in force for all at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from services.embedded.catalogue import NAMES
from services.embedded.house import House, open_storage
from services.ledger import queries
from services.ledger.journal import verify
from services.router import policies as router_policies
from services.router.service import ROUTER
from shared.domain.commands import ApplyPolicy
from shared.domain.errors import Refusal
from shared.domain.events import CaseRouted, CommandRefused, PolicyApplied
from shared.domain.policy import PolicyVersion, checksum
from shared.policy.holder import PolicyHolder
from shared.policy.trying.rehearsal import Trials
from shared.runtime import host
from shared.runtime.http import application
from shared.runtime.versions import POLICIES, newer
from shared.settings import Settings
from tests.support.desk import desk
from tests.support.house import SmallPolicy
from tests.support.machine import POLICIES as EXAMPLES
from tests.support.machine import machine, recorded, storage_of
from tests.support.serving import served

BOARD = (EXAMPLES / "message-board.yaml").read_text(encoding="utf-8")


def variant(number: int) -> str:
    """Another policy that decides the same."""
    return f"{BOARD}# variant {number}\n"


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router_policies, "LEAD", timedelta(seconds=0.5))
    monkeypatch.setattr(host, "FOLLOW", 0.05)
    monkeypatch.setattr(host, "WATCH", 0.1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(BOARD, encoding="utf-8")
    return path


@contextmanager
def living(file: Path) -> Iterator[House]:
    house = House(Settings.read({}, data=file.parent / "var", policy=file, drain=5.0))
    house.start()
    try:
        yield house
    finally:
        house.stop()


def until(true: Callable[[], bool], seconds: float = 15.0) -> None:
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end, "it did not come to that in time"
        sleep(0.02)


def numbers(house: House, service: str) -> list[int]:
    with house.hosts[service].read() as connection:
        return [stored.number for stored in newer(connection, 0)]


def apply(house: House, text: str) -> PolicyApplied:
    command = ApplyPolicy(content=text, by="Li Na", note="because")
    [event] = house.hosts["router"].gateway.execute(command)
    assert isinstance(event, PolicyApplied)
    return event


def test_every_service_takes_an_applied_policy_over_and_the_books_stay_right(file: Path) -> None:
    with living(file) as house:
        seed = house.policies.current.version
        applied = apply(house, variant(1)).policy
        assert (applied.number, applied.by, applied.note) == (2, "Li Na", "because")
        assert house.policies.current.version == seed, "not before its moment"
        until(lambda: house.policies.current.version == applied.version)
        for each in house.hosts.values():
            assert each.context().policy.version == applied.version
        assert house.quiet(10)
        assert all(numbers(house, name) == [1, 2] for name in NAMES)
        with house.hosts["ledger"].read() as connection:
            entries = list(queries.journal(connection))
            assert verify(entries, queries.chain(connection)).intact
        assert [entry.type for entry in entries] == ["policy.applied"] * 2
        versions = house.hosts["ledger"].versions
        old = versions.get(seed)
        assert old is not None
        assert old.version == seed
        assert versions.get("message-board@000000000000") is None


def test_a_refused_policy_is_told_with_every_line_and_changes_nothing(file: Path) -> None:
    bad = BOARD.replace("timezone: Asia/Shanghai", "timezone: Asia/Nowhere")
    bad = bad.replace("link_days:", "link_dys:")
    assert bad != BOARD
    with living(file) as house:
        app = application(list(house.hosts.values()), house.metrics)
        with served(app) as address, httpx.Client(base_url=address, timeout=30) as client:
            body = {"content": bad, "by": "Li Na"}
            answer = client.post("/commands/apply-policy", json=body)
            assert answer.status_code == 422
            fields = [problem["field"] for problem in answer.json()["problems"]]
            assert len(fields) >= 2
            assert all(field.startswith("line ") for field in fields)
            [line] = client.get("/policies").json()["versions"]
            assert line["in_force"]
            shown = client.get(f"/policies/{line['version']}").json()
            assert shown["content"] == BOARD, "to the last byte"
            assert client.get("/policies/17").status_code == 404


def test_a_changed_file_is_applied_and_a_bad_one_is_not(file: Path) -> None:
    with living(file) as house:
        file.write_text("triage: [this is no policy", encoding="utf-8")
        errors = house.metrics.registry.get_sample_value
        labels = {"service": "router"}
        until(lambda: bool(errors("concentric_policy_load_errors_total", labels)))
        file.write_text(variant(1), encoding="utf-8")
        until(lambda: numbers(house, "ledger") == [1, 2])
        until(lambda: house.policies.current.version.endswith(checksum_of(variant(1))))


def test_the_newest_stored_policy_wins_over_a_file_that_did_not_change(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with living(file) as house:
        applied = apply(house, variant(1)).policy
        until(lambda: house.policies.current.version == applied.version)
    monkeypatch.setattr(Trials, "hold", lambda *_: pytest.fail("a file that did not change"))
    with living(file) as house:
        assert house.policies.current.version == applied.version
    file.unlink()
    with living(file) as house:
        assert house.policies.current.version == applied.version
        assert numbers(house, "router") == [1, 2]
        errors = house.metrics.registry.get_sample_value
        assert errors("concentric_policy_load_errors_total", {"service": "router"}) == 0


def test_a_stored_policy_that_this_release_cannot_use_does_not_keep_the_house_from_starting(
    file: Path,
) -> None:
    with living(file) as house:
        usable = house.policies.current.version
    storage = open_storage(Settings.read({}, data=file.parent / "var"), "router")
    now = datetime.now(UTC)
    text = "written: by another release"
    stored = PolicyVersion(
        number=2,
        version="message-board@222222222222",
        checksum=checksum(text),
        content=text,
        by="tests",
        at=now,
        effective_at=now,
    )
    with storage.transaction(now) as tx:
        tx.put(POLICIES, stored)
    storage.close()
    with living(file) as house:
        assert house.policies.current.version == usable
        errors = house.metrics.registry.get_sample_value
        assert errors("concentric_policy_load_errors_total", {"service": "router"}) == 1


def test_a_file_that_was_changed_while_the_house_was_down_is_in_force_at_its_start(
    file: Path,
) -> None:
    with living(file) as house:
        apply(house, variant(1))
    file.write_text(variant(2), encoding="utf-8")
    with living(file) as house:
        assert house.policies.current.version.endswith(checksum_of(variant(2)))


def test_what_was_rolled_back_stays_so_though_the_file_still_says_otherwise(file: Path) -> None:
    with living(file) as house:
        file.write_text(variant(1), encoding="utf-8")
        until(lambda: numbers(house, "router") == [1, 2])
        apply(house, BOARD)
    with living(file) as house:
        assert numbers(house, "router") == [1, 2, 3]
        until(lambda: house.policies.current.version.endswith(checksum_of(BOARD)))


def test_the_same_policy_applied_again_changes_nothing(file: Path) -> None:
    with living(file) as house:
        command = ApplyPolicy(content=BOARD, by="Li Na")
        assert house.hosts["router"].gateway.execute(command) == []
        assert numbers(house, "router") == [1]


def test_a_candidate_that_hangs_is_refused_while_the_router_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setattr("shared.policy.trying.rehearsal.sys.executable", f"{program}")
    monkeypatch.setattr(router_policies, "TRIALS", Trials(timeout=2.0))
    holder = PolicyHolder(EXAMPLES / "message-board.yaml")
    with machine(ROUTER, storage_of(ROUTER, tmp_path), holder, tmp_path) as running:
        before = running.host.context().policy.version
        refusals: list[Refusal] = []

        def ask() -> None:
            with pytest.raises(Refusal) as caught:
                running.host.gateway.execute(ApplyPolicy(content=variant(1), by="tests"))
            refusals.append(caught.value)

        asking = threading.Thread(target=ask)
        asking.start()
        sleep(0.3)
        began = monotonic()
        running.send(*(recorded(f"{number}") for number in range(50)))
        assert len(running.of(CaseRouted)) == 50
        assert monotonic() - began < 1.5, "cases wait for no trial"
        asking.join()
        assert refusals[0].problems[0].code == "too-slow"
        assert running.host.context().policy.version == before


def test_over_the_queue_nothing_is_applied_because_nobody_can_wait_for_its_trial(
    tmp_path: Path,
) -> None:
    holder = PolicyHolder(EXAMPLES / "message-board.yaml")
    with machine(ROUTER, storage_of(ROUTER, tmp_path), holder, tmp_path) as running:
        running.send(ApplyPolicy(content=variant(99), by="an integrator"))
        [refused] = running.of(CommandRefused)
        assert isinstance(refused, CommandRefused)
        assert refused.problems[0].code == "not-tried"


@pytest.mark.parametrize("server", ["sqlite", "postgresql"])
def test_two_routers_that_race_apply_one_after_the_other(
    server: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = request.getfixturevalue("database") if server == "postgresql" else None
    monkeypatch.setattr(Trials, "passed", lambda _trials, content: f"small@{len(content)}")
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    each = 10
    with ExitStack() as stack:
        desks = [
            stack.enter_context(desk(ROUTER, SmallPolicy(), now, tmp_path, url)) for _ in range(2)
        ]
        start = threading.Barrier(2)

        def work(place: int) -> None:
            start.wait()
            for number in range(each):
                desks[place].do(ApplyPolicy(content=f"{place} {number}", by=f"router {place}"))

        threads = [threading.Thread(target=work, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with desks[0].storage.read() as connection:
            stored = newer(connection, 0)
        told = [event.policy for event in desks[0].sent(PolicyApplied)]
    assert [one.number for one in stored] == list(range(1, 2 * each + 1))
    assert {one.content for one in stored} == {f"{p} {n}" for p in range(2) for n in range(each)}
    assert sorted(told, key=POLICIES.key) == stored


def checksum_of(text: str) -> str:
    return checksum(text)[:12]
