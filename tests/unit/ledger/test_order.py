"""A dossier is the same whatever the order in which its events arrive, and how often."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger import logic
from services.ledger.dossier import Dossier, RatingRow
from services.ledger.store import DOSSIERS
from shared.domain.aggregates import HandlingState
from shared.domain.case import Standing, State
from shared.domain.events import CaseRefused, Event
from tests.support.story import DUE, Story, two_rounds

STORIES = {
    "two rounds": two_rounds(),
    "withdrawn in the second round": (
        Story("taken back")
        .recorded()
        .routed()
        .due()
        .replied(DUE)
        .asked()
        .rated(satisfied=False)
        .reopened()
        .routed()
        .withdrawn()
    ),
    "owes no answer": Story("told").recorded().routed(owed=False).closed("no-answer-owed"),
}


def take_in(events: Iterable[Event]) -> tuple[Dossier, dict[str, RatingRow]]:
    events = list(events)
    dossier = Dossier(case_id=events[0].case_id)
    ratings = {}
    for event in events:
        dossier = logic.enter(dossier, event)
        row = logic.rating(dossier, event)
        if row is not None:
            ratings[row.key] = row
    return dossier, ratings


@pytest.mark.parametrize("name", STORIES)
@given(data=st.data())
def test_any_order_with_any_repetition_ends_with_the_same_rows(
    name: str, data: st.DataObject
) -> None:
    events = STORIES[name].events
    again = data.draw(st.lists(st.sampled_from(events), max_size=8))
    shuffled = data.draw(st.permutations([*events, *again]))
    expected, expected_ratings = take_in(events)
    dossier, ratings = take_in(shuffled)
    assert DOSSIERS.row(dossier) == DOSSIERS.row(expected)
    assert ratings == expected_ratings


def test_a_dossier_holds_the_newest_facts_of_each_owner() -> None:
    story = STORIES["two rounds"]
    dossier, _ = take_in(story.events)
    assert dossier.standing.state is State.CLOSED
    assert dossier.standing.round == 2
    assert dossier.unit == "south-station"
    assert dossier.progress is HandlingState.REPLIED
    assert dossier.recorded_at == story.case.recorded_at
    assert (
        dossier.record_version,
        dossier.handling_version,
        dossier.clocks_version,
        dossier.judgement_version,
    ) == (1, 5, 3, 6)
    assert dossier.version == 15


def test_a_dossier_keeps_the_dates_of_each_round() -> None:
    dossier, _ = take_in(STORIES["two rounds"].events)
    first, second = dossier.rounds
    assert (first.due_at, first.replied_at) == (DUE, DUE + timedelta(days=1))
    assert second.due_at == DUE + timedelta(days=30)
    assert second.replied_at == DUE + timedelta(days=20)
    assert first.late
    assert not second.late
    assert dossier.breached


def test_an_event_that_tells_nothing_new_leaves_the_very_dossier() -> None:
    story = STORIES["two rounds"]
    known = take_in(story.events)[0]
    assert all(logic.enter(known, event) is known for event in story.events)


def test_a_dossier_keeps_the_judgement_of_each_round() -> None:
    first, second = take_in(STORIES["two rounds"].events)[0].rounds
    assert (first.satisfied, first.value, first.lapsed) == (False, 1, False)
    assert (second.satisfied, second.value, second.lapsed) == (None, None, True)


def test_each_round_that_was_asked_about_has_its_rating() -> None:
    _, ratings = take_in(STORIES["two rounds"].events)
    first, second = (ratings[key] for key in sorted(ratings))
    assert (first.satisfied, second.satisfied, second.rated_at) == (False, None, None)
    assert {row.unit for row in ratings.values()} == {"south-station"}


def test_withdrawn_outranks_whatever_comes_after_it() -> None:
    story = Story("late").recorded().routed().withdrawn().due().replied(DUE).closed()
    assert take_in(story.events)[0].standing.state is State.WITHDRAWN


def test_what_an_event_says_of_the_standing_counts_even_if_its_aggregate_does_not_say_it() -> None:
    story = Story("taken back").recorded().withdrawn()
    told = story.events[-1].but(record=story.record.but(standing=Standing()))
    assert take_in([told])[0].standing.state is State.WITHDRAWN


def test_a_refusal_changes_no_dossier() -> None:
    known = take_in(STORIES["two rounds"].events)[0]
    refused = CaseRefused(case_id=known.case_id, source="tests", problems=())
    assert logic.enter(known, refused) is known


def test_an_answer_in_the_last_moment_is_in_time_and_one_after_it_is_not() -> None:
    moment = timedelta(microseconds=1)
    told = Story("edge").recorded().routed().due()
    assert not take_in([*told.events, *told.replied(DUE).events[-1:]])[0].breached
    late = Story("edge").recorded().routed().due().replied(DUE + moment)
    assert take_in(late.events)[0].breached


def test_the_secret_of_a_rating_link_is_not_kept() -> None:
    asked = Story("asked").recorded().routed().replied(DUE).asked("https://x/rate/s3cret").events
    kept = [logic.redacted(event).to_json() for event in asked]
    assert not any("s3cret" in body for body in kept)
    assert '"link":"redacted"' in kept[-1]
    assert [logic.redacted(event) for event in asked[:-1]] == asked[:-1]


def test_a_search_looks_through_subject_text_place_and_numbers_in_lower_case() -> None:
    [event] = Story("No-7", text="Das LICHT", place="Turm").recorded().events
    facts = logic.facts(event, first_seq=1)
    assert facts is not None
    assert all(word in facts.words for word in ("no-7", "licht", "turm", event.case_id, "stairs"))
    assert logic.facts(Story("x").routed().events[0], first_seq=1) is None
