"""Why a case was decided as it was, over HTTP: from the policy's version and the facts."""

from __future__ import annotations

from pydantic import BaseModel

from services.router.store import DECISIONS, HANDLINGS
from shared.domain.errors import NotFound
from shared.policy.explain import Explanation, explain_recorded
from shared.policy.narrate import narrate
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
        """By which rows and facts the case got its colour and unit, and who may rate it."""
        handling = gateway.fetch(HANDLINGS, case_id)
        decision = gateway.fetch(DECISIONS, case_id).decision
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
