"""The notify service against real servers: people are told once, whatever is in the way."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from services.notify import logic, mail, sender, webhook
from services.notify.notices import Notice, NoticeState
from services.notify.service import NOTIFY
from services.notify.store import NOTICES, of_case
from shared.domain.aggregates import Clocks
from shared.domain.errors import Conflict, NotFound, Unavailable
from shared.domain.events import (
    CaseEscalated,
    CaseOverdue,
    DeadlineSet,
    NotificationDelivered,
    NotificationFailed,
)
from shared.domain.notices import Addressee, Way
from shared.domain.policy import Policy
from shared.policy import load_policy
from shared.runtime.background import Means
from shared.runtime.http import application
from tests.support.browser import Browser
from tests.support.house import (
    SmallPolicy,
    Unchanging,
    answering,
    at,
    replied,
    routed,
    routing,
    withdrawing,
)
from tests.support.machine import POLICIES, Machine, machine, storage_of
from tests.support.outside import (
    OLDER_SECRET,
    SECRET,
    free_port,
    mail_server,
    receiver,
    silence,
)

MAIL = Addressee(way=Way.MAIL, to="duty@house.example.org", role="unit", unit="north-station")
HOOK = Addressee(way=Way.WEBHOOK, to="control-room", role="unit", unit="north-station")
TELLS = {"case.routed": (MAIL, HOOK), "case.overdue": (MAIL,), "case.escalated": (MAIL,)}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Days of tries in seconds."""
    monkeypatch.setattr(sender, "POLL", 0.02)
    monkeypatch.setattr(logic, "SCHEDULE", (timedelta(seconds=0.1),) * len(logic.SCHEDULE))
    monkeypatch.setattr(mail, "TIMEOUT", 0.3)
    monkeypatch.setattr(webhook, "TIMEOUT", 0.3)


def settings(smtp: int | None = None, hook: int | None = None) -> dict[str, str]:
    given = {"CONCENTRIC_CASE_URL": "https://ledger.example/cases/{case_id}"}
    if smtp is not None:
        given["CONCENTRIC_SMTP_URL"] = f"smtp+plain://127.0.0.1:{smtp}"
    if hook is not None:
        endpoint = {"url": f"http://127.0.0.1:{hook}/hook?x=1", "secrets": [SECRET, OLDER_SECRET]}
        given["CONCENTRIC_WEBHOOKS"] = json.dumps({"control-room": endpoint})
    return given


@contextmanager
def running(
    folder: Path,
    environment: dict[str, str],
    policy: Policy | None = None,
    url: str | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Machine]:
    policies = Unchanging(policy or SmallPolicy(tells=TELLS))
    storage = storage_of(NOTIFY, folder, url)
    with machine(NOTIFY, storage, policies, folder, clock, environment) as found:
        yield found


@dataclass
class Clock:
    """Stands still until it is set."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


def record(house: Machine, case_id: str = "case-1") -> list[Notice]:
    with house.host.read() as connection:
        return of_case(connection, case_id)


def until(true: Callable[[], object], seconds: float = 15.0) -> None:
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end, "it did not come about"
        sleep(0.01)


def tried(house: Machine, times: int) -> bool:
    """Whether every message has been tried so often, and none is in anybody's hands."""
    return all(each.tries == times and not each.lease for each in record(house))


def test_a_red_case_reaches_mail_and_webhook_through_refusal_silence_and_errors_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smtp, hook = free_port(), free_port()
    monkeypatch.setattr(logic, "SCHEDULE", (timedelta(hours=1),) * 3)
    with running(tmp_path, settings(smtp, hook)) as house:

        def again() -> None:
            """An hour later."""
            with house.host.storage.transaction(house.host.context().now) as tx:
                for each in record(house):
                    later = {"next_at": house.host.context().now}
                    tx.put(NOTICES, each.but(**later))

        house.send(routing(routed()))
        until(lambda: tried(house, 1))
        assert {each.reason for each in record(house)} == {"connection refused"}
        with silence(smtp) as mute, silence(hook):
            again()
            until(lambda: tried(house, 2))
            assert mute
            assert {each.reason for each in record(house)} <= {
                "no answer in time",
                "the connection was lost",
            }
        with mail_server(smtp) as (box, _), receiver(hook) as (heard, _):
            box.answers, heard.answers = ["451 come again"], [503]
            again()
            until(lambda: tried(house, 3))
            assert {each.reason for each in record(house)} == {
                "the mail server answered SMTP 451",
                "the receiver answered HTTP 503",
            }
            again()
            until(lambda: all(each.state is NoticeState.DELIVERED for each in record(house)))
            sleep(0.2)  # nothing follows
            assert (len(box.mails), len(heard.taken)) == (1, 1)
            assert (box.asked, len(heard.asked)) == (2, 2)
        assert [each.tries for each in record(house)] == [4, 4]
        assert len(set(heard.asked)) == 1
        [letter], [(hook_id, body)] = box.mails, heard.taken
        by_way = {each.way: each for each in record(house)}
        assert letter["Message-ID"] == f"<{by_way[Way.MAIL].id}@localhost>"
        assert hook_id == by_way[Way.WEBHOOK].id
        assert letter["To"] == "duty@house.example.org"
        assert "https://ledger.example/cases/case-1" in letter.get_content()
        assert "No light" not in letter.as_string() + json.dumps(body)
        assert (body["type"], body["data"]["case_id"]) == ("case.routed", "case-1")
        said = house.of(NotificationDelivered)
    assert [(each.case_id, each.tries) for each in said] == [("case-1", 4), ("case-1", 4)]  # type: ignore[attr-defined]


