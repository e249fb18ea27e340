"""The router's descriptor."""

from services.router.api import api
from services.router.handlers import COMMANDS, HANDLERS, survey
from services.router.store import HANDLINGS, METADATA
from shared.runtime.service import Service

ROUTER = Service(
    name="router",
    metadata=METADATA,
    migrations="services.router.migrations",
    books=HANDLINGS,
    handlers=HANDLERS,
    commands=COMMANDS,
    api=api,
    survey=survey,
)
