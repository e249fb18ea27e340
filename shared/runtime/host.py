"""A running service: storage, worker, relay, ticker, background, subscription; then drained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from time import monotonic

import sqlalchemy as sa

from shared.bus.protocol import Bus, Consumer
from shared.domain.commands import Command
from shared.domain.errors import Unavailable
from shared.observe.logs import logger
from shared.observe.metrics import Metrics
from shared.runtime.background import Background, Means
from shared.runtime.backlog import Backlog, Bounds
from shared.runtime.clockwatch import ClockWatch
from shared.runtime.following import Following, Policies
from shared.runtime.gateway import Gateway
from shared.runtime.handling import Context
from shared.runtime.inlet import Inlet
from shared.runtime.relay import Relay
from shared.runtime.service import Service
from shared.runtime.ticker import Ticker
from shared.runtime.versions import Versions
from shared.runtime.work import Request, Resolution
from shared.runtime.worker import Parts, Worker
from shared.settings import Settings
from shared.storage.storage import Storage

MEMORY = timedelta(days=14)
"""How long the inbox knows a message: longer than any queue keeps one unread."""


FOLLOW = 1.0
"""Seconds between two looks for a version of the policy that was applied: fewer than its lead."""

REFRESH = 5.0
"""Seconds between two counts of what waits and what lies aside."""

WATCH = 2.0
"""Seconds between two looks at the policy's file."""


def _machine_clock() -> datetime:
    return datetime.now(UTC)