def test_a_receiver_that_knows_only_the_older_secret_still_takes_the_message(
    tmp_path: Path,
) -> None:
    with receiver() as (heard, hook), running(tmp_path, settings(hook=hook)) as house:
        heard.secret = OLDER_SECRET
        house.send(routing(routed()))
        until(lambda: heard.taken)


def test_a_receiver_that_is_gone_is_not_asked_again(tmp_path: Path) -> None:
    with receiver() as (heard, hook), running(tmp_path, settings(hook=hook)) as house:
        heard.answers = [410]
        house.send(routing(routed()))
        until(lambda: [each.state for each in record(house)] == [NoticeState.FAILED])
        [failed] = house.of(NotificationFailed)
        assert isinstance(failed, NotificationFailed)
        assert (failed.tries, failed.unit) == (1, "north-station")
    assert len(heard.asked) == 1


def test_a_receiver_cannot_send_us_to_another_address(tmp_path: Path) -> None:
    with receiver() as (elsewhere, other), receiver() as (heard, hook):
        heard.answers, heard.headers = [307, 302], {"Location": f"http://127.0.0.1:{other}/"}
        with running(tmp_path, settings(hook=hook), HOOK_POLICY) as house:
            house.send(routing(routed()))
            until(lambda: heard.taken)
            until(lambda: record(house)[0].tries == 3)
    assert len(heard.asked) == 3
    assert not elsewhere.asked


def test_a_receiver_that_answers_byte_by_byte_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "LONGEST", 0.6)
    hook = free_port()
    with silence(hook) as callers, running(tmp_path, settings(hook=hook), HOOK_POLICY) as house:
        house.send(routing(routed()))
        until(lambda: callers)
        while not record(house)[0].reason:
            with suppress(OSError):
                callers[0].send(b"H")
            sleep(0.1)
        assert record(house)[0].reason == "the answer cannot be understood"


def test_a_receiver_that_asks_us_to_wait_is_left_alone_for_so_long(tmp_path: Path) -> None:
    with receiver() as (heard, hook), running(tmp_path, settings(hook=hook), HOOK_POLICY) as house:
        heard.answers, heard.headers = [429], {"Retry-After": "3600"}
        house.send(routing(routed()))
        until(lambda: record(house)[0].reason == "the receiver answered HTTP 429")
        [waiting] = record(house)
    assert waiting.next_at is not None
    assert waiting.next_at - waiting.planned_at > timedelta(minutes=59)
    assert len(heard.asked) == 1


def test_an_endpoint_that_is_not_set_up_is_told_in_the_record(tmp_path: Path) -> None:
    elsewhere = replace(HOOK_POLICY, tells={"case.routed": (HOOK.but(to="x"),)})
    with receiver() as (heard, hook), running(tmp_path, settings(hook=hook), elsewhere) as house:
        house.send(routing(routed()))
        until(lambda: [each.state for each in record(house)] == [NoticeState.FAILED])
        assert "no endpoint `x`" in record(house)[0].reason
    assert not heard.asked


HOOK_POLICY = SmallPolicy(tells={"case.routed": (HOOK,)})


def test_nothing_is_noted_where_neither_way_is_set_up(tmp_path: Path) -> None:
    with running(tmp_path, {}) as house:
        house.send(routing(routed()))
        assert record(house) == []


