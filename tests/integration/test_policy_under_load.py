"""Versions that flip under load: no decision is lost, and none mixes two versions."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest

from services.embedded.house import House
from services.ledger import queries
from services.ledger.journal import verify
from services.router import policies as router_policies
from services.router.service import ROUTER
from shared.bus.codec import Envelope, decode, encode
from shared.bus.listeners import LISTENERS
from shared.bus.protocol import Bus, Consumer, Delivery, Message, Subscription
from shared.bus.rabbit import RabbitBus
from shared.domain.case import GivenInformant
from shared.domain.commands import ApplyPolicy, SubmitCase
from shared.domain.events import CaseRecorded, CaseRouted, DeadlineSet
from shared.domain.ids import new_id
from shared.observe.metrics import Metrics
from shared.policy.holder import PolicyHolder
from shared.policy.load import version_of
from shared.policy.trying.rehearsal import Trials
from shared.runtime import host
from shared.runtime.gateway import Gateway
from shared.settings import Settings
from tests.support.machine import POLICIES, in_envelope, recorded, storage_of

TEXT = (POLICIES / "message-board.yaml").read_text(encoding="utf-8")
UNITS = ("leaders-office", "education-office")


def numbered(number: int) -> str:
    """A policy of which every part of a decision tells the number."""
    unit = UNITS[number % 2]
    row = f"  - {{name: number {number}, when: {{}}, then: {{colour: yellow, unit: {unit}}}}}\n"
    head, _, rest = TEXT.partition("triage:\n")
    _, _, evaluators = rest.partition("\nevaluators:")
    assert "reply: 20" in head
    head = head.replace("reply: 20", f"reply: {20 + number}")
    return f"{head}triage:\n{row}\nevaluators:{evaluators}"


VERSIONS = {version_of("message-board", numbered(number).encode()): number for number in range(60)}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flip as often as can be; the trials are tested elsewhere."""
    monkeypatch.setattr(router_policies, "LEAD", timedelta(seconds=0.3))
    monkeypatch.setattr(host, "FOLLOW", 0.05)

    def passed(_trials: Trials, content: str) -> str:
        return version_of("message-board", content.encode())

    monkeypatch.setattr(Trials, "hold", lambda *_: None)
    monkeypatch.setattr(Trials, "passed", passed)


class Ear:
    """Hears everything that is decided."""

    def __init__(self, bus: Bus) -> None:
        self.packs: list[list[Envelope]] = []
        self._seen: set[str] = set()
        subscription = Subscription("ear", (CaseRouted.type, DeadlineSet.type))
        self._consumer: Consumer = bus.subscribe(subscription, self._hear)

    def _hear(self, delivery: Delivery) -> None:
        read = decode(delivery.message)
        if delivery.message.id not in self._seen:  # a replica may publish what its twin did
            self._seen.add(delivery.message.id)
            self.packs.append([each for each in read if isinstance(each, Envelope)])
        self._consumer.ack([delivery])

    def routed(self) -> list[Envelope]:
        return [each for pack in self.packs for each in pack if isinstance(each.data, CaseRouted)]

    def check(self, cases: int) -> None:
        """Every case was decided once, wholly by one version; many versions had their turn."""
        routed = self.routed()
        decided = Counter(each.subject for each in routed)
        assert (len(decided), set(decided.values())) == (cases, {1})
        for each in routed:
            assert isinstance(each.data, CaseRouted)
            decision, handling = each.data.decision, each.data.handling
            number = VERSIONS[decision.policy_version]
            assert each.policyversion == handling.policy_version == decision.policy_version
            assert decision.row == f"number {number}"
            assert decision.limits.reply == handling.limits.reply == 20 + number
            assert decision.unit == handling.unit == UNITS[number % 2]
        for pack in self.packs:
            assert len({each.policyversion for each in pack}) == 1, "a transaction sees one version"
        assert len({each.policyversion for each in routed}) >= 4, "else nothing was flipped"


