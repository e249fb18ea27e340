"""The ledger's descriptor."""

from services.ledger.api import api
from services.ledger.gauges import gauges
from services.ledger.handlers import COMMANDS, HANDLERS, PREPARE, needs
from services.ledger.reviewing import TIMERS as REVIEWS
from services.ledger.shadowing import TIMERS as SHADOW
from services.ledger.store import DOSSIERS, METADATA
from shared.domain.events import EVENTS
from shared.runtime.service import Service

LEDGER = Service(
    name="ledger",
    metadata=METADATA,
    migrations="services.ledger.migrations",
    books=DOSSIERS,
    handlers=HANDLERS,
    can_wait=frozenset(EVENTS),
    commands=COMMANDS,
    prepare=PREPARE,
    timers=(*SHADOW, *REVIEWS),
    api=api,
    needs=needs,
    hears_everything=True,
    gauges=gauges,
)
