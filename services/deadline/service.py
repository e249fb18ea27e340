"""The deadline service's descriptor."""

from services.deadline.api import api
from services.deadline.gauges import figures
from services.deadline.handlers import COMMANDS, HANDLERS, TIMERS
from services.deadline.store import CLOCKS, METADATA
from shared.runtime.service import Service

DEADLINE = Service(
    name="deadline",
    metadata=METADATA,
    migrations="services.deadline.migrations",
    books=CLOCKS,
    handlers=HANDLERS,
    can_wait=frozenset(event.type for event in HANDLERS),
    commands=COMMANDS,
    api=api,
    timers=TIMERS,
    gauges=figures,
)
