"""What cannot be understood says why, and takes none of its neighbours with it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.codec import BadEvent, Envelope, decode
from shared.bus.protocol import Message
from shared.domain.commands import COMMANDS
from shared.domain.errors import Unreadable
from tests.unit.bus.events import (
    CASE,
    NOW,
    SUBMISSION,
    bad,
    batch,
    event,
    message,
    only,
    structured,
)


def test_one_bad_event_of_a_batch_does_not_take_the_others_with_it() -> None:
    broken = event(data={**SUBMISSION, "kind": "rumour", "chanel": "x", "channel": None})

    first, second, third = decode(batch(event(), broken, event(id="8")), now=NOW)

    assert isinstance(first, Envelope)
    assert isinstance(third, Envelope)
    assert isinstance(second, BadEvent)
    assert second.reason.startswith("event 2 of 3: submit-case: channel: ")
    assert second.reason.endswith("(and 2 more)")
    assert [(one.field, one.code) for one in second.problems] == [
        ("channel", "wrong-type"),
        ("kind", "unknown-value"),
        ("chanel", "unknown-field"),
    ]
    assert (second.sender, second.source, second.external_id) == ("urn:95598", "95598", "2026-0001")
    assert (second.type, second.id, second.case_id) == ("submit-case", "7", CASE)


def test_what_is_kept_of_a_bad_event_reads_the_same_when_it_is_sent_again() -> None:
    whole = batch(event(), event(data={"a": 1}))
    again = decode(whole, now=NOW)[1]
    assert isinstance(again, BadEvent)

    found = bad(Message("m", whole.key, again.raw, whole.content_type))

    assert found.problems == again.problems
    assert json.loads(again.raw) == [event(data={"a": 1})]
    alone = structured(data={"a": 1})
    assert bad(alone).raw == alone.body


def test_a_bad_command_about_a_case_names_the_case() -> None:
    sent = message({"case_id": "c-1", "unit": 7}, "application/json", key="accept-case")

    assert bad(sent).case_id == "c-1"
    assert bad(sent).source is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"specversion": None}, '`specversion` has to be "1.0"'),
        ({"specversion": "0.3"}, '`specversion` has to be "1.0"'),
        ({"id": None}, "`id` is missing"),
        ({"id": ""}, "`id` has to be text of 1 to 500 characters"),
        ({"id": 7}, "`id` has to be text"),
        ({"id": "a\x00b"}, "none of them a control character"),
        ({"source": None}, "`source` is missing"),
        ({"source": "x" * 501}, "`source` has to be text of 1 to 500 characters"),
        ({"type": None}, "`type` is missing"),
        ({"type": "com.example.thing"}, "`type` has to be `concentric.NAME.v1`"),
        ({"type": "concentric.submit-case.v2"}, "version 2 of submit-case is not known here"),
        ({"type": "concentric.case.dreamt.v1"}, "the type case.dreamt is not known here"),
        ({"type": "concentric.accept-case.v1"}, "accept-case was sent under another routing key"),
        ({"data": None}, "`data` is missing"),
        ({"data": "text"}, "Give an object with named fields"),
        ({"time": "yesterday"}, "`time` has to be a date and time"),
        ({"time": "2026-05-04T09:30:00"}, "`time` has no time zone"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "`time` has to be a date and time"),
        (
            {"data": {**SUBMISSION, "recorded_at": "0001-01-01T00:00:00+14:00"}},
            "recorded_at: Give a moment of the years 1 to 9999.",
        ),
        ({"caseversion": "first"}, "`caseversion` has to be a whole number"),
        ({"caseversion": True}, "`caseversion` has to be a whole number"),
        ({"caseversion": -1}, "`caseversion` has to be a whole number"),
        ({"subject": 3, "correlationid": ["x"]}, "`correlationid` has to be text"),
    ],
)
def test_an_event_that_cannot_be_understood_says_why(
    changes: dict[str, object], reason: str
) -> None:
    assert reason in bad(structured(**changes)).reason
    second = decode(batch(event(), event(**changes)), now=NOW)[1]
    assert isinstance(second, BadEvent)
    assert second.reason.startswith("event 2 of 2: ")
    assert reason in second.reason


def test_a_broken_trace_is_no_reason_to_turn_a_case_away() -> None:
    assert only(structured(traceparent="nonsense")).traceparent is None


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (message(b"{", "application/json"), "not JSON in UTF-8"),
        (message(b"\xff\xfe", "application/cloudevents+json"), "not JSON in UTF-8"),
        (message(b"[NaN]", "application/cloudevents-batch+json"), "not JSON in UTF-8"),
        (message(b"[" * 5000, "application/json"), "not JSON in UTF-8"),
        (message({}, "application/cloudevents-batch+json"), "a batch is a JSON array"),
        (batch(), "the batch is empty"),
        (message({}, "text/xml"), "content type 'text/xml'"),
        (message({}, "application/json; charset=GB18030"), "charset 'GB18030': send UTF-8"),
        (message({}, "application/json", **{"content-encoding": "gzip"}), "send it uncompressed"),
        (message({}, "application/json", key="case.closed"), "none of the commands accept-case"),
        (message(b" " * (16 * 1024 * 1024 + 1), "application/json"), "16,777,217 bytes"),
    ],
    ids=[
        "cut off",
        "no Unicode",
        "not a number",
        "too deep",
        "no array",
        "empty",
        "XML",
        "charset",
        "packed",
        "no command",
        "too large",
    ],
)
def test_a_message_that_cannot_be_read_says_why(sent: Message, reason: str) -> None:
    with pytest.raises(Unreadable) as found:
        decode(sent)
    assert reason in found.value.reason


def test_who_sent_what_cannot_be_read_is_named_where_it_can_be() -> None:
    with pytest.raises(Unreadable) as known:
        decode(message(b"{", "application/json", **{"ce-source": "urn:crm"}))
    assert known.value.sender == "urn:crm"
    with pytest.raises(Unreadable) as answered:
        decode(Message("m", "submit-case", b"{", "application/json", reply_to="answers"))
    assert answered.value.sender == "answers"


def test_reasons_repeat_no_value_that_was_sent() -> None:
    informant = {"name": "SECRET" * 50, "contact": ["SECRET"], "phone": "SECRET"}
    found = bad(structured(data={**SUBMISSION, "informant": informant, "kind": "SECRET"}))

    assert len(found.problems) == 4
    assert "SECRET" not in f"{found.reason} {found.problems}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
media = st.sampled_from(
    ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "x"]
)


@given(
    body=st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()),
    content_type=media,
    key=st.sampled_from([*COMMANDS, "case.closed", "", "#"]),
)
def test_whatever_is_sent_the_outcome_is_envelopes_bad_events_or_unreadable(
    body: bytes, content_type: str, key: str
) -> None:
    try:
        found = decode(Message("m", key, body, content_type))
    except Unreadable:
        return
    assert found
    assert all(isinstance(one, Envelope | BadEvent) for one in found)


@given(
    attribute=st.sampled_from([*event(), "time", "caseversion", "subject", "traceparent"]),
    value=json_values,
)
def test_whatever_an_attribute_holds_the_neighbour_is_read(attribute: str, value: object) -> None:
    body = json.dumps([{**event(), attribute: value}, event()])
    if "NaN" in body or "Infinity" in body:
        return
    _, neighbour = decode(Message("m", "submit-case", body.encode()))
    assert isinstance(neighbour, Envelope)
