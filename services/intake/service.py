"""Intake's descriptor."""

from services.intake.api import api
from services.intake.handlers import COMMANDS, HANDLERS, needs
from services.intake.store import METADATA, RECORDS
from shared.runtime.service import Service

INTAKE = Service(
    name="intake",
    metadata=METADATA,
    migrations="services.intake.migrations",
    books=RECORDS,
    handlers=HANDLERS,
    commands=COMMANDS,
    api=api,
    needs=needs,
)
