"""The one thread that writes: it takes what lies there as one batch, commits, acknowledges."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from shared.bus.protocol import Consumer, Delivery
from shared.domain.errors import Unavailable
from shared.observe.logs import Logger, place_of
from shared.observe.metrics import Metrics
from shared.runtime.batch import TRIES, Batch, HandlerFailed, Result
from shared.runtime.handling import Context
from shared.runtime.inlet import Inlet
from shared.runtime.relay import Relay
from shared.runtime.service import Service
from shared.runtime.tally import Tally
from shared.runtime.work import (
    Errand,
    Request,
    Resolution,
    Tick,
    Work,
    is_wanted,
    weight,
)
from shared.storage.storage import Storage

FIRST_PAUSE = 0.05
"""The first pause between two tries while a server is away, in seconds; each is twice the last."""

LONGEST_PAUSE = 5.0
"""The longest pause between two tries while a server is away, in seconds: half of what a request
waits, so that it is carried out if the server is back."""

QUIET = 0.25
"""Seconds without work after which published rows are deleted in a transaction of their own."""

IDLE = 10.0
"""The same while there are none: only the relay's thread, catching up, might publish some."""


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
    inlet: Inlet


class Worker(threading.Thread):
    """Carries out a service's work, batch by batch, in one thread."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(name=f"{parts.service.name}-worker", daemon=True)
        self._parts = parts
        self._inlet = parts.inlet
        self._tally = Tally(parts.service.name, parts.metrics, parts.log)
        self._stopping = threading.Event()
        self.consumer: Consumer | None = None
        self.transactions = 0
        self.problem: str | None = None

    def put(self, work: Work) -> None:
        """Hand work in."""
        self._inlet.put(work)

    def stop(self) -> None:
        """Finish what was handed in, then end."""
        self._stopping.set()
        self._inlet.close()

    @property
    def idle(self) -> bool:
        """Whether nothing lies in the inlet or on the table."""
        return self._inlet.idle

    def run(self) -> None:
        """Work until told to stop and the inlet is empty."""
        while self.step():
            pass

    def step(self) -> bool:
        """Take one batch and carry it out; whether to go on. Whoever has no thread calls it."""
        taken, running = self._inlet.take(IDLE if self._parts.relay.clean else QUIET)
        work = [item for item in taken if is_wanted(item)]
        if work:
            self._carry_out(work)
        elif self._parts.relay.published():
            self._carry_out([])
        self._inlet.done()
        return running

    def _carry_out(self, work: Sequence[Work]) -> None:
        """Commit a batch; should that fail, each alone, so that only the culprit suffers."""
        try:
            self._settle(work, self._persist(work))
        except Stopped:
            self._return(work)
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread goes on
            left = [item for item in work if not _answered(item)]
            if len(work) == 1 and left:
                self._retry(left[0], error)
            elif work:
                for item in left:
                    self._carry_out([item])
            else:
                self._leave_published(error)

    def _leave_published(self, error: Exception) -> None:
        """Published rows that cannot be deleted stay for the time being, and harm nobody."""
        self._parts.log.error("outbox not cleared", error=place_of(error))
        self._stopping.wait(1.0)

    def _retry(self, item: Work, error: Exception) -> None:
        try:
            for _ in range(TRIES - 1):
                try:
                    self._settle([item], self._persist([item]))
                except Stopped:
                    raise
                except Exception as again:  # noqa: BLE001 - whatever it is, it is tried once more
                    error = again
                    if _answered(item):
                        return
                else:
                    return
            self._give_up(item, error)
        except Stopped:
            self._return([item])

    def _give_up(self, item: Work, error: Exception) -> None:
        """A culprit: a message is parked, whoever waits is answered, a timer comes round again."""
        self._parts.log.error("given up", work=type(item).__name__, error=place_of(error))
        if isinstance(item, Tick):
            item.done.set()
        elif isinstance(item, Errand):
            item.done.set_exception(error)
        elif isinstance(item, Request):
            item.answer.set_exception(error)
        else:
            self._settle([item], self._put_aside(item, error))

    def _put_aside(self, item: Delivery | Resolution, error: Exception) -> Result:
        """Park a message.

        A database that does not even take that is at fault itself, such as one whose tables or
        rights are gone: once somebody has mended it, the message gets another chance.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                return self._persist([replace(item, failure=error)])
            except Stopped:
                raise
            except Exception as broken:  # noqa: BLE001 - whatever it is, it is waited for
                pause = self._wait(broken, pause)
            try:
                return self._persist([item])
            except Stopped:
                raise
            except Exception as again:  # noqa: BLE001 - then it is parked for that
                error = again

    def _return(self, work: Sequence[Work]) -> None:
        deliveries = [item for item in work if isinstance(item, Delivery)]
        if deliveries and self.consumer is not None:
            self.consumer.release(deliveries)
        for item in work:
            if isinstance(item, Errand):
                item.done.set_exception(Unavailable("the service is stopping"))

    def _persist(self, work: Sequence[Work]) -> Result:
        """Commit a batch, waiting as long as it takes while a server is away.

        People do not wait as long as machines: their commands are answered that it is away.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                result = self._transact(work)
            except Unavailable as away:
                for item in work:
                    if isinstance(item, Request | Resolution) and not item.answer.done():
                        item.answer.set_exception(away)
                work = [item for item in work if not isinstance(item, Request | Resolution)]
                pause = self._wait(away, pause)
            else:
                self.problem = None
                return result

    def _wait(self, away: Exception, pause: float) -> float:
        """Wait before the next try, about so long; the next pause. Raises `Stopped`."""
        reason = str(away) if isinstance(away, Unavailable) else place_of(away)
        self.problem = reason
        self._parts.metrics.retries.labels(self._parts.service.name).inc()
        self._parts.log.warning("storage away", reason=reason, pause=round(pause, 2))
        if self._stopping.wait(pause * random.uniform(0.5, 1.5)):
            raise Stopped from away
        return min(pause * 2, LONGEST_PAUSE)

    def _transact(self, work: Sequence[Work]) -> Result:
        parts = self._parts
        context = parts.context()
        published = parts.relay.published()
        started = perf_counter()
        with parts.storage.transaction(context.now) as tx:
            with parts.storage.floor:
                result = Batch(parts.service, tx, context).run(work)
            tx.discard(published)
        parts.relay.forget(published)
        self.transactions += 1
        if work:
            self._tally.batch(perf_counter() - started, sum(map(weight, work)))
        return result

    def _settle(self, work: Sequence[Work], result: Result) -> None:
        """After the commit: publish, acknowledge, answer, count."""
        with self._parts.storage.floor:
            self._tell(work, result)

    def _tell(self, work: Sequence[Work], result: Result) -> None:
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
            self._conclude(item, result)
        self._tally.result(result)

    def _conclude(self, item: Work, result: Result) -> None:
        """Tell whoever waits for it that it is committed."""
        if isinstance(item, Errand):
            item.done.set_result(None)
        elif isinstance(item, Resolution):
            if not item.answer.done():  # or the asker was told that the database is away
                item.answer.set_result(result.resolved)
        elif isinstance(item, Tick):
            if result.fired:
                self._inlet.hold(item)  # there may be more to fire: at once, not in a second
            else:
                item.done.set()


def _answered(work: Work) -> bool:
    """Whether somebody waited for it who waits no more."""
    return isinstance(work, Request | Resolution) and work.answer.done()
