"""A service with troubles that a test brings about: `python -m tests.support.afflicted router`.

Files in the data folder say what ails it, so that production code needs no hook:

- `SERVICE.die` holds `STEP N`: the process kills itself with SIGKILL at its n-th pass of the step
  from then on, and takes the file with it;
- `clock` holds seconds by which the machine's clock is wrong;
- `confirmation` holds the seconds after which a clock that jumped ahead is believed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import wraps
from pathlib import Path
from typing import Any
from weakref import WeakSet

from services.embedded.catalogue import load
from shared.bus.consumer import RabbitConsumer
from shared.bus.publisher import Publisher
from shared.runtime import clockwatch, host, main, relay
from shared.storage import storage
from shared.storage.tx import Tx

FOLDER = Path(os.environ.get("CONCENTRIC_DATA", "."))

STEPS = ("before-commit", "before-publish", "before-confirm", "before-delete", "before-ack")
"""A step is the moment before something: handled and not committed; committed and not published;
published with the confirm still unread; confirmed and the row not deleted; not acknowledged.
"""


class Fate:
    """Counts the passes of a step, and ends the process at the one that was asked for."""

    def __init__(self, order: Path) -> None:
        self._order = order
        self._passed = 0

    def passes(self, step: str) -> None:
        """The process is at the step."""
        try:
            wanted, number = self._order.read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return
        if wanted == step:
            self._passed += 1
            if self._passed >= int(number):
                self._order.unlink()
                os.kill(os.getpid(), signal.SIGKILL)


class WrongClock(datetime):
    """The machine's clock, wrong by so many seconds."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        """Now, as somebody has set it."""
        try:
            seconds = float((FOLDER / "clock").read_text(encoding="utf-8") or "0")
        except FileNotFoundError:
            seconds = 0.0
        return datetime.now(tz) + timedelta(seconds=seconds)


def mortal(fate: Fate) -> None:
    """Let the steps be passed under the eyes of `fate`."""

    def on(owner: Any, name: str, step: str, matters: Callable[..., object], after: bool) -> None:
        original = getattr(owner, name)

        @wraps(original)
        def watched(*given: Any, **named: Any) -> Any:
            if not after and matters(*given, **named):
                fate.passes(step)
            result = original(*given, **named)
            if after and matters(*given, **named):
                fate.passes(step)
            return result

        setattr(owner, name, watched)

    def some(_self: object, what: Any, *_rest: object) -> bool:
        return bool(what)

    claimed: WeakSet[Tx] = WeakSet()

    def claims(tx: Tx, ids: Sequence[str], _needs: object) -> bool:
        if ids:
            claimed.add(tx)
        return False

    on(Tx, "open", STEPS[0], claims, after=True)
    on(Tx, "flush", STEPS[0], lambda tx, **_: tx in claimed, after=False)
    on(relay.Relay, "offer", STEPS[1], some, after=False)
    on(Publisher, "_settled", STEPS[2], lambda *_: True, after=False)
    on(Tx, "discard", STEPS[3], some, after=False)
    on(RabbitConsumer, "ack", STEPS[4], some, after=False)


def astray() -> None:
    """Put the wrong clock wherever a service reads the machine's."""
    for module in (host, main, relay, storage):
        module.datetime = WrongClock  # type: ignore[attr-defined]
    confirmation = FOLDER / "confirmation"
    if confirmation.exists():
        clockwatch.CONFIRMATION = float(confirmation.read_text(encoding="utf-8"))


if __name__ == "__main__":
    mortal(Fate(FOLDER / f"{sys.argv[1]}.die"))
    astray()
    main.run(load(sys.argv[1]))
