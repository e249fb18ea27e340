"""The house's own packs are read in one go, and all else event by event: with the same result."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus import codec
from shared.bus.codec import BadEvent, Envelope, decode, encode
from shared.bus.protocol import Message
from shared.bus.reading import read, read_pack
from shared.domain.aggregates import Record
from shared.domain.case import Answer, Case, Informant, Kind
from shared.domain.commands import SubmitCase
from shared.domain.errors import Problem, Unreadable
from shared.domain.events import CaseRecorded, CaseRefused, Event
from tests.unit.bus.events import CASE, NOW, SUBMISSION, TRACE

HANDED_IN = SubmitCase.model_validate(SUBMISSION)
RECORDED = CaseRecorded(
    case_id=CASE,
    record=Record(
        case_id=CASE,
        version=1,
        case=Case(
            id=CASE,
            source="95598",
            external_id="2026-0001",
            channel="hotline",
            kind=Kind.PROBLEM,
            category="lights",
            subject="路灯不亮",
            text='三天\nnot "lit" \\ \u007f',
            recorded_at=NOW,
            received_at=NOW,
            informant=Informant(name="王"),
            attributes={"customer": "hospital", "floors": 3, "new": True},
            answer=Answer(text="好", at=NOW),
        ),
    ),
)
REFUSED = CaseRefused(
    case_id="", source="crm", problems=(Problem(field="kind", code="missing", message="Add it."),)
)

moments = st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=9)
envelopes = st.builds(
    Envelope,
    id=names,
    type=st.none(),
    source=names,
    subject=st.just(""),
    time=moments,
    data=st.sampled_from([RECORDED, REFUSED, HANDED_IN]),
    caseversion=st.none() | st.integers(0, 2**31 - 1),
    correlationid=st.none() | names,
    causationid=st.none() | names,
    policyversion=st.none() | names,
    traceparent=st.none() | st.just(TRACE),
)


def pack(*events: object, key: str = "case.recorded", **headers: str) -> Message:
    return Message("m", key, json.dumps(events).encode(), headers=headers)


def told(**changes: object) -> dict[str, Any]:
    """A CloudEvent as the house writes it; an attribute set to `...` is left out."""
    envelope = Envelope(
        id="1",
        type="case.recorded",
        source="/concentric/intake",
        subject=CASE,
        time=NOW,
        data=RECORDED,
        caseversion=1,
        correlationid="begun",
        causationid="caused",
        policyversion="1 (abc)",
        traceparent=TRACE,
    )
    attributes = {**json.loads(encode([envelope]))[0], **changes}
    return {name: value for name, value in attributes.items() if value is not ...}


def exactly(message: Message) -> list[Envelope | BadEvent]:
    """What reading event by event makes of it."""
    raws = codec._json(message)
    if not isinstance(raws, list) or not raws:
        raise Unreadable("no batch")
    return [read(raw, message, NOW, (n, len(raws))) for n, raw in enumerate(raws, 1)]


def alike(message: Message) -> bool:
    """Whether it was read in one go; then the result has to be the exact one."""
    quick = read_pack(message)
    if quick:
        assert list(quick) == exactly(message)
    return bool(quick)


@given(st.lists(envelopes, min_size=1, max_size=5))
def test_what_the_house_writes_is_read_in_one_go_as_it_was_written(told: list[Envelope]) -> None:
    data = told[0].data
    subject = data.case_id if isinstance(data, Event) else data.about
    sent = [each.but(type=data.type, data=data, subject=subject) for each in told]
    message = Message("m", data.type, encode(sent))

    assert read_pack(message) == sent
    assert alike(message)


LEGAL: list[dict[str, object]] = [
    {"time": "2026-05-04T17:30:00+08:00"},
    {"time": "2026-05-04T09:30:00.1234567Z"},
    {"time": "2026-05-04t09:30:00z"},
    {"time": "2026-05-04T09:30Z"},
    {"time": ...},
    {"time": None},
    {"subject": 7},
    {"caseversion": ...},
    {"caseversion": "4"},
    {"caseversion": 2**31 - 1},
    {"correlationid": ..., "causationid": None, "policyversion": ...},
    {"source": "a\u00a0b", "id": "\u200b"},
    {"id": "x" * 500, "source": "y" * 500},
    {"traceparent": "nonsense"},
    {"traceparent": ...},
    {"traceparent": 7},
    {"partitionkey": "unknown", "more": {"a": [None, 1.5, "\x00"]}},
    {"data": {**RECORDED.plain(), "unknown": [{"a": 1}]}},
]


@pytest.mark.parametrize("changes", LEGAL)
def test_what_is_legal_is_read_alike_whichever_way_it_goes(changes: dict[str, object]) -> None:
    for message in (
        pack(told(**changes), told(), told()),
        pack(told(**changes), traceparent=TRACE.replace("a", "c")),
    ):
        alike(message)
        found = decode(message, now=NOW)
        assert found == exactly(message)
        assert all(isinstance(one, Envelope) for one in found)


def each(names: Iterable[str], *values: object) -> list[dict[str, object]]:
    return [{name: value} for name in names for value in values]


TEXTS = ("id", "source", "time", "correlationid", "causationid", "policyversion")
CONTROLS = [f"a{chr(code)}b" for code in (0, 7, 10, 31, 127, 128, 159)]
ILLEGAL = [
    *each(TEXTS, "", 7, ["x"], {}, True, "x" * 501, *CONTROLS),
    *each(["id", "source", "type", "specversion", "data"], ..., None),
    *each(["caseversion"], -1, 2**31, 10**30, 1.0, True, "first", "", []),
    *each(["specversion"], "0.3", 1.0),
    {"type": "case.recorded"},
    {"type": "concentric.case.recorded.v2"},
    {"type": "concentric.case.routed.v1"},
    {"time": "2026-05-04T09:30:00"},
    {"time": "2026-02-30T09:30:00Z"},
    {"time": "0001-01-01T00:00:00+14:00"},
    {"time": 1_777_000_000},
    {"data": [], "data_base64": "e30="},
    {"data": {}},
    {"data": {**RECORDED.plain(), "case_id": 7}},
    {"data": {"case_id": CASE, "record": {"case_id": CASE, "standing": {"state": "lost"}}}},
]


@pytest.mark.parametrize(
    "changes", ILLEGAL, ids=lambda changes: json.dumps(changes, default=str)[:50]
)
def test_what_is_illegal_is_never_read_in_one_go(changes: dict[str, object]) -> None:
    message = pack(told(), told(**changes), told())

    assert not read_pack(message)
    first, second, third = decode(message, now=NOW)
    assert isinstance(first, Envelope)
    assert isinstance(second, BadEvent)
    assert isinstance(third, Envelope)


BODY = json.dumps([told()], ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("body", "readable"),
    [
        (BODY.replace(b'"id": "1"', b'"id": "0", "id": "1"'), True),
        (BODY.replace(b'"id"', b'"\\u0069d"'), True),
        (BODY.replace(b'"id": "1"', b'"id": 0, "id": "1"'), True),
        (b" \n" + BODY + b"\t ", True),
        (b"\xef\xbb\xbf" + BODY, False),
        (BODY + b"[]", False),
        (BODY[:-1], False),
        (BODY.replace(b'"id": "1"', b'"id": "1",'), False),
        (BODY.replace(b'"id": "1"', b'"id": "\xff"'), False),
        (BODY.replace(b'"id": "1"', b'"id": "\\ud800"'), False),
        (BODY.replace(b'"id": "1"', b'"id": "1", "more": NaN'), False),
        (BODY.replace(b'"id": "1"', b'"id": "1", "more": ' + b"[" * 5000 + b"]" * 5000), False),
        (BODY.replace('"路灯不亮"'.encode(), b'"\xe8\xb7"'), False),
        (BODY.replace('"路灯不亮"'.encode(), b'"\n"'), False),
        (BODY.decode().encode("utf-16"), False),
    ],
)
def test_what_is_odd_as_json_is_read_alike(body: bytes, readable: bool) -> None:
    message = Message("m", "case.recorded", body)
    if readable:
        alike(message)
        assert decode(message, now=NOW) == exactly(message)
        assert exactly(message)[0] == decode(pack(told()))[0]
    else:
        assert not read_pack(message)
        with pytest.raises(Unreadable):
            decode(message)


def test_what_is_not_used_is_not_looked_at() -> None:
    body = BODY.replace(b'"id": "1"', b'"id": "1", "more": "\xff"')

    assert list(read_pack(Message("m", "case.recorded", body))) == decode(pack(told()))


@pytest.mark.parametrize("changes", [{"kind": "rumour"}, {"chanel": "x"}, {"subject": ["SECRET"]}])
def test_a_command_that_is_wrong_is_told_all_that_is_wrong(changes: dict[str, object]) -> None:
    wrong = told(type="concentric.submit-case.v1", data={**SUBMISSION, **changes, "text": 7})
    message = pack(wrong, key="submit-case")

    assert not read_pack(message)
    (found,) = decode(message)
    assert isinstance(found, BadEvent)
    assert {problem.field for problem in found.problems} == {*changes, "text"}
    assert "SECRET" not in found.reason


@pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b"[[]]", b"7", b""])
@pytest.mark.parametrize("key", ["case.recorded", "submit-case", "case.dreamt", ""])
def test_what_is_no_pack_is_not_read_in_one_go(body: bytes, key: str) -> None:
    assert not read_pack(Message("m", key, body))


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
places = st.sampled_from(
    [
        (),
        ("record",),
        ("record", "case"),
        ("record", "standing"),
        ("record", "case", "informant"),
        ("record", "case", "attributes"),
    ]
)


@given(place=places, data=st.data(), value=anything)
def test_whatever_an_event_holds_it_is_read_alike(
    place: tuple[str, ...], data: st.DataObject, value: Any
) -> None:
    event = told()
    inner = event["data"]
    for name in place:
        inner = inner[name]
    inner[data.draw(st.sampled_from([*inner, "unknown"]))] = value
    message = pack(event)

    if not alike(message):
        (found,) = exactly(message)
        assert isinstance(found, BadEvent), "what is legal is read in one go"


@given(attribute=st.sampled_from([*told(), "unknown"]), value=anything)
def test_whatever_an_attribute_holds_it_is_read_alike(attribute: str, value: object) -> None:
    message = pack(told(), told(**{attribute: value}))

    alike(message)
    assert decode(message, now=NOW) == exactly(message)


@given(cut=st.integers(0, len(BODY)), byte=st.integers(0, 255), width=st.integers(0, 2))
def test_whatever_byte_is_broken_it_is_read_alike(cut: int, byte: int, width: int) -> None:
    message = Message("m", "case.recorded", BODY[:cut] + bytes([byte]) + BODY[cut + width :])

    quick = read_pack(message)
    try:
        found = exactly(message)
    except Unreadable:
        assert not quick or not _is_utf8(message.body)
    else:
        assert not quick or list(quick) == found


def _is_utf8(body: bytes) -> bool:
    try:
        return bool(body.decode())
    except UnicodeDecodeError:
        return False


def test_an_event_of_the_house_that_is_wrong_is_told_the_first_thing_without_its_value() -> None:
    lost = {"case_id": CASE, "standing": {"state": "SECRET", "round": "SECRET"}}

    _, found = decode(pack(told(), told(data={"case_id": CASE, "record": lost})), now=NOW)

    assert isinstance(found, BadEvent)
    assert found.reason == (
        "event 2 of 2: case.recorded: record.standing.state: Not one of the possible values."
    )
    assert [problem.code for problem in found.problems] == ["unknown-value"]
    assert found.case_id == CASE