def test_after_the_last_try_it_has_failed_and_can_be_tried_again_by_command(
    tmp_path: Path,
) -> None:
    smtp = free_port()
    with running(tmp_path, settings(smtp)) as house:
        browser = Browser(application([house.host], house.host.metrics))
        house.send(routing(routed()))
        until(lambda: record(house)[0].state is NoticeState.FAILED)
        [failed] = house.of(NotificationFailed)
        assert isinstance(failed, NotificationFailed)
        assert (failed.tries, failed.reason) == (logic.TRIES, "connection refused")
        [listed] = browser.get("/notifications?state=failed").json()["notifications"]
        assert (listed["tries"], listed["reason"]) == (logic.TRIES, "connection refused")
        with mail_server(smtp) as (box, _):
            done = browser.command("retry-notification", {"notification_id": listed["id"]})
            assert done.status_code == 200
            until(lambda: box.mails)
            until(lambda: record(house)[0].state is NoticeState.DELIVERED)
        again = browser.command("retry-notification", {"notification_id": listed["id"]})
        unknown = browser.command("retry-notification", {"notification_id": "none"})
        assert (again.status_code, unknown.status_code) == (Conflict.status, NotFound.status)
        shown = browser.get("/cases/case-1/notifications")
        assert shown.json()["notifications"][0]["state"] == "delivered"
        assert "example.org" not in shown.text
        assert browser.get("/cases/unknown/notifications").status_code == 404
        assert browser.get("/notifications?state=lost").status_code == 422


def test_a_service_that_dies_after_sending_sends_again_under_the_same_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least once: between the receiver's answer and our commit there is always a moment."""
    died = threading.Event()
    transact = Means.transact

    def die(self: Means, run: Callable[..., object]) -> None:
        if heard.taken and not died.is_set():
            died.set()
            raise Unavailable("the power is cut")
        transact(self, run)  # type: ignore[arg-type]

    monkeypatch.setattr(Means, "transact", die)
    monkeypatch.setattr("shared.runtime.background.PAUSE", 0.05)
    monkeypatch.setattr(logic, "LEASE", timedelta(seconds=0.5))
    with (
        receiver() as (heard, hook),
        running(tmp_path, settings(hook=hook), HOOK_POLICY) as house,
    ):
        house.send(routing(routed()))
        until(lambda: record(house)[0].state is NoticeState.DELIVERED)
    assert died.is_set()
    assert len(heard.taken) == 2
    assert len({message_id for message_id, _ in heard.taken}) == 1


def test_two_replicas_tell_each_of_a_hundred_once(tmp_path: Path, database: str) -> None:
    cases = [f"case-{number:03}" for number in range(100)]
    with receiver() as (heard, hook), ExitStack() as stack:
        replicas = [
            stack.enter_context(running(tmp_path, settings(hook=hook), HOOK_POLICY, database))
            for _ in range(2)
        ]
        replicas[0].send(*(routing(routed(name)) for name in cases))
        until(lambda: len(heard.taken) >= len(cases), 30)
        sleep(0.3)
        holders = {record(replicas[0], name)[0].state for name in cases}
    assert holders == {NoticeState.DELIVERED}
    assert Counter(body["data"]["case_id"] for _, body in heard.taken) == Counter(cases)


