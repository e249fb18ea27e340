"""What is encoded can be decoded; what cannot be understood says why, and harms nothing else."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.bus.codec import Envelope, decode, encode, encode_packs, message_id
from shared.bus.protocol import Message
from shared.domain.commands import AcceptCase, RateReply, SubmitCase
from shared.domain.events import CaseRefused, Event
from shared.domain.ids import new_id
from tests.unit.bus.events import (
    CASE,
    NOW,
    SUBMISSION,
    TRACE,
    event,
    message,
    only,
    structured,
)


def refused(number: int = 1) -> Envelope:
    return Envelope(
        id=new_id(),
        type="case.refused",
        source="/concentric/intake",
        subject=f"case-{number}",
        time=NOW + timedelta(microseconds=number),
        data=CaseRefused(case_id=f"case-{number}", source="95598", problems=()),
        caseversion=number,
        correlationid="c",
        causationid="d",
        policyversion="p",
        traceparent=TRACE,
    )


def test_what_is_encoded_is_decoded_to_the_same() -> None:
    sent = [refused(number) for number in range(3)]

    assert decode(Message(new_id(), "case.refused", encode(sent))) == sent


def test_on_the_wire_it_is_a_batch_of_cloudevents() -> None:
    (wire,) = json.loads(encode([refused(3)]))

    assert wire.pop("id")
    assert wire == {
        "specversion": "1.0",
        "type": "concentric.case.refused.v1",
        "source": "/concentric/intake",
        "subject": "case-3",
        "time": "2026-05-04T09:30:00.000003Z",
        "datacontenttype": "application/json",
        "caseversion": 3,
        "correlationid": "c",
        "causationid": "d",
        "policyversion": "p",
        "traceparent": TRACE,
        "data": {
            "case_id": "case-3",
            "source": "95598",
            "external_id": None,
            "problems": [],
        },
    }


def test_attributes_without_a_value_are_left_out_as_cloudevents_has_no_null() -> None:
    bare = Envelope(
        id="1",
        type="rate-reply",
        source="/x",
        subject="",
        time=NOW,
        data=RateReply(token="t", score="5"),
    )

    (wire,) = json.loads(encode([bare]))

    assert set(wire) == {"specversion", "id", "type", "source", "time", "datacontenttype", "data"}
    assert decode(Message("m", "rate-reply", encode([bare]))) == [bare]


def test_packs_are_split_by_size_and_lose_nothing() -> None:
    sent = [refused(number) for number in range(50)]

    packs = list(encode_packs(sent, limit=2000))

    assert len(packs) > 5
    assert all(len(pack) <= 2000 for pack in packs)
    read = [one for pack in packs for one in decode(Message("m", "case.refused", pack))]
    assert read == sent
    assert list(encode_packs([])) == []
    assert len(list(encode_packs(sent[:2], limit=1))) == 2, "a pack holds one event at least"


def test_a_structured_event_is_read() -> None:
    envelope = only(structured(time="2026-05-04T17:30:00+08:00", caseversion=2, traceparent=TRACE))

    assert envelope.data == SubmitCase.model_validate(SUBMISSION)
    assert (envelope.id, envelope.source, envelope.type) == ("7", "urn:95598", "submit-case")
    assert (envelope.time, envelope.caseversion) == (NOW, 2)
    assert envelope.subject == CASE, "whatever the sender calls it, the case's id is ours"
    assert envelope.traceparent == TRACE


def test_a_structured_event_may_call_itself_plain_json() -> None:
    assert only(message(event(), "application/json")).source == "urn:95598"


@pytest.mark.parametrize("prefix", ["ce-", "cloudEvents:", "cloudEvents_", "CE-"])
def test_a_binary_event_is_read_whatever_the_prefix_of_its_headers(prefix: str) -> None:
    attributes = {name: value for name, value in event().items() if isinstance(value, str)}
    headers = {prefix + name: value for name, value in attributes.items()}

    envelope = only(
        message(SUBMISSION, "application/json", **headers, **{prefix + "caseversion": "4"})
    )

    assert (envelope.id, envelope.source, envelope.caseversion) == ("7", "urn:95598", 4)
    assert envelope.data == SubmitCase.model_validate(SUBMISSION)


@pytest.mark.parametrize("content_type", ["application/json", "", "Application/JSON;charset=utf-8"])
def test_plain_json_is_the_command_that_its_routing_key_names(content_type: str) -> None:
    sent = message(SUBMISSION, content_type, **{"user-id": "crm", "traceparent": TRACE})

    envelope = only(sent)

    assert envelope.data == SubmitCase.model_validate(SUBMISSION)
    assert (envelope.id, envelope.source, envelope.time) == (sent.id, "amqp:crm", NOW)
    assert envelope.traceparent == TRACE


def test_an_event_without_a_time_was_now() -> None:
    before = datetime.now(UTC)

    (envelope,) = decode(structured())

    assert isinstance(envelope, Envelope)
    assert before <= envelope.time <= datetime.now(UTC)


def test_a_uuid_is_an_id_of_its_own_and_anything_else_is_one_only_together_with_its_body() -> None:
    own = new_id()
    assert message_id(own, "submit-case", b"a") == own == message_id(own, "submit-case", b"b")
    for poor in "17", "", None:
        first = message_id(poor, "submit-case", b"a")
        assert first == message_id(poor, "submit-case", b"a")
        assert len({first, message_id(poor, "submit-case", b"b"), message_id("18", "k", b"a")}) == 3
    assert message_id("ab", "c", b"") != message_id("a", "bc", b""), "parts do not run together"


def test_a_command_about_a_case_and_an_event_name_it_as_their_subject() -> None:
    accept = AcceptCase(case_id="c-9", unit="station-1")
    sent = Envelope(id="1", type="accept-case", source="/x", subject="c-9", time=NOW, data=accept)

    assert decode(Message("m", "accept-case", encode([sent]))) == [sent]
    assert isinstance(refused().data, Event)
