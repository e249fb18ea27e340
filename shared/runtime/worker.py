"""The one thread that writes: it takes what lies there as one batch, commits, acknowledges."""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from shared.bus.protocol import Consumer, Delivery
from shared.domain.errors import Unavailable
from shared.observe.logs import Logger, place_of
from shared.observe.metrics import Metrics
from shared.runtime.batch import TRIES, Batch, HandlerFailed, Result
from shared.runtime.handling import Context
from shared.runtime.packing import parked_message
from shared.runtime.relay import Relay
from shared.runtime.service import Service
from shared.runtime.work import Errand, Request, Tick, Work, goes_alone, weight
from shared.storage.messaging import Parked
from shared.storage.storage import Storage

QUIET = 0.25
"""Seconds without work after which published rows are deleted in a transaction of their own."""

LONGEST_PAUSE = 15.0
"""The longest pause between two tries while a server is away, in seconds."""


class Stopped(Exception):
    """The service is stopping while a server is away: what it had taken on goes back."""


@dataclass(frozen=True)
class Parts:
    """What a worker works with."""

    service: Service
    storage: Storage
    relay: Relay
    context: Callable[[], Context]
    metrics: Metrics
    log: Logger
    batch: int


class Worker(threading.Thread):
    """Carries out a service's work, batch by batch, in one thread."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(name=f"{parts.service.name}-worker", daemon=True)
        self._parts = parts
        self._inlet: queue.Queue[Work | None] = queue.Queue(maxsize=5 * parts.batch)
        self._held: Work | None = None
        self._busy = False
        self._stopping = threading.Event()
        self.consumer: Consumer | None = None
        self.transactions = 0
        self.problem: str | None = None

    def put(self, work: Work) -> None:
        """Hand work in; blocks while the inlet is full, which holds the giver back."""
        self._inlet.put(work)

    def stop(self) -> None:
        """Finish what was handed in, then end."""
        self._stopping.set()
        self._inlet.put(None)

    @property
    def idle(self) -> bool:
        """Whether nothing lies in the inlet or on the table."""
        return not self._busy and self._held is None and self._inlet.empty()

    def run(self) -> None:
        """Work until told to stop and the inlet is empty."""
        while self.step():
            pass

    def step(self) -> bool:
        """Take one batch and carry it out; whether to go on. Whoever has no thread calls it."""
        work, running = self._take()
        self._busy = True
        if work:
            self._carry_out(work)
        elif self._parts.relay.published():
            self._carry_out([])
        self._busy = False
        return running

    def _take(self) -> tuple[list[Work], bool]:
        """What lies there, up to a batch, [] when quiet for a while; and whether to go on."""
        taken: list[Work] = []
        size = 0
        while size < self._parts.batch:
            try:
                work = self._held or self._inlet.get(timeout=QUIET if not taken else 0)
            except queue.Empty:
                return taken, True
            self._held = None
            if work is None:
                return taken, False
            if taken and goes_alone(work):
                self._held = work
                return taken, True
            taken.append(work)
            size += weight(work)
            if goes_alone(work):
                return taken, True
        return taken, True

    def _carry_out(self, work: Sequence[Work]) -> None:
        """Commit a batch; should that fail, each alone, so that only the culprit suffers."""
        try:
            self._settle(work, self._persist(work))
        except Stopped:
            self._return(work)
        except Exception as error:
            if not work:
                raise
            left = [item for item in work if not _is_answered(item)]
            if len(work) > 1:
                for item in left:
                    self._carry_out([item])
            elif left:
                self._retry(left[0], error)

    def _retry(self, item: Work, error: Exception) -> None:
        for _ in range(TRIES - 1):
            try:
                self._settle([item], self._persist([item]))
            except Stopped:
                self._return([item])
            except Exception as again:  # noqa: BLE001 - whatever it is, it is tried once more
                error = again
                if _is_answered(item):
                    return
                continue
            return
        self._give_up(item, error)

    def _give_up(self, item: Work, error: Exception) -> None:
        """A culprit: a message is parked, whoever waits is answered, a timer comes round again."""
        self._parts.log.error("given up", work=type(item).__name__, error=place_of(error))
        if isinstance(item, Delivery):
            parked = parked_message(item, error, self._parts.context().now, TRIES)
            try:
                self._settle([item], self._persist([], parked))
            except Stopped:
                self._return([item])
        elif isinstance(item, Request):
            item.answer.set_exception(error)
        elif isinstance(item, Errand):
            item.done.set_exception(error)
        else:
            item.done.set()

    def _return(self, work: Sequence[Work]) -> None:
        deliveries = [item for item in work if isinstance(item, Delivery)]
        if deliveries and self.consumer is not None:
            self.consumer.release(deliveries)
        for item in work:
            if isinstance(item, Errand):
                item.done.set_exception(Unavailable("the service is stopping"))

    def _persist(self, work: Sequence[Work], parked: Parked | None = None) -> Result:
        """Commit a batch or a parking, waiting as long as it takes while a server is away.

        People do not wait as long as machines: their commands are answered that it is away.
        """
        pause = 0.05
        while True:
            try:
                result = self._transact(work, parked)
            except Unavailable as away:
                self.problem = str(away)
                self._parts.metrics.retries.labels(self._parts.service.name).inc()
                self._parts.log.warning("storage away", reason=str(away), pause=round(pause, 2))
                for item in work:
                    if isinstance(item, Request) and not item.answer.done():
                        item.answer.set_exception(away)
                work = [item for item in work if not isinstance(item, Request)]
                if self._stopping.wait(pause * random.uniform(0.5, 1.5)):
                    raise Stopped from away
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                self.problem = None
                return result

    def _transact(self, work: Sequence[Work], parked: Parked | None) -> Result:
        parts = self._parts
        context = parts.context()
        published = parts.relay.published()
        started = perf_counter()
        with parts.storage.transaction(context.now) as tx:
            result = Batch(parts.service, tx, context).run(work)
            if parked is not None and tx.claim([parked.message_id]):
                tx.park(parked)
                result.parked.append(parked)
            tx.discard(published)
        parts.relay.forget(published)
        self.transactions += 1
        if work:
            name = parts.service.name
            parts.metrics.batch_seconds.labels(name).observe(perf_counter() - started)
            parts.metrics.batch_items.labels(name).observe(sum(map(weight, work)))
        return result

    def _settle(self, work: Sequence[Work], result: Result) -> None:
        """After the commit: publish, acknowledge, answer, count."""
        self._parts.relay.offer(result.rows)
        deliveries = [item for item in work if isinstance(item, Delivery)]
        if deliveries and self.consumer is not None:
            self.consumer.ack(deliveries)
        for request, outcomes in result.answers:
            request.answer.set_result(outcomes)
            for outcome in outcomes:
                if isinstance(outcome, HandlerFailed):
                    bug = outcome.__cause__ or outcome
                    self._parts.log.error(
                        "command failed", command=f"{outcome}", error=place_of(bug)
                    )
        for item in work:
            if isinstance(item, Errand):
                item.done.set_result(None)
            elif isinstance(item, Tick):
                if result.fired:
                    self._held = item  # there may be more to fire: at once, not in a second
                else:
                    item.done.set()
        self._count(result)

    def _count(self, result: Result) -> None:
        metrics, name = self._parts.metrics, self._parts.service.name
        for kind, number in result.handled.items():
            metrics.events_handled.labels(name, kind).inc(number)
        for kind, number in result.emitted.items():
            metrics.events_emitted.labels(name, kind).inc(number)
        for (kind, outcome), number in result.commands.items():
            metrics.commands.labels(name, kind, outcome).inc(number)
        if result.duplicates:
            metrics.duplicates.labels(name).inc(result.duplicates)
        for parked in result.parked:
            metrics.parked.labels(name).inc()
            self._parts.log.error(
                "parked",
                type=parked.type,
                case_id=parked.case_id,
                message_id=parked.message_id,
                attempts=parked.attempts,
            )


def _is_answered(item: Work) -> bool:
    """Whether somebody was told already that a server is away: then nothing is done any more."""
    return isinstance(item, Request) and item.answer.done()