def test_a_burst_of_a_thousand_to_a_server_that_does_not_answer_does_not_hold_up_the_worker(
    tmp_path: Path,
) -> None:
    smtp = free_port()
    with (
        silence(smtp),
        receiver() as (heard, hook),
        running(tmp_path, settings(smtp, hook)) as house,
    ):
        for first in range(0, 1000, 100):
            house.send(*(routing(routed(f"case-{first + each}")) for each in range(100)))
        slowest = 0.0
        for number in range(20):
            began = monotonic()
            house.send(withdrawing(f"case-{number}", at("2026-03-03 09:00")))
            slowest = max(slowest, monotonic() - began)
        assert slowest < 1.0
        until(lambda: len(heard.taken) >= 900, 30)  # the other way goes on


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Of a mail server that calls itself localhost; whoever reads SSL_CERT_FILE trusts it."""
    key, trusted = tmp_path / "key.pem", tmp_path / "trusted.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    make += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*make, "-keyout", key, "-out", trusted], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    return context


def test_a_password_is_given_behind_starttls_to_a_server_that_is_trusted_alone(
    tmp_path: Path, certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[bytes, bytes]] = []

    def login(_server: object, _session: object, _envelope: object, _kind: str, asked: Any) -> Any:
        given.append((asked.login, asked.password))
        return AuthResult(success=True)

    options: dict[str, Any] = {
        "tls_context": certificate,
        "authenticator": login,
        "auth_required": True,
    }
    with mail_server(**options) as (box, smtp):
        address = {"CONCENTRIC_SMTP_URL": f"smtp://house:secret%40word@localhost:{smtp}"}
        with running(tmp_path, address) as house:
            house.send(routing(routed()))
            until(lambda: box.mails)
        assert given == [(b"house", b"secret@word")]
        monkeypatch.delenv("SSL_CERT_FILE")
        with running(tmp_path, address) as house:
            house.send(routing(routed("case-2")))
            until(lambda: record(house, "case-2")[0].reason)
            assert record(house, "case-2")[0].reason == "the certificate cannot be trusted"
        assert len(given) == 1


def test_what_was_answered_meanwhile_is_told_nobody(tmp_path: Path) -> None:
    smtp = free_port()
    with running(tmp_path, settings(smtp)) as house:
        house.send(routing(routed()))
        until(lambda: record(house)[0].tries > 0)
        house.send(answering(replied(routed(), at("2026-03-03 09:00"))))
        until(lambda: record(house)[0].state is NoticeState.DROPPED)


def test_a_breach_and_its_escalation_are_told_as_well(tmp_path: Path) -> None:
    clocks = Clocks(case_id="case-1", version=2, unit="north-station", colour="red")
    with mail_server() as (box, smtp), running(tmp_path, settings(smtp)) as house:
        house.send(routing(routed()))
        house.send(CaseOverdue(case_id="case-1", clocks=clocks))
        up = clocks.but(version=3)
        house.send(CaseEscalated(case_id="case-1", clocks=up, to_unit="north", step=0))
        until(lambda: len(box.mails) == 3)
        until(lambda: len(house.of(NotificationDelivered)) == 3)
        assert {each.event for each in record(house)} == set(TELLS)


def test_the_figures_show_what_waits_and_how_long_it_took(tmp_path: Path) -> None:
    smtp = free_port()
    with running(tmp_path, settings(smtp)) as house:
        browser = Browser(application([house.host], house.host.metrics))
        house.send(routing(routed()))
        until(lambda: record(house)[0].tries > 0)
        shown = browser.get("/metrics").text
        assert 'concentric_notifications_waiting{colour="red"} 1.0' in shown
        assert 'concentric_notifications_waiting{colour="yellow"} 0.0' in shown
        with mail_server(smtp):
            until(lambda: record(house)[0].state is NoticeState.DELIVERED)
            until(lambda: 'outcome="delivered",way="mail"} 1.0' in browser.get("/metrics").text)
        shown = browser.get("/metrics").text
        assert 'concentric_notification_seconds_count{colour="red",way="mail"} 1.0' in shown
        assert 'concentric_notifications_waiting{colour="red"} 0.0' in shown


def test_the_list_of_the_morning_goes_out_once_on_a_saturday_that_is_worked(
    tmp_path: Path,
) -> None:
    """28 February 2026 was worked for the Spring Festival; 1 March was an ordinary Sunday."""
    policy, clock = load_policy(POLICIES / "xiaoshan.yaml"), Clock(at("2026-02-26 10:00"))
    due = policy.calendar.end_of(date(2026, 2, 28))
    clocks = Clocks(case_id="case-1", version=1, unit="office", colour="yellow", due_at=due)
    handling = routed(unit="office", colour="yellow", started_at=clock.now, received_at=clock.now)
    with mail_server() as (box, smtp):
        with running(tmp_path, settings(smtp), policy, clock=clock) as house:
            house.send(routing(handling))
            house.send(DeadlineSet(case_id="case-1", clocks=clocks))
        mornings = {"02-28 07:59": 0, "02-28 08:01": 1, "02-28 09:00": 1, "03-01 08:01": 1}
        for moment, mails in {**mornings, "03-02 08:01": 2}.items():
            clock.now = at(f"2026-{moment}")
            with running(tmp_path, settings(smtp), policy, clock=clock):
                until(lambda mails=mails: len(box.mails) >= mails)  # type: ignore[misc]
                sleep(0.2)  # nothing follows
            assert len(box.mails) == mails, moment
    first, second = ([*each.get_content().splitlines()] for each in box.mails)
    assert {each["To"] for each in box.mails} == {"office@xiaoshan.example.org"}
    listed = "- 2026-02-28 黄色  https://ledger.example/cases/case-1"
    assert first[:2] == ["今日到期：", listed]
    assert second[:2] == ["已超期：", listed]
