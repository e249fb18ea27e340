"""What the policy refuses, and how it says so."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.case import Submission
from shared.policy import CompiledPolicy


def submission(**changes: Any) -> Submission:
    given = {"source": "t", "external_id": "1", "channel": "hotline", "subject": "x"}
    return Submission.model_validate(given | changes)


def codes(policy: CompiledPolicy, **changes: Any) -> list[tuple[str, str]]:
    return [(one.field, one.code) for one in policy.admit(submission(**changes))]


def test_a_right_submission_has_no_problems(small: CompiledPolicy) -> None:
    given = submission(
        channel="visit", kind="complaint", category="power", item="outage", station="north",
        place="village", recorder="r", campaign="summer",
        attributes={"customer": "home", "affected": "12", "metered": "true", "other": "free"},
    )  # fmt: skip
    assert list(small.admit(given)) == []


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"channel": "hotlin"}, "channel", "unknown-channel"),
        ({"kind": "praise"}, "kind", "unknown-kind"),
        ({"category": "powr"}, "category", "unknown-category"),
        ({"item": "outrage"}, "item", "unknown-item"),
        ({"station": "noth", "recorder": "r"}, "station", "unknown-station"),
        ({"campaign": "winter"}, "campaign", "unknown-campaign"),
        ({"category": "bills", "item": "outage"}, "item", "item-of-another-category"),
        ({"category": "staff"}, "category", "wrong-side"),
        ({"channel": "mailbox", "item": "outage"}, "category", "wrong-side"),
        ({"attributes": {"customer": "hospitl"}}, "attributes.customer", "unknown-value"),
        ({"attributes": {"customer": 5}}, "attributes.customer", "wrong-type"),
        ({"attributes": {"affected": "many"}}, "attributes.affected", "wrong-type"),
        ({"attributes": {"affected": True}}, "attributes.affected", "wrong-type"),
        ({"attributes": {"metered": "perhaps"}}, "attributes.metered", "wrong-type"),
        ({"channel": "visit"}, "place", "required"),
        ({"station": "north"}, "recorder", "required"),
    ],
)
def test_each_mistake_is_named(
    small: CompiledPolicy, changes: dict[str, Any], field: str, code: str
) -> None:
    assert codes(small, **changes) == [(field, code)]


def test_all_mistakes_are_named_at_once(small: CompiledPolicy) -> None:
    found = codes(small, channel="visit", category="x", station="north")
    assert found == [
        ("category", "unknown-category"),
        ("place", "required"),
        ("recorder", "required"),
    ]


def test_the_message_names_what_may_have_been_meant(small: CompiledPolicy) -> None:
    (problem,) = small.admit(submission(channel="hotlin"))
    assert "`hotline`" in problem.message


def test_the_levels_of_the_bureau_ask_for_their_own_fields(xiaoshan: CompiledPolicy) -> None:
    needed = {
        "bureau": {"recorder", "place", "text"},
        "marketing": {"recorder", "text"},
        "chengxiang": {"recorder", "place"},
        "chengxiang-hall": {"recorder", "informant"},
    }
    for station, fields in needed.items():
        found = codes(xiaoshan, channel="business-hall", station=station)
        assert {field for field, code in found} == fields
        assert {code for _, code in found} == {"required"}
