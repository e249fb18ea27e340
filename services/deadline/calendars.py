"""A new calendar: deadlines that have not passed are reckoned anew, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from services.deadline import logic
from services.deadline.store import CLOCKS, SWEEPS, Sweep, armed
from shared.domain.events import Event
from shared.runtime.handling import Context
from shared.storage.tx import Tx

BATCH = 500
"""Cases that are looked at in one transaction."""

PATIENCE = timedelta(seconds=10)
"""For so long a new calendar waits: by then every replica decides by it, or has another one."""


def follow_calendar(tx: Tx, ctx: Context) -> Sequence[Event]:
    """Reckon the deadlines that are still to come by the calendar in force, where it is a new one.

    Each that moves is an event. How far that went is kept with it, so that a restart goes on there.
    """
    digest = ctx.policy.calendar.digest
    known = tx.get(SWEEPS, "calendar")
    if known is None or known.digest != digest:
        tx.put(SWEEPS, Sweep(digest=digest, seen_at=ctx.now))
        return ()
    if known.done or abs(ctx.now - known.seen_at) < PATIENCE:
        return ()
    events: list[Event] = []
    after = known.after
    while not events:
        batch = armed(tx, after, BATCH)
        for clocks in batch:
            anew = logic.recalculated(clocks, ctx.policy, ctx.now)
            if anew == clocks:
                continue
            tx.put(CLOCKS, anew)
            if anew.version != clocks.version:
                events.append(logic.moved(clocks, anew, "calendar"))
        if len(batch) < BATCH:
            tx.put(SWEEPS, known.but(after="", done=True))
            return events
        after = batch[-1].case_id
    tx.put(SWEEPS, known.but(after=after))
    return events