@contextmanager
def flipping(gateways: Sequence[Gateway], applied: list[int]) -> Iterator[None]:
    """Another policy again and again, asked of each router in turn."""
    end = threading.Event()

    def flip() -> None:
        for number, gateway in zip(range(1, 60), itertools.cycle(gateways)):
            gateway.execute(ApplyPolicy(content=numbered(number), by="tests"))
            applied.append(number)
            if end.wait(0.2):
                return

    thread = threading.Thread(target=flip)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    limit = monotonic() + seconds
    while not true():
        assert monotonic() < limit, "it did not come to that in time"
        sleep(0.05)


def seeded(folder: Path) -> Path:
    file = folder / "policy.yaml"
    file.write_text(numbered(0), encoding="utf-8")
    return file


def test_thousands_of_cases_while_versions_flip_in_one_process(tmp_path: Path) -> None:
    cases, batch = 2000, 50
    house = House(Settings.read({}, data=tmp_path, policy=seeded(tmp_path), drain=10.0))
    ear = Ear(house.bus)
    house.start()
    applied: list[int] = []
    outcomes: list[object] = []

    def submit(numbers: range) -> None:
        for first in range(numbers.start, numbers.stop, batch):
            commands = [
                SubmitCase(
                    source="load",
                    external_id=f"{number}",
                    channel="message-board",
                    subject=f"Case {number}",
                    text="About it",
                    informant=GivenInformant(ref="citizen"),
                )
                for number in range(first, first + batch)
            ]
            outcomes.extend(house.hosts["intake"].gateway.execute_all(commands))
            sleep(0.03)

    try:
        with flipping([house.hosts["router"].gateway], applied):
            threads = [
                threading.Thread(target=submit, args=(range(start, start + cases // 2),))
                for start in (0, cases // 2)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert house.quiet(60)
        assert not any(isinstance(each, Exception) for each in outcomes)
        with house.hosts["ledger"].read() as connection:
            assert verify(queries.journal(connection), queries.chain(connection)).intact
            types = Counter(entry.type for entry in queries.journal(connection))
    finally:
        house.stop()
    ear.check(cases)
    assert types["case.routed"] == types["deadline.set"] == cases
    assert types["policy.applied"] == len(applied) + 1


def test_two_routers_on_rabbitmq_and_postgresql_take_the_same_versions_over(
    tmp_path: Path, vhost: str, database: str
) -> None:
    cases, batch = 1000, 20
    file = seeded(tmp_path)
    settings = Settings.read({}, data=tmp_path, drain=10.0)
    with ExitStack() as stack:
        listener = RabbitBus(vhost, name="ear", listeners=LISTENERS)
        stack.callback(listener.close)
        ear = Ear(listener)
        routers = []
        for _ in range(2):
            bus = RabbitBus(vhost, name="router", listeners=LISTENERS, prefetch=40)
            stack.callback(bus.close)
            storage = storage_of(ROUTER, tmp_path, database)
            storage.migrate()
            holder = PolicyHolder(file)
            made = host.Host(ROUTER, storage, bus, holder, Metrics(), settings)
            made.listen()
            made.speak()
            stack.callback(made.stop)
            routers.append(made)
        applied: list[int] = []
        with flipping([each.gateway for each in routers], applied):
            for first in range(0, cases, batch):
                events = [recorded(f"{number}") for number in range(first, first + batch)]
                listener.publish([_message(event) for event in events])
                sleep(0.05)
            until(lambda: len({each.subject for each in ear.routed()}) == cases)
        last = version_of("message-board", numbered(applied[-1]).encode())
        until(lambda: all(each.context().policy.version == last for each in routers))
        assert all(each.transactions > 10 for each in routers), "else one has worked alone"
        ear.check(cases)


def _message(event: CaseRecorded) -> Message:
    return Message(new_id(), event.type, encode([in_envelope(event)]))
