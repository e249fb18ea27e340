"""The evaluation service's descriptor."""

from services.evaluation.api import api
from services.evaluation.handlers import COMMANDS, HANDLERS, TIMERS, needs
from services.evaluation.store import JUDGEMENTS, METADATA
from shared.domain.events import CaseRouted, CaseWithdrawn
from shared.runtime.service import Service

EVALUATION = Service(
    name="evaluation",
    metadata=METADATA,
    migrations="services.evaluation.migrations",
    books=JUDGEMENTS,
    handlers=HANDLERS,
    can_wait=frozenset({CaseRouted.type, CaseWithdrawn.type}),
    commands=COMMANDS,
    api=api,
    timers=TIMERS,
    needs=needs,
)
