"""Why a case was decided as it was, over HTTP: from the policy's version and the facts."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from services.router.store import HANDLINGS, newest_decision
from shared.domain.aggregates import Decision
from shared.domain.errors import Conflict, NotFound, Refusal
from shared.policy.explaining.explain import Explanation, explain_recorded
from shared.policy.explaining.narrate import narrate
from shared.runtime.gateway import Gateway
from shared.runtime.routes import Routes
from shared.runtime.versions import Versions


class Told(BaseModel):
    """An explanation for people, line by line."""

    zh: list[str]
    en: list[str]


class CaseExplanation(BaseModel):
    """Why a case was decided as it was."""

    case_id: str
    explanation: Explanation
    text: Told


def explain_cases(routes: Routes, gateway: Gateway, versions: Versions) -> None:
    """Add the route that explains a case's decision."""

    @routes.get("/cases/{case_id}/explanation")
    def explanation(case_id: str) -> CaseExplanation:
        """By which rows and facts the case got its colour and unit, and who may rate it.

        The facts of a case that was erased are gone: the answer then names the row alone.
        """
        handling = gateway.fetch(HANDLINGS, case_id)
        with gateway.read() as connection:
            decision = newest_decision(connection, case_id)
        if decision is None:
            message = f"nothing is known of how {case_id!r} was decided"
            raise NotFound.of("case_id", "unknown-case", message)
        if handling.erased_at is not None:
            raise _erased(handling.erased_at, decision)
        policy = versions.get(decision.policy_version)
        if policy is None:
            message = (
                f"the case was decided by policy {decision.policy_version}, which is not known"
                f" here: {gateway.policy.version} is in force. Explain it with that version's file"
                " by `concentric policy explain`."
            )
            raise NotFound.of("case_id", "unknown-policy-version", message)
        explained = explain_recorded(decision, handling, policy)
        text = Told(zh=narrate(explained, policy, "zh"), en=narrate(explained, policy, "en"))
        return CaseExplanation(case_id=case_id, explanation=explained, text=text)


def _erased(at: datetime, decision: Decision) -> Refusal:
    """Why a decision can no longer be explained, and what is still known of it."""
    row = f"row `{decision.row}`"
    if decision.routing_row is not None:
        row += f", for the unit row `{decision.routing_row}`"
    return Conflict.of(
        "case_id",
        "facts-erased",
        f"the facts by which the case was decided were erased on {at.date()}. What is left: policy"
        f" {decision.policy_version}, {row}, colour `{decision.colour}`, unit `{decision.unit}`.",
    )
