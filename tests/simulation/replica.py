"""One replica of a service: the real host's parts, without their threads, led step by step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from services.notify.notices import Notice, Outcome
from services.notify.sender import SLOTS, Sender
from shared.domain.commands import ApplyPolicy, Command
from shared.domain.errors import Refusal, Unavailable
from shared.domain.events import Event
from shared.domain.notices import Way
from shared.observe.metrics import Metrics
from shared.policy.holder import PolicyHolder
from shared.runtime.background import Means
from shared.runtime.handling import Context, Handler
from shared.runtime.host import Host
from shared.runtime.service import Service
from shared.runtime.versions import in_force
from shared.runtime.work import Errand, Request, Tick
from shared.runtime.worker import Worker
from shared.settings import Settings
from shared.storage.storage import Storage
from shared.storage.tx import Tx
from tests.simulation.broker import HELD, Broker, Wire
from tests.simulation.chance import TICK, Chance, Crash
from tests.simulation.records import Broken, Effect, Records
from tests.simulation.storing import FaultyStorage, Watch

SKEW = 1.0
"""Seconds by which a machine's clock is wrong at the most."""


class Asleep(Exception):
    """There is nothing to do: a thread would wait here."""


class _Sleepless(threading.Condition):
    """Raises instead of waiting."""

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - as its base has it
        raise Asleep


class _Pause(threading.Event):
    """Time passes instead of a thread waiting; and while it does, somebody may want us to stop."""

    def __init__(self, chance: Chance, may_stop: Callable[[], bool] = lambda: False) -> None:
        super().__init__()
        self._chance = chance
        self._may_stop = may_stop

    def wait(self, timeout: float | None = None) -> bool:
        self._chance.pass_by(timedelta(seconds=timeout or 0) + TICK)  # nobody wakes too early
        if self._may_stop():
            self.set()
        return self.is_set()


class _Postbox(Means):
    """Lets the worker write at once, where the background's thread would wait for it."""

    def transact(self, run: Callable[[Tx, Context], Sequence[Event]]) -> None:
        errand, worker = Errand(run), self.writer
        assert isinstance(worker, Worker)
        worker.put(errand)
        while not errand.done.done():
            worker.step()
        errand.done.result()


@dataclass(frozen=True)
class House:
    """What all replicas share."""

    folder: Path
    policy: Path
    settings: Settings
    metrics: Metrics
    chance: Chance
    broker: Broker
    records: Records