class Host:
    """One service, running in this process."""

    def __init__(
        self,
        service: Service,
        storage: Storage,
        bus: Bus,
        policies: Policies,
        metrics: Metrics,
        settings: Settings,
        *,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """The machine's clock is watched for jumps; one that is handed in is believed."""
        self.service = service
        self.storage = storage
        self.metrics = metrics
        metrics.begin(service.name)
        self.log = logger(service.name)
        self.gateway = Gateway(self)
        self.versions = Versions(self.read)
        self._bus = bus
        self._policies = policies
        self._settings = settings
        self._clock = clock or _machine_clock
        self._watch = ClockWatch() if clock is None else None
        self._consumer: Consumer | None = None
        self._backlog = Backlog(
            Bounds(settings.outbox_rows, settings.outbox_bytes), self._backlog_changed
        )
        self._relay = Relay(service.name, storage, bus, metrics, self.log, self._backlog)
        self._worker = Worker(
            Parts(
                service,
                storage,
                self._relay,
                self.context,
                metrics,
                self.log,
                Inlet(settings.batch, service.can_wait, bus.gap),
            )
        )
        self._following = Following(
            service, policies, self.gateway, self.context, metrics, self.log
        )
        self._ticker = Ticker(service.name, self._worker.put, self.log)
        # A version is compiled for up to some seconds, and a changed file tried for longer: in
        # threads of their own, so that neither a timer nor the other waits for it.
        self._follower = Ticker(f"{service.name}-policy", self._worker.put, self.log)
        self._watcher = Ticker(f"{service.name}-file", self._worker.put, self.log)
        means = Means(self._worker, self.read, self.context, settings, metrics, self.log)
        self._background = Background(service.name, service.background, means)

    def context(self) -> Context:
        """The present moment and the policy in force."""
        now = self._clock()
        certain = self._watch is None or self._watch.certain(now)
        policy, ways = self._policies.at(now), self._settings.ways
        return Context(now=now, policy=policy, link=self._link, certain=certain, ways=ways)

    def _link(self, token: str) -> str:
        settings = self._settings
        base = settings.public_url or f"http://{settings.host}:{settings.port}"
        return f"{base.rstrip('/')}/rate/{token}"

    @property
    def _tickers(self) -> tuple[Ticker, ...]:
        return (self._ticker, self._follower, self._watcher)

    def admit(self) -> None:
        """Let somebody pass who brings work; raises `Overloaded` while the outbox is full."""
        self._backlog.admit()

    def put(self, work: Request | Resolution) -> None:
        """Hand work to the worker."""
        self._worker.put(work)

    def prepare(self, command: Command) -> None:
        """Do beforehand, on this thread, what takes long about a command."""
        prepare = self.service.prepare.get(type(command))
        if prepare is not None:
            prepare(command, self.context())

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading the service's own tables."""
        with self.storage.read() as connection:
            yield connection

    def listen(self) -> None:
        """Bring the schema up to date and take part in the bus, without sending anything yet.

        In one process every service listens before any speaks: what is published before a reader
        is there would never reach it.
        """
        self.storage.migrate()
        counts = self.storage.counts()
        self._backlog.counted(counts.outbox, counts.outbox_bytes)
        self._consumer = self._bus.subscribe(self.service.subscription(), self._worker.put)
        self._consumer.hold(self._backlog.full)
        self._worker.consumer = self._consumer
        # Not earlier: what is delivered before `subscribe` returns would be committed by a worker
        # that knows no consumer yet, and never be acknowledged. A reader that feels its way, one
        # message at a time, would wait for that one for ever.
        self._worker.start()

    def speak(self) -> None:
        """Publish what lies in the outbox, and begin to watch the time."""
        self._relay.start()
        for timer in self.service.timers:
            self._ticker.timer(timer)
        look = self._following.watched()
        if look is not None:
            self._watcher.every(WATCH, look)
        self._follower.every(FOLLOW, self._following.follow)
        self._ticker.every(REFRESH, self._refresh_gauges)
        self._ticker.every(600.0, self._forget_messages)
        for ticker in self._tickers:
            ticker.start()
        self._background.start()
        self.log.info("started", policy=self.context().policy.version)

    @property
    def problems(self) -> list[str]:
        """Why the service cannot do its work at the moment; empty when it is ready."""
        consumer = self._consumer.problem if self._consumer else "not started"
        ended = [
            f"{thread.name} has ended, its log says why: restart the service"
            for thread in (self._worker, self._relay)
            if thread.ident is not None and not thread.is_alive()
        ]
        own = self._worker.problem, self._bus.problem, self._backlog.problem
        found = (*own, consumer, *ended)
        return [problem for problem in found if problem]

    @property
    def transactions(self) -> int:
        """Transactions committed so far: two equal readings with `idle` between mean quiet."""
        return self._worker.transactions

    @property
    def idle(self) -> bool:
        """Whether nothing lies in the inlet and nothing waits to be published."""
        return self._worker.idle and self._relay.idle

    def stop_ticking(self) -> None:
        """Let no timer fall due any more, and let the background come to its end."""
        for ticker in self._tickers:
            ticker.stop()
        self._background.stop()

    def stop_listening(self) -> None:
        """Take on nothing new; what was taken on goes on."""
        self.stop_ticking()
        if self._consumer is not None:
            self._consumer.stop()

    def stop(self) -> None:
        """Finish what was taken on, publish it as far as time allows, let go of everything."""
        began = monotonic()
        self.stop_listening()
        self._background.join(self._settings.drain)  # the worker writes down what it has done
        self._worker.stop()
        self._worker.join(max(1.0, self._settings.drain - (monotonic() - began)))
        left = max(1.0, self._settings.drain - (monotonic() - began))
        self._relay.stop(left)
        self._relay.join(left + 1.0)
        for ticker in self._tickers:
            if ticker.is_alive():
                ticker.join(left)  # it may be reading: what is in use is not closed with the rest
        self.storage.close()
        self.log.info("stopped", seconds=round(monotonic() - began, 2))

    def _forget_messages(self) -> None:
        """A message that was claimed so long ago will not be delivered again."""
        with suppress(Unavailable):  # then in ten minutes
            self.storage.prune_inbox(self._clock() - MEMORY)

    def _backlog_changed(self, full: bool) -> None:
        """What cannot be told to others is not taken on: not from people, not from the bus."""
        self.metrics.outbox_full.labels(self.service.name).set(full)
        self.log.warning("outbox full" if full else "outbox has room again")
        if self._consumer is not None:
            self._consumer.hold(full)

    def _refresh_gauges(self) -> None:
        name = self.service.name
        self.metrics.ready.labels(name).set(0 if self.problems else 1)
        try:
            counts = self.storage.counts()
        except Unavailable:
            return
        self._backlog.counted(counts.outbox, counts.outbox_bytes)
        self.metrics.outbox_rows.labels(name).set(counts.outbox)
        self.metrics.outbox_bytes.labels(name).set(counts.outbox_bytes)
        self.metrics.outbox_age.labels(name).set(counts.outbox_age)
        self.metrics.parked_now.labels(name).set(counts.parked)
