"""The work of one transaction: who is heard, who is refused, who is put aside."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from shared.bus.codec import BadEvent, Envelope, decode
from shared.bus.protocol import Delivery
from shared.domain.errors import Refusal, Unavailable, Unreadable
from shared.domain.events import CaseErased, Event
from shared.runtime.erasing import (
    as_heard,
    erase_parked,
    erased_at,
    left_aside,
    refuse_erased,
)
from shared.runtime.handling import Context, Handler, Need
from shared.runtime.packing import (
    envelope_of,
    envelope_of_command,
    pack,
    parked_event,
    parked_given_up,
    parked_message,
    parked_unread,
    refusal_of,
    refusal_of_unread,
)
from shared.runtime.resolving import Resolving
from shared.runtime.service import Service
from shared.runtime.work import Errand, Outcome, Request, Resolution, Tick, Work
from shared.storage.messaging import OutboxRow, Parked
from shared.storage.tx import Tx

TRIES = 3
"""How often a handler is run on an event before the event is parked."""


Said = Sequence[Envelope | BadEvent]
"""What a message says."""

Heard = tuple[Delivery, Said]
Asked = tuple[Request, Sequence[Envelope]]


class HandlerFailed(Exception):
    """A handler has a bug, or met what it was not made for; `__cause__` says what."""


@dataclass
class Result:
    """What a committed transaction did, and what it leaves to do outside."""

    rows: list[OutboxRow] = field(default_factory=list)
    """Committed to the outbox: to be published."""
    answers: list[tuple[Request, list[Outcome]]] = field(default_factory=list)
    handled: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    emitted: Counter[str] = field(default_factory=Counter)
    commands: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    duplicates: int = 0
    parked: list[Parked] = field(default_factory=list)
    fired: int = 0
    """Events that timers emitted: while there are some, there may be more to fire."""
    resolved: str | None = None
    """What became of the parked message that was resolved."""


class Batch:
    """Runs handlers over a transaction, keeping one's failure from the others' success."""

    def __init__(self, service: Service, tx: Tx, context: Context) -> None:
        self._service = service
        self._source = f"/concentric/{service.name}"
        self._tx = tx
        self._context = context
        self._erased_at = partial(erased_at, tx, service.books)
        self._emitted: list[Envelope] = []
        self._resolving: Resolving | None = None
        """The parked message that is tried again; it goes alone."""
        self.result = Result()

    def run(self, work: Sequence[Work]) -> Result:
        """Carry out everything, and hand the events that follow to the outbox."""
        asked = [
            (item, [envelope_of_command(c, item, self._context) for c in item.commands])
            for item in work
            if isinstance(item, Request)
        ]
        read = self._open([item for item in work if isinstance(item, Delivery)], asked)
        read += self._reopen([item for item in work if isinstance(item, Resolution)])
        packs = [envelopes for _, envelopes in [*read, *asked]]
        self._survey(packs)
        for delivery, envelopes in read:
            for envelope in envelopes:
                self._receive(delivery, envelope)
        for request, envelopes in asked:
            self.result.answers.append((request, [self._answer(e) for e in envelopes]))
        for item in work:
            if isinstance(item, Tick):
                self._fire(item)
            elif isinstance(item, Errand):
                self._emit(item.run(self._tx, self._context), None)
        self._conclude()
        self._finish()
        return self.result

    def _open(self, deliveries: Sequence[Delivery], asked: Sequence[Asked]) -> list[Heard]:
        """Claim what was delivered and read all rows that will be needed, in one go.

        Returns what the deliveries say that nobody had claimed, one of each id.
        """
        read = {each.message.id: (each, self._read(each)) for each in deliveries}
        packs = [said for _, said in [*read.values(), *asked] if not isinstance(said, Parked)]
        unclaimed = self._tx.open(list(read), self._needs(packs))
        self.result.duplicates = len(deliveries) - len(unclaimed)
        return self._put_aside([heard for id_, heard in read.items() if id_ in unclaimed])

    def _reopen(self, orders: Sequence[Resolution]) -> list[Heard]:
        """What parked messages say that are to be replayed, with the rows that will be needed."""
        deliveries = [each for order in orders for each in self._take_up(order)]
        heard = self._put_aside([(each, self._read(each)) for each in deliveries])
        self._tx.preload(self._needs([said for _, said in heard]))
        return heard

    def _put_aside(self, read: Sequence[tuple[Delivery, Said | Parked]]) -> list[Heard]:
        """Park what cannot be heard, and return the rest."""
        heard: list[Heard] = []
        for delivery, said in read:
            if isinstance(said, Parked):
                self._park(said)
            else:
                heard.append((delivery, said))
        return heard

    def _take_up(self, order: Resolution) -> Sequence[Delivery]:
        """A parked message that is to be replayed, taken out of the table.

        The inbox has known it since it was parked; here it is the row that lets it in only once.
        """
        parked = self._tx.take_parked(order.parked)
        if parked is None:
            return ()
        found = Resolving(order, parked, self._service.name, self._context.now)
        if order.act == "discard":
            self._emit(found.discarded(), None)
            self.result.resolved = "discarded"
            return ()
        self._resolving = found
        if order.failure is not None:
            self._park(parked_message(found.delivery, order.failure, found.now, TRIES))
            return ()
        return (found.delivery,)

    def _conclude(self) -> None:
        """Say what became of the message that was replayed."""
        if self._resolving is not None:
            refused = any(word == "refused" for _, word in self.result.commands)
            outcome = self._resolving.outcome(refused=refused)
            self._emit([self._resolving.replayed(outcome)], None)
            self.result.resolved = outcome.value

    def _read(self, delivery: Delivery) -> Said | Parked:
        """What a delivery says, or as what it lies aside."""
        now = self._context.now
        if delivery.given_up:
            return parked_given_up(delivery, now)
        if delivery.failure is not None:
            return parked_message(delivery, delivery.failure, now, TRIES)
        if delivery.content is not None:
            return delivery.content
        try:
            return decode(delivery.message)
        except Unreadable as error:
            return parked_message(delivery, error, now, tries=1)

    def _needs(self, packs: Iterable[Said]) -> list[Need]:
        needs: list[Need] = []
        rows_for, policy = self._service.rows_for, self._context.policy
        for envelopes in packs:
            for envelope in envelopes:
                if isinstance(envelope, Envelope):
                    needs += rows_for(envelope.data, policy)
        return needs

    def _survey(self, packs: Iterable[Said]) -> None:
        survey = self._service.survey
        if survey is not None:
            causes = [one.data for pack in packs for one in pack if isinstance(one, Envelope)]
            self._context = self._context.but(figures=survey(causes, self._tx, self._context))

    def _receive(self, delivery: Delivery, envelope: Envelope | BadEvent) -> None:
        if isinstance(envelope, BadEvent):
            self._refuse_unread(delivery, envelope)
        elif isinstance(envelope.data, Event):
            self._hear(delivery, envelope)
        else:
            outcome = self._answer(envelope)
            if isinstance(outcome, Refusal):
                self._emit([refusal_of(envelope.data, outcome.problems)], envelope)
            elif isinstance(outcome, Exception):
                self._park(parked_event(delivery, envelope, outcome, self._context.now, TRIES))

    def _refuse_unread(self, delivery: Delivery, bad: BadEvent) -> None:
        """Nothing is lost: what cannot be read lies aside, and a known sender hears why."""
        self._park(parked_unread(delivery, bad, self._context.now))
        refused = refusal_of_unread(bad)
        if refused is not None:
            self._emit([refused], None)

    def _hear(self, delivery: Delivery, envelope: Envelope) -> None:
        handler = self._service.handlers.get(type(envelope.data))  # type: ignore[arg-type]
        if handler is None:
            return
        at = self._erased_at(envelope.subject)
        if at is not None:
            envelope = as_heard(envelope, at)
        try:
            self._handle(handler, envelope)
            if isinstance(envelope.data, CaseErased):
                erase_parked(envelope.data, self._tx)
            self.result.handled[envelope.type] += 1
        except (HandlerFailed, Refusal) as failed:
            bug = failed.__cause__
            error = bug if isinstance(bug, Exception) else failed
            self._park(parked_event(delivery, envelope, error, self._context.now, TRIES))

    def _answer(self, envelope: Envelope) -> Outcome:
        handler = self._service.commands.get(type(envelope.data))  # type: ignore[arg-type]
        outcome: Outcome
        try:
            if handler is None:
                reason = f"{self._service.name} does not carry out {envelope.type}"
                raise Refusal.of("type", "unknown-command", reason)
            refuse_erased(envelope.data, self._erased_at(envelope.subject))
            outcome, word = self._handle(handler, envelope), "done"
        except Refusal as refusal:
            outcome, word = refusal, "refused"
        except HandlerFailed as failed:
            outcome, word = failed, "failed"
        self.result.commands[envelope.type, word] += 1
        return outcome

    def _handle(self, handler: Handler, envelope: Envelope) -> list[Event]:
        """Run a handler; what a failed run had put is taken back, so that the others stand."""
        context = self._context.but(cause=envelope)
        for tries in range(1, TRIES + 1):
            self._tx.keep()
            try:
                events = list(handler(envelope.data, self._tx, context))
            except (Refusal, Unavailable, SQLAlchemyError):
                self._tx.undo()
                raise
            except Exception as bug:
                self._tx.undo()
                if tries == TRIES:
                    raise HandlerFailed(f"{envelope.type} {envelope.subject}") from bug
            else:
                self._emit(events, envelope)
                return events
        raise AssertionError("the last try returns or raises")

    def _fire(self, tick: Tick) -> None:
        events = tick.timer.run(self._tx, self._context)
        self.result.fired += len(events)
        self._emit(events, None)

    def _emit(self, events: Iterable[Event], cause: Envelope | None) -> None:
        for event in events:
            self._emitted.append(envelope_of(event, self._source, self._context, cause))

    def _park(self, parked: Parked) -> None:
        if self._resolving is not None:
            parked = self._resolving.again(parked)
        left = left_aside(parked, self._erased_at)
        if left is not None:
            self._tx.park(left)
        self.result.parked.append(parked)

    def _finish(self) -> None:
        self.result.emitted.update(envelope.type for envelope in self._emitted)
        self.result.rows.extend(pack(self._emitted))
        self._tx.send(self.result.rows)
