"""Tells people: takes the messages whose time has come, and tries them outside any transaction.

A message is leased in one transaction, tried, and concluded in another. Two replicas never hold the
same one; one that dies between the two leaves a lease that ends, and the message goes out again
under the same id: at least once, and the receiver can tell.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Any

from services.notify import logic, mail, store, webhook
from services.notify.notices import Notice, NoticeState, Outcome
from services.notify.render import Words
from services.notify.store import NOTICES, WATCHES
from shared.domain.errors import ConfigurationError, Unavailable
from shared.domain.events import Event, NotificationDelivered, NotificationFailed
from shared.domain.ids import new_id
from shared.domain.notices import Way
from shared.observe.logs import place_of
from shared.outside import Endpoint, MailServer
from shared.runtime.background import Means
from shared.runtime.handling import Context
from shared.storage.tx import Tx

SLOTS = 4
"""Tries at once of each way: a way that does not answer does not hold up the other."""

POLL = 0.5
"""Seconds between two looks for messages whose time has come."""

Tried = tuple[Notice, Outcome]


def send_all(means: Means) -> None:
    """Send what is due until stopped; at once, where neither way is set up."""
    if means.settings.ways:
        Sender(means).run()
    else:
        means.stopping.wait()


class Sender:
    """One replica's hands: so many messages at a time, each in a thread."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._holder = new_id()
        settings = means.settings
        self._server: MailServer | None = settings.mail_server()
        self._endpoints: Mapping[str, Endpoint] = settings.webhook_endpoints()
        self._ways = [way for way in Way if way.value in settings.ways]
        self._tries: dict[Future[Outcome], Notice] = {}
        for way in self._ways:
            for outcome in ("delivered", "retried", "failed"):
                means.metrics.notifications.labels(way.value, outcome)

    def run(self) -> None:
        """Go on until stopped; then wait for what is being tried, and write down how it ended."""
        stopping = self._means.stopping
        with ThreadPoolExecutor(SLOTS * len(self._ways), "notify-try") as pool:
            while not stopping.is_set() or self._tries:
                ended = self._ended()
                free = {} if stopping.is_set() else self._free()
                if not ended and not self._anything_due(free):
                    if not self._tries:
                        stopping.wait(POLL)
                    continue
                for notice in self._exchange(ended, free):
                    self._tries[pool.submit(self._try, notice)] = notice

    def _ended(self) -> list[Tried]:
        """The tries that have ended, waiting a moment for the first."""
        if not self._tries:
            return []
        done, _ = wait(self._tries, POLL, FIRST_COMPLETED)
        return [(self._tries.pop(each), each.result()) for each in done]

    def _free(self) -> dict[Way, int]:
        held = Counter(notice.way for notice in self._tries.values())
        return {way: SLOTS - held[way] for way in self._ways if held[way] < SLOTS}

    def _anything_due(self, free: Mapping[Way, int]) -> bool:
        """Whether to take something; while the database is away there is time to wait."""
        if not free:
            return False
        try:
            with self._means.read() as connection:
                return store.anything_due(connection, list(free), self._means.context().now)
        except Unavailable:
            return False

    def _exchange(self, ended: Sequence[Tried], free: Mapping[Way, int]) -> list[Notice]:
        """Conclude what has ended and take what is due, in one transaction."""
        taken: list[Notice] = []
        concluded: list[Notice] = []

        def write(tx: Tx, ctx: Context) -> Sequence[Event]:
            taken.clear()
            concluded.clear()
            for notice, outcome in ended:
                known = self._conclude(tx, ctx.now, notice, outcome)
                concluded.extend([known] if known is not None else [])
            for way, number in free.items():
                for notice in store.due(tx, way, ctx.now, number):
                    taken.extend(self._take(tx, ctx.now, notice))
            return [event for each in concluded for event in _events(each)]

        self._means.transact(write)
        for each in concluded:
            self._count(each)
        return taken

    def _conclude(self, tx: Tx, now: datetime, notice: Notice, outcome: Outcome) -> Notice | None:
        known = tx.get(NOTICES, notice.id)
        lost = known is None or known.next_at is None
        if known is None or lost or (known.lease != notice.lease and outcome.reason):
            return None  # the lease had ended, and another replica has it or has done it
        known = logic.conclude(known, outcome, now, random.random())
        tx.put(NOTICES, known)
        return known

    def _take(self, tx: Tx, now: datetime, notice: Notice) -> Sequence[Notice]:
        watch = tx.get(WATCHES, notice.case_id) if notice.case_id else None
        if notice.told is not None and not logic.holds(notice.told, watch):
            tx.put(NOTICES, logic.drop(notice, now))
            return ()
        leased = logic.lease(notice, self._holder, now)
        tx.put(NOTICES, leased)
        return (leased,)

    def _try(self, notice: Notice) -> Outcome:
        context = self._means.context()
        try:
            words = Words(context.policy, self._means.settings.case_url)
            if notice.way is Way.MAIL:
                return self._mail(notice, words)
            return self._call(notice, words, context.now)
        except Exception as error:  # noqa: BLE001 - a fault of ours, and still a failed try
            self._means.log.error("try failed", way=notice.way.value, error=place_of(error))  # noqa: TRY400
            return Outcome(reason=f"a fault of ours: {type(error).__name__}")

    def _mail(self, notice: Notice, words: Words) -> Outcome:
        if self._server is None:
            raise ConfigurationError("CONCENTRIC_SMTP_URL is not set: give a mail server")
        return mail.send(mail.letter(notice, words, self._means.settings.mail_from), self._server)

    def _call(self, notice: Notice, words: Words, now: datetime) -> Outcome:
        endpoint = self._endpoints.get(notice.to)
        if endpoint is None:
            reason = f"CONCENTRIC_WEBHOOKS has no endpoint `{notice.to}`"
            return Outcome(reason=reason, final=True)
        return webhook.send(endpoint, notice.id, words.webhook(notice), now)

    def _count(self, notice: Notice) -> None:
        """Metrics, and the log of what failed: never to whom."""
        way, metrics, log = notice.way.value, self._means.metrics, self._means.log
        if notice.state is NoticeState.DELIVERED:
            assert notice.done_at is not None
            since = max(notice.happened_at, notice.planned_at)
            seconds = (notice.done_at - since).total_seconds()
            colour = notice.colour or notice.event
            metrics.notification_seconds.labels(way, colour).observe(max(0.0, seconds))
            metrics.notifications.labels(way, "delivered").inc()
            return
        failed = notice.state is NoticeState.FAILED
        metrics.notifications.labels(way, "failed" if failed else "retried").inc()
        say = log.error if failed else log.warning
        say(
            "notification failed" if failed else "notification is tried again",
            notification_id=notice.id,
            case_id=notice.case_id,
            way=way,
            tries=notice.tries,
            reason=notice.reason,
        )


def _events(notice: Notice) -> Sequence[Event]:
    """What the ledger is told: how a message about a case ended."""
    if not notice.case_id or notice.done_at is None:
        return ()
    fields: dict[str, Any] = {
        "case_id": notice.case_id,
        "notification_id": notice.id,
        "about": notice.event,
        "way": notice.way,
        "role": notice.role,
        "unit": notice.unit,
        "tries": notice.tries,
        "at": notice.done_at,
    }
    if notice.state is NoticeState.FAILED:
        return [NotificationFailed(**fields, reason=notice.reason)]
    return [NotificationDelivered(**fields)]
