"""How events change a dossier, as pure functions: any order, and any repetition, ends the same.

Each fact has one owner, who numbers its versions; of two versions the newer one is kept, for the
case as a whole and for each of its rounds. Standings are joined (`Standing.join`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from services.ledger.dossier import Dossier, Facts, RatingRow, Round
from shared.domain.aggregates import Clocks, ExtensionState, Handling, Judgement, Record
from shared.domain.case import Aggregate, Case, Standing
from shared.domain.events import (
    CaseClosed,
    CaseErased,
    CaseRecorded,
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

RECORDING = (CaseRecorded, CaseWithdrawn, CaseErased)
"""The events that bring the case as it was recorded."""

JUDGED = (EvaluationRequested, EvaluationReceived, EvaluationLapsed)
"""The events that tell of the judgement of the round that they name."""


def enter(known: Dossier, event: Event) -> Dossier:
    """The dossier with an event about one of the case's aggregates taken in.

    This very object where the event tells nothing new.
    """
    if event.aggregate is None:
        return known
    described: Aggregate = getattr(event, event.aggregate)
    standing = known.standing.join(described.standing)
    if isinstance(event, SETTLING):
        standing = standing.join(event.standing)
    return _TAKING_IN[event.aggregate](known, described, standing, event)


def rating(dossier: Dossier, event: Event) -> RatingRow | None:
    """What is counted of the judgement that an event tells of, after it was taken in."""
    if not isinstance(event, JUDGED):
        return None
    part = dossier.round(event.judgement.standing.round)
    return RatingRow(
        first_seq=dossier.first_seq,
        round=part.number,
        level=part.level,
        unit=part.unit,
        asked_at=part.asked_at,
        rated_at=part.rated_at,
        satisfied=part.satisfied,
    )


def redacted(event: Event) -> Event:
    """The event as it may be kept and shown: without the secret of a rating link."""
    if isinstance(event, EvaluationRequested):
        return event.but(link=REDACTED)
    return event


def facts(event: Event, first_seq: int) -> Facts | None:
    """What is written down of the case that an event brings; None where it brings none."""
    case = event.record.case if isinstance(event, RECORDING) else None
    if case is None:
        return None
    return Facts(
        first_seq=first_seq,
        source=case.source or None,
        external_id=case.external_id or None,
        kind=case.kind.value,
        subject=case.subject or None,
        station=case.station,
        recorder=case.recorder,
        campaign=case.campaign,
        words=_words(case),
    )


def _words(case: Case) -> str:
    parts = (case.id, case.external_id, case.subject, case.text, case.place, case.item)
    return "\n".join(part for part in parts if part).casefold()


def _record(known: Dossier, record: Record, standing: Standing, _event: Event) -> Dossier:
    if record.version <= known.record_version:
        return _as_before(known, standing, known.rounds)
    known = known.but(
        standing=standing,
        version=known.version + record.version - known.record_version,
        record_version=record.version,
    )
    case = record.case
    if case is None:
        return known
    return known.but(
        recorded_at=case.recorded_at,
        channel=case.channel or None,
        category=case.category or None,
        item=case.item,
        repeat_of=case.repeat_of,
    )


def _handling(known: Dossier, handling: Handling, standing: Standing, _event: Event) -> Dossier:
    rounds = known.rounds
    part = known.round(handling.standing.round)
    if handling.version > part.handling_version:
        part = part.but(handling_version=handling.version, replied_at=handling.replied_at)
        rounds = _with(rounds, part)
    if handling.version <= known.handling_version:
        return _as_before(known, standing, rounds)
    return known.but(
        standing=standing,
        version=known.version + handling.version - known.handling_version,
        handling_version=handling.version,
        progress=handling.state,
        colour=handling.colour,
        unit=handling.unit,
        level=handling.level,
        answer_owed=handling.answer_owed,
        policy_version=handling.policy_version,
        rounds=rounds,
    )


def _clocks(known: Dossier, clocks: Clocks, standing: Standing, _event: Event) -> Dossier:
    rounds = known.rounds
    part = known.round(clocks.standing.round)
    if clocks.version > part.clocks_version:
        part = part.but(
            clocks_version=clocks.version,
            due_at=clocks.due_at,
            paused=bool(clocks.pauses),
            extended=any(each.state is ExtensionState.GRANTED for each in clocks.extensions),
        )
        rounds = _with(rounds, part)
    if clocks.version <= known.clocks_version:
        return _as_before(known, standing, rounds)
    return known.but(
        standing=standing,
        version=known.version + clocks.version - known.clocks_version,
        clocks_version=clocks.version,
        rounds=rounds,
    )


def _judgement(known: Dossier, judgement: Judgement, standing: Standing, event: Event) -> Dossier:
    rounds = known.rounds
    part = known.round(judgement.standing.round)
    if isinstance(event, JUDGED) and judgement.version > part.judgement_version:
        score = judgement.rating
        part = part.but(
            judgement_version=judgement.version,
            level=judgement.level,
            unit=judgement.unit,
            asked_at=judgement.asked_at,
            rated_at=score.at if score else None,
            value=score.value if score else None,
            satisfied=score.satisfied if score else None,
            lapsed=isinstance(event, EvaluationLapsed),
        )
        rounds = _with(rounds, part)
    if judgement.version <= known.judgement_version:
        return _as_before(known, standing, rounds)
    return known.but(
        standing=standing,
        version=known.version + judgement.version - known.judgement_version,
        judgement_version=judgement.version,
        rounds=rounds,
    )


_TAKING_IN: Mapping[str, Callable[[Dossier, Any, Standing, Event], Dossier]] = {
    "record": _record,
    "handling": _handling,
    "clocks": _clocks,
    "judgement": _judgement,
}


def _as_before(known: Dossier, standing: Standing, rounds: tuple[Round, ...]) -> Dossier:
    """The dossier after a fact that its owner has overtaken, which may tell of an earlier round."""
    if standing is known.standing and rounds is known.rounds:
        return known
    return known.but(standing=standing, rounds=rounds)


def _with(rounds: tuple[Round, ...], changed: Round) -> tuple[Round, ...]:
    others = [each for each in rounds if each.number != changed.number]
    return tuple(sorted([*others, changed], key=_number))


_number = attrgetter("number")
