"""What every service promises, whatever its logic: shown with the router on SQLite."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from services.router.service import ROUTER
from services.router.store import HANDLINGS
from shared.domain.aggregates import HandlingState
from shared.domain.commands import AcceptCase, ReplyToCase
from shared.domain.errors import Conflict, NotFound
from shared.domain.events import (
    CaseAccepted,
    CaseRecorded,
    CaseReplied,
    CaseRouted,
    CommandRefused,
    Event,
)
from shared.domain.ids import new_id
from shared.policy.holder import PolicyHolder
from shared.runtime.batch import HandlerFailed
from shared.runtime.handling import Context, Timer
from shared.storage.messaging import OutboxRow
from shared.storage.tx import Tx
from tests.support.machine import POLICIES, Machine, machine, recorded, storage_of


@pytest.fixture(scope="module")
def policy() -> PolicyHolder:
    return PolicyHolder(POLICIES / "message-board.yaml")


@pytest.fixture
def router(policy: PolicyHolder, tmp_path: Path) -> Iterator[Machine]:
    with machine(ROUTER, storage_of(ROUTER, tmp_path), policy, tmp_path) as running:
        yield running


def test_an_event_leads_to_the_events_that_its_handler_returns(router: Machine) -> None:
    cases = [recorded(str(number)) for number in range(20)]
    router.send(*cases)
    assert {event.case_id for event in router.of(CaseRouted)} == {case.case_id for case in cases}


def test_a_message_delivered_twice_has_its_effect_once(router: Machine) -> None:
    case, message = recorded("1"), new_id()
    for _ in range(3):
        router.send(case, message_id=message)
    assert len(router.of(CaseRouted)) == 1
    duplicates = router.host.metrics.registry.get_sample_value(
        "concentric_duplicates_total", {"service": "router"}
    )
    assert duplicates == 2


def test_an_event_sent_again_in_another_message_changes_nothing(router: Machine) -> None:
    case = recorded("1")
    router.send(case)
    router.send(case)
    assert len(router.of(CaseRouted)) == 1


def test_two_events_of_one_case_in_a_batch_see_each_others_effect(router: Machine) -> None:
    case = recorded("1")
    router.send(case, case)
    assert len(router.of(CaseRouted)) == 1


def test_an_event_whose_handler_fails_is_parked_alone(policy: PolicyHolder, tmp_path: Path) -> None:
    poison = recorded("poison")
    runs = []

    def fails_on_poison(event: CaseRecorded, tx: Tx, ctx: Context) -> Sequence[Event]:
        events = ROUTER.handlers[CaseRecorded](event, tx, ctx)
        if event.case_id == poison.case_id:
            runs.append(event)
            raise ZeroDivisionError("a bug after the row was put")
        return events

    service = replace(ROUTER, handlers={**ROUTER.handlers, CaseRecorded: fails_on_poison})
    with machine(service, storage_of(service, tmp_path), policy, tmp_path) as running:
        running.send(recorded("a"), poison, recorded("b"))
        routed = {event.case_id for event in running.of(CaseRouted)}
        assert routed == {recorded("a").case_id, recorded("b").case_id}
        [parked] = running.host.storage.parked()
        assert parked.case_id == poison.case_id
        assert "a bug after the row was put" in parked.reason
        assert "fails_on_poison" in parked.trace
        assert len(runs) == parked.attempts == 3
        with running.host.read() as connection:
            keys = connection.scalars(sa.select(HANDLINGS.table.c.key)).all()
        assert poison.case_id not in keys, "what the failed handler had put is taken back"


def test_a_message_that_cannot_be_read_is_parked_with_its_reason(router: Machine) -> None:
    router.send_raw("case.recorded", b"\xff\xfe not JSON")
    router.send(recorded("after"))
    assert len(router.of(CaseRouted)) == 1
    [parked] = router.host.storage.parked()
    assert "not JSON" in parked.reason
    assert parked.body == b"\xff\xfe not JSON"


def test_one_unreadable_event_does_not_take_its_neighbours(router: Machine) -> None:
    router.send(recorded("good"))
    [good] = [each for each in router.heard if each.type == "case.recorded"]
    bad = {"specversion": "1.0", "id": "x", "type": "concentric.case.recorded.v9", "source": "/t"}
    from shared.bus.codec import encode

    both = json.loads(encode([good]))
    both[0]["data"]["record"]["case"]["id"] = both[0]["data"]["case_id"] = recorded("2").case_id
    both[0]["data"]["record"]["case_id"] = both[0]["subject"] = recorded("2").case_id
    router.send_raw("case.recorded", json.dumps([bad, *both]).encode())
    assert len(router.of(CaseRouted)) == 2
    [parked] = router.host.storage.parked()
    assert "version 9" in parked.reason


def test_a_command_over_http_is_answered_after_its_commit(router: Machine) -> None:
    case = recorded("1")
    router.send(case)
    [routed] = router.of(CaseRouted)
    assert isinstance(routed, CaseRouted)
    unit = routed.handling.unit
    [accepted] = router.host.gateway.execute(AcceptCase(case_id=case.case_id, unit=unit))
    assert isinstance(accepted, CaseAccepted)
    known = router.host.gateway.fetch(HANDLINGS, case.case_id)
    assert known.state is HandlingState.ACCEPTED
    assert known.version == accepted.version == 2


def test_a_command_by_the_wrong_unit_is_refused_and_changes_nothing(router: Machine) -> None:
    case = recorded("1")
    router.send(case)
    router.of(CaseRouted)
    with pytest.raises(Conflict, match="lies with"):
        router.host.gateway.execute(
            ReplyToCase(case_id=case.case_id, unit="education", reply="not ours")
        )
    assert router.host.gateway.fetch(HANDLINGS, case.case_id).state is HandlingState.ROUTED
    assert router.of(CaseReplied) == []


def test_a_command_about_an_unknown_case_is_not_found(router: Machine) -> None:
    with pytest.raises(NotFound):
        router.host.gateway.execute(AcceptCase(case_id="nobody-knows", unit="education"))


def test_a_name_that_no_database_can_hold_is_not_found_either(
    policy: PolicyHolder, tmp_path: Path, database: str
) -> None:
    with (
        machine(ROUTER, storage_of(ROUTER, tmp_path, database), policy, tmp_path) as running,
        pytest.raises(NotFound),
    ):
        running.host.gateway.fetch(HANDLINGS, "a\x00b")


def test_a_queued_command_that_is_refused_comes_back_as_an_event(router: Machine) -> None:
    router.send(AcceptCase(case_id="nobody-knows", unit="education"))
    [refused] = router.of(CommandRefused)
    assert isinstance(refused, CommandRefused)
    assert refused.command == "accept-case"
    assert refused.problems[0].code == "unknown-case"


def test_what_a_killed_process_left_in_the_outbox_is_published_at_the_next_start(
    policy: PolicyHolder, tmp_path: Path
) -> None:
    from shared.bus.codec import Envelope, encode

    storage = storage_of(ROUTER, tmp_path)
    storage.migrate()
    left = [recorded(str(number)) for number in range(3)]
    with storage.transaction(datetime.now(UTC)) as tx:
        tx.send(
            [
                OutboxRow(
                    id=new_id(),
                    key="case.recorded",
                    content_type="application/cloudevents-batch+json",
                    body=encode(
                        [
                            Envelope(
                                id=new_id(),
                                type="case.recorded",
                                source="/t",
                                subject=event.case_id,
                                time=datetime.now(UTC),
                                data=event,
                            )
                        ]
                    ),
                )
                for event in left
            ]
        )
    with machine(ROUTER, storage, policy, tmp_path) as running:
        assert len(running.of(CaseRecorded)) == 3
        assert len(running.of(CaseRouted)) == 3
        until = time.monotonic() + 10
        while running.host.storage.counts().outbox:
            assert time.monotonic() < until, "published rows were never deleted"
            time.sleep(0.05)


def test_a_timer_runs_again_at_once_while_it_finds_something(
    policy: PolicyHolder, tmp_path: Path
) -> None:
    left = [recorded(str(number)) for number in range(5)]

    def fire(tx: Tx, ctx: Context) -> Sequence[Event]:
        return [left.pop()] if left else []

    service = replace(ROUTER, timers=(Timer("five", 3600.0, fire),))
    with machine(service, storage_of(service, tmp_path), policy, tmp_path) as running:
        until = time.monotonic() + 5
        while left and time.monotonic() < until:
            time.sleep(0.01)
        assert len(running.of(CaseRecorded)) == 5


def test_a_stopping_service_finishes_what_it_has_taken_on(
    policy: PolicyHolder, tmp_path: Path
) -> None:
    with machine(ROUTER, storage_of(ROUTER, tmp_path), policy, tmp_path) as running:
        running.send(*(recorded(str(number)) for number in range(300)))
    assert sum(each.type == "case.routed" for each in running.heard) == 300


def test_a_policy_with_an_error_leaves_the_running_one_in_force(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes((POLICIES / "message-board.yaml").read_bytes())
    holder = PolicyHolder(file)
    with machine(ROUTER, storage_of(ROUTER, tmp_path), holder, tmp_path) as running:
        before = running.host.context().policy.version
        file.write_text("triage: [this is no policy", encoding="utf-8")
        errors = running.host.metrics.registry.get_sample_value
        until = time.monotonic() + 15
        labels = {"service": "router"}
        while not errors("concentric_policy_load_errors_total", labels):
            assert time.monotonic() < until, "the broken file was never noticed"
            time.sleep(0.05)
        assert running.host.context().policy.version == before
        running.send(recorded("still decided"))
        assert len(running.of(CaseRouted)) == 1


def test_the_log_of_a_failure_says_where_and_never_whose(
    policy: PolicyHolder, tmp_path: Path
) -> None:
    secret = "Zhang San, 13800000000"

    def quotes_what_it_met(command: AcceptCase, tx: Tx, ctx: Context) -> Sequence[Event]:
        raise LookupError(secret)

    service = replace(ROUTER, commands={**ROUTER.commands, AcceptCase: quotes_what_it_met})
    with (
        capture_logs() as logs,
        machine(service, storage_of(service, tmp_path), policy, tmp_path) as running,
        pytest.raises(HandlerFailed),
    ):
        running.host.gateway.execute(AcceptCase(case_id="any", unit="education"))
    [entry] = [each for each in logs if each["event"] == "command failed"]
    assert entry["error"].startswith("LookupError at")
    assert "test_runtime.py" in entry["error"]
    assert secret not in str(logs)
