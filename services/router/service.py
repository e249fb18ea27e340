"""The router's descriptor."""

from services.router.api import api
from services.router.handlers import COMMANDS, HANDLERS, PREPARE, needs, survey
from services.router.policies import watch_file
from services.router.store import HANDLINGS, METADATA
from shared.domain.events import CaseClosed, CaseWithdrawn
from shared.runtime.service import Service

ROUTER = Service(
    name="router",
    metadata=METADATA,
    migrations="services.router.migrations",
    books=HANDLINGS,
    handlers=HANDLERS,
    can_wait=frozenset({CaseClosed.type, CaseWithdrawn.type}),
    commands=COMMANDS,
    api=api,
    survey=survey,
    needs=needs,
    prepare=PREPARE,
    watch=watch_file,
)
