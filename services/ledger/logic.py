"""How events change a dossier, as pure functions: any order, and any repetition, ends the same.

Each fact has one owner, who numbers its versions; of two versions the newer one is kept, for the
case as a whole and for each of its rounds. Standings are joined (`Standing.join`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.ledger.dossier import Dossier, RatingRow, Round
from shared.domain.aggregates import Clocks, ExtensionState, Handling, Judgement, Record
from shared.domain.case import Aggregate
from shared.domain.events import (
    CaseClosed,
    CaseReopened,
    CaseWithdrawn,
    EvaluationLapsed,
    EvaluationReceived,
    EvaluationRequested,
    Event,
)

REDACTED = "redacted"
"""What the journal keeps of a rating link, which entitles whoever knows it."""

SETTLING = (CaseClosed, CaseReopened, CaseWithdrawn)
"""The events that say where a case stands."""

JUDGED = (EvaluationRequested, EvaluationReceived, EvaluationLapsed)
"""The events that tell of the judgement of the round that they name."""


def enter(known: Dossier, event: Event) -> Dossier:
    """The dossier with an event about one of the case's aggregates taken in."""
    described = aggregate_of(event)
    if described is None:
        return known
    changes: dict[str, Any] = {}
    if isinstance(described, Record):
        changes = _record(known, described)
    elif isinstance(described, Handling):
        changes = _handling(known, described)
    elif isinstance(described, Clocks):
        changes = _clocks(known, described)
    elif isinstance(described, Judgement):
        changes = _judgement(known, described, event)
    return _settled(known, described, event, changes)


def aggregate_of(event: Event) -> Aggregate | None:
    """The aggregate that an event describes; None for events about none."""
    return getattr(event, event.aggregate) if event.aggregate else None


def rating(dossier: Dossier, event: Event) -> RatingRow | None:
    """What is counted of the judgement that an event tells of, after it was taken in."""
    if not isinstance(event, JUDGED):
        return None
    part = dossier.round(event.judgement.standing.round)
    return RatingRow(
        case_id=dossier.case_id,
        round=part.number,
        level=part.level,
        unit=part.unit,
        asked_at=part.asked_at,
        rated_at=part.rated_at,
        value=part.value,
        satisfied=part.satisfied,
        lapsed=part.lapsed,
    )


def redacted(event: Event) -> Event:
    """The event as it may be kept and shown: without the secret of a rating link."""
    if isinstance(event, EvaluationRequested):
        return event.but(link=REDACTED)
    return event


def words(event: Event) -> str:
    """What a search looks through, in lower case; empty for events that tell nothing of it."""
    described = aggregate_of(event)
    case = described.case if isinstance(described, Record) else None
    if case is None:
        return ""
    parts = (case.id, case.external_id, case.subject, case.text, case.place, case.item)
    return "\n".join(part for part in parts if part).casefold()


def _record(known: Dossier, record: Record) -> dict[str, Any]:
    if record.version <= known.record_version:
        return {}
    case = record.case
    facts = {} if case is None else {name: getattr(case, name) or None for name in _CASE_FACTS}
    return {"record_version": record.version, **facts}


_CASE_FACTS = (
    "source", "external_id", "recorded_at", "channel", "kind", "category", "item", "subject",
    "station", "recorder", "campaign", "repeat_of",
)  # fmt: skip


def _handling(known: Dossier, handling: Handling) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if handling.version > known.handling_version:
        changes = {
            "handling_version": handling.version,
            "progress": handling.state,
            "colour": handling.colour,
            "unit": handling.unit,
            "level": handling.level,
            "answer_owed": handling.answer_owed,
            "policy_version": handling.policy_version,
        }
    part = known.round(handling.standing.round)
    if handling.version > part.handling_version:
        news = {"handling_version": handling.version, "replied_at": handling.replied_at}
        changes["rounds"] = _with(known, part, news)
    return changes


def _clocks(known: Dossier, clocks: Clocks) -> dict[str, Any]:
    changes: dict[str, Any] = {"clocks_version": max(clocks.version, known.clocks_version)}
    part = known.round(clocks.standing.round)
    if clocks.version > part.clocks_version:
        granted = (each.state is ExtensionState.GRANTED for each in clocks.extensions)
        news = {
            "clocks_version": clocks.version,
            "due_at": clocks.due_at,
            "paused": bool(clocks.pauses),
            "extended": any(granted),
        }
        changes["rounds"] = _with(known, part, news)
    return changes


def _judgement(known: Dossier, judgement: Judgement, event: Event) -> dict[str, Any]:
    changes: dict[str, Any] = {"judgement_version": max(judgement.version, known.judgement_version)}
    part = known.round(judgement.standing.round)
    if isinstance(event, JUDGED) and judgement.version > part.judgement_version:
        score = judgement.rating
        news = {
            "judgement_version": judgement.version,
            "level": judgement.level,
            "unit": judgement.unit,
            "asked_at": judgement.asked_at,
            "rated_at": score.at if score else None,
            "value": score.value if score else None,
            "satisfied": score.satisfied if score else None,
            "lapsed": isinstance(event, EvaluationLapsed),
        }
        changes["rounds"] = _with(known, part, news)
    return changes


def _with(known: Dossier, part: Round, news: Mapping[str, object]) -> tuple[Round, ...]:
    changed = part.but(**news)
    others = [each for each in known.rounds if each.number != part.number]
    if not others:
        return (changed,)
    return tuple(sorted((*others, changed), key=lambda each: each.number))


def _settled(
    known: Dossier, described: Aggregate, event: Event, changes: dict[str, Any]
) -> Dossier:
    standing = known.standing.join(described.standing)
    if isinstance(event, SETTLING):
        standing = standing.join(event.standing)
    changes["standing"] = standing
    # the version is the sum of the four owners' versions, of which this event may raise its own
    owners = f"{event.aggregate}_version"
    if owners in changes:
        changes["version"] = known.version + changes[owners] - getattr(known, owners)
    return known.but(**changes)
