"""From CloudEvents to envelopes or to what is wrong with them: the house's own in one go."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Generic, Literal, NoReturn, TypeVar

import msgspec
from pydantic import ValidationError
from pydantic_core import to_json

from shared.bus.envelope import MAJOR, BadEvent, Envelope, wire_type
from shared.bus.protocol import Message
from shared.domain.commands import COMMANDS, Command, SubmitCase
from shared.domain.errors import Problem
from shared.domain.events import EVENTS, Event
from shared.domain.ids import case_id
from shared.domain.model import Instant
from shared.domain.problems import problem_of, problems_of

T = TypeVar("T")

_TYPES: Mapping[str, type[Event | Command]] = {**EVENTS, **COMMANDS}
_NAMES = {wire_type(name): name for name in _TYPES}
_REQUIRED = ("id", "source", "type")
_TEXTS = (*_REQUIRED, "time", "correlationid", "causationid", "policyversion")
_TYPE = re.compile(r"concentric\.(.+)\.v([0-9]{1,4})")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,500}")
"""An attribute's text: CloudEvents forbids control characters, PostgreSQL cannot store NUL."""
_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class _BadEventError(Exception):
    """What is wrong with an event."""

    def __init__(self, reason: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(reason)
        self.problems = problems


class _Told(msgspec.Struct, Generic[T], gc=False):
    """A CloudEvent as the house itself writes it."""

    specversion: Literal["1.0"]
    id: _Text
    type: str
    source: _Text
    data: T
    time: Instant
    caseversion: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] | None = None
    correlationid: _Text | None = None
    causationid: _Text | None = None
    policyversion: _Text | None = None
    traceparent: str | None = None


def read_pack(message: Message) -> Sequence[Envelope]:
    """The envelopes of a pack such as the house itself writes them, in one go.

    Empty for whatever is not exactly that: then `read` says of each event what is wrong with it, if
    anything is. What of an event is not used is not looked at, be it text in UTF-8 or not.
    """
    if message.key not in _TYPES:
        return ()
    try:
        return [_heard(told, message) for told in _pack(message.key)(message.body)]
    except (ValueError, RecursionError):
        return ()


@cache
def _pack(name: str) -> Callable[[bytes], list[_Told[Any]]]:
    data: Any = _TYPES[name]
    return msgspec.json.Decoder(list[_Told[data]], dec_hook=_command).decode


def _command(model: type[Command], given: object) -> Command:
    return model.model_validate(given)


def _heard(told: _Told[Any], message: Message) -> Envelope:
    texts = f"{told.id}{told.source}{told.correlationid}{told.causationid}{told.policyversion}"
    known = _NAMES.get(told.type) == message.key and told.time.tzinfo is UTC
    if not (known and texts.isprintable()):
        raise ValueError("not as the house writes it")
    return Envelope(
        id=told.id,
        type=message.key,
        source=told.source,
        subject=_subject(told.data),
        time=told.time,
        data=told.data,
        caseversion=told.caseversion,
        correlationid=told.correlationid,
        causationid=told.causationid,
        policyversion=told.policyversion,
        traceparent=_trace(told.traceparent, message),
    )


def _subject(data: Event | Command) -> str:
    return data.case_id if isinstance(data, Event) else data.about


def read(
    raw: object, message: Message, now: datetime, place: tuple[int, int] | None = None
) -> Envelope | BadEvent:
    """The envelope of one event of `message`, or what is wrong with it.

    `place` is its number in a batch and how many that has. `now` is its time, if it names none.
    """
    try:
        return _envelope(raw, message, now)
    except _BadEventError as bad:
        event = raw if isinstance(raw, dict) else {}
        if place is None:
            return _bad_event(event, message, message.body, bad, "")
        where = f"event {place[0]} of {place[1]}: "
        return _bad_event(event, message, b"[%b]" % to_json(raw), bad, where)


