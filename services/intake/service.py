"""Intake's descriptor."""

from services.intake.api import api
from services.intake.handlers import COMMANDS, HANDLERS, TIMERS, needs, policy_needs
from services.intake.store import METADATA, RECORDS
from shared.domain.events import CaseClosed, CaseReopened
from shared.runtime.service import Service

INTAKE = Service(
    name="intake",
    metadata=METADATA,
    migrations="services.intake.migrations",
    books=RECORDS,
    handlers=HANDLERS,
    can_wait=frozenset({CaseClosed.type, CaseReopened.type}),
    commands=COMMANDS,
    api=api,
    timers=TIMERS,
    needs=needs,
    policy_needs=policy_needs,
)
