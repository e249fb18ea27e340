"""Builds that are broken on purpose: the simulator has to notice each of them soon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, cast
from unittest.mock import patch

from services.deadline import plan
from services.evaluation import logic as evaluation
from services.ledger.entering import append
from services.notify import logic as notify
from services.router import logic as router
from shared.bus.protocol import Delivery
from shared.domain.aggregates import Handling, Judgement, Mark
from shared.domain.case import Aggregate, Standing
from shared.runtime.batch import Batch, Result
from shared.runtime.handling import Need
from shared.runtime.relay import Relay
from shared.runtime.work import Work
from shared.runtime.worker import Worker
from shared.storage.messaging import OutboxRow
from shared.storage.storage import Storage
from shared.storage.tx import Tx
from tests.simulation.broker import Wire

Mutation = Callable[[], AbstractContextManager[object]]
"""Breaks the build as long as it is entered."""


def acknowledge_before_commit() -> AbstractContextManager[object]:
    """The broker forgets a message before its effects are safe."""
    carry_out = Worker._carry_out

    def hasty(worker: Worker, work: Sequence[Work]) -> None:
        if worker.consumer is not None:
            worker.consumer.ack([item for item in work if isinstance(item, Delivery)])
        carry_out(worker, work)

    return patch.object(Worker, "_carry_out", hasty)


def no_inbox() -> AbstractContextManager[object]:
    """Every delivery counts as the first one."""
    open_ = Tx.open

    def generous(tx: Tx, ids: Sequence[str], needs: Iterable[Need]) -> set[str]:
        open_(tx, ids, needs)
        return set(ids)

    return patch.object(Tx, "open", generous)


def published_before_the_confirm() -> AbstractContextManager[object]:
    """The relay has rows deleted as soon as it has sent them."""
    send = Relay._send

    def hasty(relay: Relay, rows: Sequence[OutboxRow]) -> None:
        if rows:
            relay._settled(rows, None)
        with patch.object(relay, "_settled", lambda *_: None):
            send(relay, rows)

    return patch.object(Relay, "_send", hasty)


def published_before_the_commit() -> AbstractContextManager[object]:
    """Events leave before it is certain that they have happened."""
    transact = Worker._transact

    def hasty(worker: Worker, work: Sequence[Work]) -> Result:
        finish = Batch._finish

        def finished(batch: Batch) -> None:
            finish(batch)
            relay = worker._parts.relay
            relay.offer(batch.result.rows)
            while cast(Wire, relay._bus).carry():
                pass

        with patch.object(Batch, "_finish", finished):
            return transact(worker, work)

    return patch.object(Worker, "_transact", hasty)


def no_outbox() -> AbstractContextManager[object]:
    """Events lie in memory alone until they are published."""
    return patch.object(Tx, "send", lambda _tx, _messages: None)


def answered_before_the_commit() -> AbstractContextManager[object]:
    """Whoever asks is told that it is done while it is not."""
    run = Batch.run

    def hasty(batch: Batch, work: Sequence[Work]) -> Result:
        result = run(batch, work)
        for request, outcomes in result.answers:
            if not request.answer.done():
                request.answer.set_result(outcomes)
        result.answers.clear()
        return result

    return patch.object(Batch, "run", hasty)


def nobody_looks_for_what_was_left_behind() -> AbstractContextManager[object]:
    """What a commit wrote whose answer got lost is not looked for."""
    outbox = Storage.outbox

    def blind(storage: Storage, **bounds: Any) -> list[OutboxRow]:
        return [] if bounds["before"] is not None else outbox(storage, **bounds)

    return patch.object(Storage, "outbox", blind)


def clocks_forget_what_they_said() -> AbstractContextManager[object]:
    """A clock that is reckoned anew speaks once more."""

    def all_of(marks: Iterable[Mark], _said: Sequence[Mark]) -> tuple[Mark, ...]:
        return tuple(sorted(marks, key=lambda mark: mark.at))

    return patch.object(plan, "_to_come", all_of)


def links_work_twice() -> AbstractContextManager[object]:
    """A personal link still rates after it was used."""
    rateable = evaluation.rateable

    def again(known: Judgement | None, token: str, now: datetime) -> Judgement:
        if known is None or known.rating is None:
            return rateable(known, token, now)
        return known

    return patch.object(evaluation, "rateable", again)


def late_events_overwrite_newer_ones() -> AbstractContextManager[object]:
    """Of two handlings the one that was heard last is kept."""
    follow = notify.follow

    def gullible(known: Any, handling: Handling) -> Any:
        return follow(known.but(handling=None), handling)

    return patch.object(notify, "follow", gullible)


def standings_do_not_join() -> AbstractContextManager[object]:
    """Where a case stands is what was heard last, not what outranks all else."""
    return patch.object(Aggregate, "standing_at", _replaced)


def _replaced(aggregate: Aggregate, standing: Standing) -> Aggregate:
    return aggregate.but(standing=standing)


def the_own_work_is_rated() -> AbstractContextManager[object]:
    """Whoever answered is asked how good the answer was."""

    def author(handling: Handling, _policy: object) -> str | None:
        by = handling.replied_by
        return None if by is None or by.person is None else f"person:{by.person}"

    return patch.object(evaluation, "entitled", author)


def the_journal_skips_some() -> AbstractContextManager[object]:
    """The ledger does not enter what it believes to know."""

    def forgetful(event: Any, tx: Tx, ctx: Any) -> None:
        if event.type != "case.accepted":
            append(event, tx, ctx)

    return patch("services.ledger.handlers.append", forgetful)


def a_new_round_forgets_the_version() -> AbstractContextManager[object]:
    """A reopened case's handling begins to count anew."""
    start = router.start_round

    def anew(known: Handling, at: Any) -> Handling:
        return start(known, at).but(version=1)

    return patch.object(router, "start_round", anew)


MUTATIONS: Mapping[str, Mutation] = {
    mutation.__name__.replace("_", " "): mutation
    for mutation in (
        acknowledge_before_commit,
        no_inbox,
        published_before_the_confirm,
        published_before_the_commit,
        no_outbox,
        answered_before_the_commit,
        nobody_looks_for_what_was_left_behind,
        clocks_forget_what_they_said,
        links_work_twice,
        late_events_overwrite_newer_ones,
        standings_do_not_join,
        the_own_work_is_rated,
        the_journal_skips_some,
        a_new_round_forgets_the_version,
    )
}
"""Each by its name in words."""
