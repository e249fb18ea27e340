"""A service that dies of one case: `python -m tests.support.deadly router`.

Its process kills itself whenever it is about to handle an event of the case DEADLY_CASE, as a
library with a fault does that one input brings to light.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace

from services.embedded.catalogue import load
from shared.domain.events import Event
from shared.runtime.handling import Context, Handler
from shared.runtime.main import run
from shared.storage.tx import Tx


def deadly(handler: Handler) -> Handler:
    """The handler, but for one case."""

    def handle(event: Event, tx: Tx, ctx: Context) -> Sequence[Event]:
        if event.case_id == os.environ["DEADLY_CASE"]:
            os.kill(os.getpid(), signal.SIGKILL)
        return handler(event, tx, ctx)

    return handle


if __name__ == "__main__":
    service = load(sys.argv[1])
    handlers = {kind: deadly(handler) for kind, handler in service.handlers.items()}
    run(replace(service, handlers=handlers))
