"""What is personal in a case, and what is left of it once that was erased. Pure.

Erased is all by which somebody can be recognised, be it whoever raised the case or a member of
staff, and every word that somebody wrote. Kept is what the figures are made of: what was decided,
which unit did what and when, the scores, and the case's id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from shared.domain.aggregates import (
    Actor,
    Decision,
    Extension,
    Handling,
    Judgement,
    Rating,
    Record,
)
from shared.domain.case import Aggregate, Case, Informant
from shared.domain.errors import Problem
from shared.domain.events import (
    CaseRefused,
    CaseReplied,
    CaseReturned,
    CaseTransferred,
    CaseWithdrawn,
    EvaluationRequested,
    MessageDiscarded,
    MessageReplayed,
    RetriageRequested,
)
from shared.domain.model import Value

M = TypeVar("M", bound=Value)

Left = Callable[[Any], Any]
"""From what stood in a field to what is left of it."""


def _nobody(_: object) -> None:
    return None


def _wordless(_: object) -> str:
    return ""


def _role(evaluator: str | None) -> str | None:
    """A unit stays who it is; of an informant or a member of staff the role is left."""
    if evaluator is None or evaluator.startswith("unit:"):
        return evaluator
    return f"{evaluator.partition(':')[0]}:"


PERSONAL: Mapping[type[Value], Mapping[str, Left]] = {
    Actor: {"person": _nobody},
    Case: {
        "external_id": _wordless,
        "subject": _wordless,
        "text": _wordless,
        "recorder": _nobody,
        "informant": lambda _: Informant(),
        "place": _nobody,
        "attributes": lambda _: {},
        "answer": _nobody,
    },
    Record: {"withdrawn_reason": _nobody},
    Decision: {"facts": lambda _: {}},
    Handling: {
        "assignee": _nobody,
        "recorder": _nobody,
        "informant_ref": _nobody,
        "subject": _wordless,
    },
    Extension: {"reason": _wordless, "note": _wordless},
    Rating: {"comment": _wordless, "by": _role},
    Judgement: {"evaluator": _role, "subject": _wordless, "reply": _wordless},
    Problem: {"field": _wordless, "message": _wordless},
    CaseRefused: {"external_id": _nobody},
    CaseWithdrawn: {"reason": _wordless, "by": _nobody},
    CaseReturned: {"reason": _wordless},
    CaseTransferred: {"reason": _wordless},
    CaseReplied: {"reply": _wordless},
    RetriageRequested: {"by": _wordless, "reason": _wordless},
    MessageReplayed: {"by": _wordless, "reason": _wordless},
    MessageDiscarded: {"by": _wordless, "reason": _wordless},
    EvaluationRequested: {"link": _wordless},
}
"""By model: its personal fields. A test holds every other text in an event to a list of its own."""


def erased(value: M, at: datetime) -> M:
    """The same without anything personal, in all its parts; aggregates are marked with `at`.

    What was erased before stays as it is.
    """
    fields = PERSONAL.get(type(value), {})
    changes = {}
    for name in value.__struct_fields__:
        known = getattr(value, name)
        left = fields[name](known) if name in fields else _within(known, at)
        if left is not known:
            changes[name] = left
    if isinstance(value, Aggregate) and value.erased_at is None:
        changes["erased_at"] = at
    return value.but(**changes) if changes else value


def _within(known: Any, at: datetime) -> Any:
    if isinstance(known, Value):
        return erased(known, at)
    if isinstance(known, tuple):
        left = tuple(_within(part, at) for part in known)
        unchanged = all(one is other for one, other in zip(left, known, strict=True))
        return known if unchanged else left
    return known
