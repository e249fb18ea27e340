"""The notify service's descriptor."""

from services.notify.api import api
from services.notify.gauges import gauges
from services.notify.handlers import COMMANDS, HANDLERS, TIMERS, needs
from services.notify.sender import send_all
from services.notify.store import METADATA, WATCHES
from shared.runtime.service import Service

NOTIFY = Service(
    name="notify",
    metadata=METADATA,
    migrations="services.notify.migrations",
    books=WATCHES,
    handlers=HANDLERS,
    can_wait=frozenset(event.type for event in HANDLERS),
    commands=COMMANDS,
    api=api,
    timers=TIMERS,
    needs=needs,
    gauges=gauges,
    background=send_all,
)