class Replica:
    """A process that can crash at any moment and be started again."""

    def __init__(self, service: Service, name: str, house: House) -> None:
        self.name = name
        self.up = False
        self._house = house
        self._watch = Watch(name, service.name, house.chance, house.records)
        self.service = _watched(service, self._watch)
        self._tries: list[Notice] = []
        self._ahead = timedelta(seconds=house.chance.dice.uniform(-SKEW, SKEW))

    def _moment(self) -> datetime:
        """What the clock of its machine shows."""
        return self._house.chance.moment() + self._ahead

    def start(self) -> None:
        """Begin with nothing but what was committed."""
        house = self._house
        self._storage = storage = FaultyStorage(self.service, house.folder, self._watch)
        with Storage.read(storage) as connection:  # the real one: nobody waits for a start here
            stored = next(in_force(connection, house.chance.now), None)
        policies = PolicyHolder(house.policy, stored=stored)
        self.wire = wire = Wire(house.broker, self.name)
        self.host = Host(
            self.service, storage, wire, policies, house.metrics, house.settings,
            clock=self._moment,
        )  # fmt: skip
        self.worker, self.relay = self.host._worker, self.host._relay
        self.worker._stopping = _Pause(house.chance, lambda: house.chance.strikes(0.1))
        self.relay._halt = _Pause(house.chance)
        self.relay._changed = _Sleepless()
        self.reader = wire.subscribe(self.service.subscription(), self.worker.put)
        self.worker.consumer = self.reader
        self._ticks = [Tick(timer) for timer in self.service.timers]
        for tick in self._ticks:
            tick.done.set()
        self._tries = []
        means = self.host._background._means
        fields = (means.context, means.settings, means.metrics, means.log)
        self._sender = Sender(_Postbox(self.worker, self.host.read, *fields))
        self.up = True
        house.records.tell(self.name, "starts")
        if self.service.watch is not None:
            content = house.policy.read_text()
            self.ask(ApplyPolicy(content=content, by="file policy.yaml", watched=True))

    def crash(self, why: str) -> None:
        """End without a word; what was not committed or confirmed never was."""
        self._house.records.tell(self.name, f"CRASHES {why}")
        self.up = False
        self.reader.stop()
        self._storage.close()

    @property
    def full(self) -> bool:
        """Whether it takes nothing more for now."""
        return self.reader.resting or len(self.reader.held) + self.worker._inlet.waiting > HELD

    @property
    def busy(self) -> bool:
        """Whether there is work for the worker."""
        return not self.worker.idle or bool(self.relay.published())

    def ask(self, *commands: Command) -> Request:
        """Hand in commands as an HTTP request would."""
        for command in commands:
            self.host.prepare(command)
        request = Request(commands)
        self.worker.put(request)
        return request

    def work(self) -> None:
        """One batch of the worker."""
        self._run(self._work)

    def publish(self) -> bool:
        """Something that was committed goes to the broker; whether there was anything."""
        return self._run(self._publish)

    def tick(self, place: int) -> None:
        """A timer falls due."""
        tick = self._ticks[place]
        if tick.done.is_set():
            tick.done.clear()
            self.worker.put(tick)

    @property
    def timers(self) -> int:
        """How many timers it has."""
        return len(self._ticks)

    def follow(self) -> None:
        """Look for versions of the policy that were applied."""
        self._run(self.host._following.follow)

    def post(self) -> bool:
        """Let tries to tell people end, and begin further ones; whether there was anything."""
        return self.service.background is not None and self._run(self._post)

    def _work(self) -> None:
        try:
            self.worker.step()
        except Exception as error:
            raise Broken(f"the worker of {self.name} died of {error!r}") from error
        if self.worker._stopping.is_set():
            raise Crash("by being stopped while the database is away")

    def _publish(self) -> None:
        while not self.wire.carry():
            if self.relay._wait() and self.relay._rest():
                self.relay.step()

    def _post(self) -> None:
        chance = self._house.chance
        ended = [notice for notice in self._tries if chance.tenth(6)]
        self._tries = [notice for notice in self._tries if notice not in ended]
        tried = [(notice, self._outcome(notice)) for notice in ended]
        held = [notice.way for notice in self._tries]
        free = {way: SLOTS - held.count(way) for way in Way if held.count(way) < SLOTS}
        if not tried and not self._sender._anything_due(free):
            raise Asleep
        self._tries.extend(self._sender._exchange(tried, free))

    def _outcome(self, notice: Notice) -> Outcome:
        if self._house.chance.strikes(0.3):
            return Outcome(reason="the receiver answered HTTP 503")
        self._house.records.delivered[notice.id] += 1
        return Outcome()

    def _run(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except Asleep:
            return False
        except Crash as crash:
            self.crash(f"{crash}")
        except Unavailable as away:
            self._house.records.tell(self.name, f"waits: {away}")
        return True


def _watched(service: Service, watch: Watch) -> Service:
    """The service with handlers that note what they did, and fail now and then."""

    def wrapped(handler: Handler) -> Handler:
        def handle(cause: Any, tx: Tx, ctx: Context) -> Sequence[Event]:
            assert ctx.cause is not None
            if ctx.cause.id in watch.records.unwritable:
                raise sa.exc.IntegrityError("insert", {}, ValueError("no database takes this"))
            if watch.stumbles[ctx.cause.id] < 2 and watch.chance.strikes(0.01):
                watch.stumbles[ctx.cause.id] += 1
                raise ValueError("a fault that passes")
            try:
                events = handler(cause, tx, ctx)
            except Refusal:
                watch.effects.append(Effect(ctx.cause, "refused"))
                raise
            watch.effects.append(Effect(ctx.cause, "done", events))
            return events

        return handle

    return replace(
        service,
        can_wait=frozenset(),
        handlers={kind: wrapped(handler) for kind, handler in service.handlers.items()},
        commands={kind: wrapped(handler) for kind, handler in service.commands.items()},
    )
