"""Erasing an event: nothing personal is left, whatever the event, and all else stays as it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from msgspec.structs import fields

from shared.domain.case import Answer, Informant
from shared.domain.erasure import PERSONAL, erased
from shared.domain.events import EVENTS, Event
from shared.domain.model import Value
from tests.support.story import two_rounds

AT = datetime(2030, 1, 1, tzinfo=UTC)

ABOUT_NO_CASE = {"policy.applied", "review.opened", "review.signed", "review.overdue"}

KEPT = {
    "id", "case_id", "source", "channel", "kind", "category", "item", "station", "campaign",
    "repeat_of", "counts", "state", "colour", "unit", "level", "table", "row", "routing_row",
    "policy_version", "came_from", "supervisors", "from_unit", "to_unit", "clock", "why", "score",
    "units", "code", "command", "notification_id", "about", "way", "role",
    "service", "message_id", "message_type", "outcome", "links",
}  # fmt: skip
"""Texts that name no person: what was decided, by which unit, ids and digests of our own."""

KEPT_REASONS = {
    ("Pause", "reason"),  # one of the policy's
    ("CaseClosed", "reason"),  # a word of ours
    ("CaseReopened", "reason"),
    ("NotificationFailed", "reason"),  # without the address
    ("CaseRefused", "source"),
    ("Mark", "kind"),
}


def models(model: type[Value]) -> Iterator[type[Value]]:
    """A model and all those of which it is made."""
    yield model
    for field in fields(model):
        for part in _types(field.type):
            if isinstance(part, type) and issubclass(part, Value):
                yield from models(part)


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)


def _holds_words(annotation: Any) -> bool:
    return any(isinstance(part, type) and issubclass(part, str) for part in _types(annotation))


STORY = two_rounds("zqx")

CASE_EVENTS = [event for name, event in EVENTS.items() if name not in ABOUT_NO_CASE]


@pytest.mark.parametrize("event", CASE_EVENTS, ids=lambda event: event.type)
def test_every_text_of_an_event_is_either_erased_or_known_to_name_nobody(
    event: type[Event],
) -> None:
    undecided = {
        f"{model.__name__}.{name}"
        for model in models(event)
        if model not in (Informant, Answer)  # erased as a whole, with the case that holds them
        for field in fields(model)
        if _holds_words(field.type)
        and (name := field.name) not in PERSONAL.get(model, {})
        and name not in KEPT
        and (model.__name__, name) not in KEPT_REASONS
    }
    assert not undecided, "say in shared/domain/erasure.py what is left of them, or add them here"


def test_an_erased_event_keeps_its_figures_and_is_marked() -> None:
    rated = next(event for event in STORY.events if event.type == "evaluation.received")
    left = erased(rated, AT).plain()
    assert left["rating"]["value"] == rated.plain()["rating"]["value"]
    assert left["rating"]["by"] == "informant:"
    assert left["judgement"]["unit"] == "south-station"
    assert left["judgement"]["version"] == rated.version
    assert left["judgement"]["erased_at"] == "2030-01-01T00:00:00Z"


def test_nothing_personal_is_left_of_a_whole_story() -> None:
    for event in STORY.events:
        left = erased(event, AT).to_json()
        for word in ("zqx", "No light", "Since the storm", 'recorder":"recorder', "Mended"):
            assert word not in left, event.type


def test_what_was_erased_before_stays_as_it_is() -> None:
    for event in STORY.events:
        once = erased(event, AT)
        assert erased(once, AT + timedelta(days=1)) == once


def test_an_erased_event_can_be_read_again() -> None:
    for event in STORY.events:
        left = erased(event, AT)
        assert type(left).from_json(left.to_json()) == left
