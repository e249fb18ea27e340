"""All services as processes on a RabbitMQ of their own, with a wire between that can be cut."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pika
from pika.adapters.blocking_connection import BlockingChannel

from services.embedded.catalogue import NAMES
from shared.bus import upkeep
from shared.bus.listeners import LISTENERS
from shared.bus.upkeep import Found
from tests.support.cases import plain_case
from tests.support.processes import Process, concentric, environment, services
from tests.support.proxy import Proxy
from tests.support.servers.rabbitmq import PrivateRabbit
from tests.support.servers.server import management

PATIENCE = 60.0
"""Seconds that anything may take, on a machine that does other things as well."""

BATCH = 20


class BrokerHouse:
    """A running installation, the cases sent into it, and the troubles of its broker."""

    def __init__(
        self, broker: PrivateRabbit, wire: Proxy, running: Mapping[str, Process], folder: Path
    ) -> None:
        self.broker = broker
        self.wire = wire
        self.running = running
        self.folder = folder
        self.sent = 0
        """Cases accepted so far."""

    def submit(self, count: int) -> None:
        """Record so many more cases; whoever gets no answer tries again."""
        for first in range(self.sent, self.sent + count, BATCH):
            self._submit(
                [plain_case(n) for n in range(first, min(first + BATCH, self.sent + count))]
            )
        self.sent += count

    def submit_case(self, case: Mapping[str, object]) -> None:
        """Record one case, for itself."""
        self._submit([case])
        self.sent += 1

    @contextmanager
    def load(self, count: int) -> Iterator[None]:
        """So many cases are recorded meanwhile."""
        with ThreadPoolExecutor(1) as pool:
            submitting: Future[None] = pool.submit(self.submit, count)
            yield
            submitting.result()

    def audit(self) -> tuple[int, Any]:
        """The exit code of `concentric audit`, once all is quiet, and its findings."""
        done = subprocess.run(
            [concentric(), "audit", "--json", "--wait", f"{PATIENCE:.0f}"],
            env={"PATH": os.environ["PATH"], **environment(self.folder, None)},
            capture_output=True,
            text=True,
            timeout=4 * PATIENCE,
            check=False,
        )
        assert done.returncode in {0, 1}, done.stderr
        return done.returncode, json.loads(done.stdout)

    def check(self) -> None:
        """Everything drains, the books balance, and every case is in each of them."""
        until(self.at_rest, "something was still on its way")  # the audit asks no broker
        code, findings = self.audit()
        assert code == 0, findings
        recorded = {name: book["recorded"] for name, book in findings["services"].items()}
        assert recorded == dict.fromkeys(NAMES, self.sent)
        until(lambda: not self.waiting(), "the queues never became empty")
        until(lambda: not self.problems(), "a service never became ready again")

    def problems(self) -> dict[str, str]:
        """What /readyz of each service complains of."""
        found = {name: httpx.get(f"{process.url}/readyz") for name, process in self.running.items()}
        return {name: answer.text for name, answer in found.items() if answer.is_error}

    def metric(self, service: str, name: str) -> float:
        """The sum of a metric of a service over its labels."""
        text = httpx.get(f"{self.running[service].url}/metrics").text
        lines = [line for line in text.splitlines() if line.startswith(f"{name}{{")]
        assert lines, f"{service} shows no {name}"
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def said(self, service: str, words: str) -> bool:
        """Whether the log of a service holds these words."""
        return words in (self.folder / f"{service}.log").read_text(errors="replace")

    def queues(self) -> Sequence[Found]:
        """The queues as they are."""
        with upkeep.upkeep(self.broker.url) as hand:
            return upkeep.look(hand, LISTENERS)

    def waiting(self) -> dict[str, int]:
        """Messages that wait, by queue."""
        return {each.name: each.messages for each in self.queues() if each.messages}

    def at_rest(self) -> bool:
        """Whether nothing waits or is in a service's hands: books can agree before that."""
        books = [httpx.get(f"{each.url}/books").json() for each in self.running.values()]
        if any(book["outbox"] for service in books for book in service.values()):
            return False
        listed = self.broker.control("list_queues", "--no-table-headers", "messages")
        return not any(int(line) for line in listed.split())

    @contextmanager
    def stopped(self, *names: str) -> Iterator[None]:
        """Some services are killed, and started again at the end."""
        for name in names:
            self.running[name].kill()
        try:
            yield
        finally:
            for name in names:
                self.running[name].launch()
            for name in names:
                self.running[name].wait_ready()

    @contextmanager
    def policy(self, queue: str, **definition: object) -> Iterator[None]:
        """The broker treats a queue otherwise meanwhile."""
        given = {"pattern": f"^{queue}$".replace(".", "[.]"), "definition": definition}
        path = "/api/policies/%2F/fault"
        with management(self.broker) as api:
            api.put(path, json={**given, "apply-to": "queues"}).raise_for_status()
            try:
                yield
            finally:
                api.delete(path).raise_for_status()

    @contextmanager
    def stranger(self) -> Iterator[BlockingChannel]:
        """A client that is none of ours, whose messages are confirmed."""
        connection = pika.BlockingConnection(pika.URLParameters(self.broker.url))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            connection.close()

    def _submit(self, cases: Sequence[Mapping[str, object]]) -> None:
        where = f"{self.running['intake'].url}/commands/submit-case/batch"
        give_up = monotonic() + PATIENCE
        while True:
            try:
                answer = httpx.post(where, json=cases, timeout=20)
                answer.raise_for_status()
            except (httpx.TransportError, httpx.HTTPStatusError):
                if monotonic() > give_up:
                    raise
                sleep(0.1)
                continue
            assert not any(each["problems"] for each in answer.json()), answer.text
            return


@contextmanager
def broker_house(
    folder: Path, *, heartbeat: int = 30, data: Path | None = None
) -> Iterator[BrokerHouse]:
    """A house whose broker is its own, on SQLite: killed at the end, with its broker.

    `data` is where the broker keeps its messages, if not in its own folder.
    """
    broker = PrivateRabbit(data)
    try:
        broker.start()
        with (
            Proxy(broker.url) as wire,
            services(folder, f"{wire.url}?heartbeat={heartbeat}") as running,
        ):
            yield BrokerHouse(broker, wire, running, folder)
    finally:
        broker.close()


def until(what: Callable[[], bool], complaint: str, seconds: float = PATIENCE) -> None:
    """Wait until something holds; fail with the complaint if it never does."""
    give_up = monotonic() + seconds
    while not what():
        assert monotonic() < give_up, complaint
        sleep(0.1)