def _envelope(raw: object, message: Message, now: datetime) -> Envelope:
    if not isinstance(raw, dict):
        raise _BadEventError("a CloudEvent is a JSON object")
    if raw.get("specversion") != "1.0":
        raise _BadEventError('`specversion` has to be "1.0"')
    _check_texts(raw)
    name = _NAMES.get(raw["type"]) or _unknown(raw["type"])
    if name != message.key:
        # The broker's permissions are by routing key: another type inside would slip past them.
        raise _BadEventError(f"{name} was sent under another routing key, {message.key}")
    data = _data(raw, name)
    return Envelope(
        id=raw["id"],
        type=name,
        source=raw["source"],
        subject=_subject(data),
        time=_time(raw, now),
        data=data,
        caseversion=_version(raw),
        correlationid=raw.get("correlationid"),
        causationid=raw.get("causationid"),
        policyversion=raw.get("policyversion"),
        traceparent=_trace(raw.get("traceparent"), message),
    )


def _check_texts(raw: Mapping[str, Any]) -> None:
    for name in _TEXTS:
        value = raw.get(name)
        if value is None:
            if name in _REQUIRED:
                raise _BadEventError(f"`{name}` is missing")
        # Nearly all is printable, which is quicker to ask than what exactly is forbidden.
        elif not isinstance(value, str) or not (
            (0 < len(value) <= 500 and value.isprintable()) or _PLAIN.fullmatch(value)
        ):
            raise _BadEventError(
                f"`{name}` has to be text of 1 to 500 characters, none of them a control character"
            )


def _unknown(wire: str) -> NoReturn:
    """Say what is wrong with a type that is none of ours."""
    known = _TYPE.fullmatch(wire)
    if known is None:
        raise _BadEventError("`type` has to be `concentric.NAME.v1`")
    name, major = known[1], int(known[2])
    if major != MAJOR:
        raise _BadEventError(f"version {major} of {name} is not known here, version {MAJOR} is")
    raise _BadEventError(f"the type {name} is not known here")


def _data(raw: Mapping[str, Any], name: str) -> Event | Command:
    if "data" not in raw:
        raise _BadEventError("`data` is missing; `data_base64` is not read")
    try:
        if name in EVENTS:
            return EVENTS[name].from_plain(raw["data"])
        return COMMANDS[name].model_validate(raw["data"])
    except msgspec.ValidationError as error:
        problem = problem_of(error)
        raise _BadEventError(f"{name}: {problem}", (problem,)) from error
    except ValidationError as error:
        problems = problems_of(error)
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise _BadEventError(f"{name}: {problems[0]}{more}", problems) from error


def _version(raw: Mapping[str, Any]) -> int | None:
    value = raw.get("caseversion")
    if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
        return int(value)  # in binary mode attributes are headers, which are text
    if value is None or (type(value) is int and 0 <= value < 2**31):
        return value
    raise _BadEventError("`caseversion` has to be a whole number")


def _time(raw: Mapping[str, Any], now: datetime) -> datetime:
    value = raw.get("time")
    if value is None:
        return now
    try:
        time = _moment(value)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _BadEventError("`time` has to be a date and time as in RFC 3339") from error
    raise _BadEventError("`time` has no time zone")


def _moment(text: str) -> datetime:
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return datetime.fromisoformat(text)  # knows more of ISO 8601, such as times without seconds


def _trace(told: object, message: Message) -> str | None:
    """The trace, if it is one: a broken trace is no reason to turn a case away."""
    trace = told or message.headers.get("traceparent")
    return trace if isinstance(trace, str) and _TRACE.fullmatch(trace) else None


def _bad_event(
    raw: Mapping[str, Any], message: Message, body: bytes, bad: _BadEventError, where: str
) -> BadEvent:
    type_ = _TYPE.fullmatch(_text(raw, "type") or "")
    name = type_[1] if type_ else None
    data = raw.get("data")
    data = data if isinstance(data, dict) else {}
    submission = data if name == SubmitCase.type else {}
    source, external_id = _text(submission, "source"), _text(submission, "external_id")
    return BadEvent(
        raw=body,
        reason=f"{where}{bad}",
        type=name,
        id=_text(raw, "id"),
        sender=_text(raw, "source") or message.reply_to,
        source=source,
        external_id=external_id,
        case_id=case_id(source, external_id) if source and external_id else _text(data, "case_id"),
        problems=bad.problems,
        correlationid=_text(raw, "correlationid"),
        traceparent=_trace(raw.get("traceparent"), message),
    )


def _text(raw: Mapping[str, Any], name: str) -> str | None:
    """A short text, where there is one: for saying who sent what cannot be understood."""
    value = raw.get(name)
    return value.strip() or None if isinstance(value, str) and _PLAIN.fullmatch(value) else None
