"""Values: made, changed, written and read; and as fields of pydantic's models."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from pydantic import TypeAdapter, ValidationError

from shared.domain.aggregates import Clocks, Decision, Mark, Pause
from shared.domain.case import Standing, State
from shared.domain.events import DeadlineSet
from shared.domain.model import Instant, View
from shared.runtime.routes import json_response

NOW = datetime(2026, 3, 4, tzinfo=UTC)
KNOWN = Clocks(case_id="case-1", version=3, marks=(Mark(at=NOW, kind="overdue"),))


class Shown(View):
    clocks: Clocks
    others: tuple[Clocks, ...] = ()


def test_a_changed_value_leaves_the_first_as_it_was() -> None:
    changed = KNOWN.but(version=4, due_at=NOW)
    assert (changed.version, changed.due_at, changed.marks) == (4, NOW, KNOWN.marks)
    assert (KNOWN.version, KNOWN.due_at) == (3, None)
    with pytest.raises(AttributeError):
        KNOWN.version = 5  # type: ignore[misc]


def test_a_value_is_read_as_it_was_written() -> None:
    event = DeadlineSet(case_id="case-1", clocks=KNOWN)
    assert DeadlineSet.from_json(event.to_json()) == event
    assert DeadlineSet.from_plain(event.plain()) == event


def test_an_unknown_field_is_ignored_and_a_wrong_one_is_not() -> None:
    assert Standing.from_json('{"round": 2, "mood": "good"}') == Standing(round=2)
    with pytest.raises(msgspec.ValidationError, match=r"Expected `int`, got `str` - at `\$.round`"):
        Standing.from_json('{"round": "2"}')


def test_a_moment_without_a_zone_is_no_moment() -> None:
    with pytest.raises(msgspec.ValidationError):
        Mark.from_json('{"at": "2026-03-04T00:00:00", "kind": "overdue"}')


class At(View):
    at: Instant


def test_nor_is_it_in_what_is_shown() -> None:
    assert At.model_validate({"at": "2026-03-04T00:00:00Z"}).at == NOW
    for given in ("2026-03-04T00:00:00", datetime(2026, 3, 4)):  # noqa: DTZ001
        with pytest.raises(ValidationError, match="timezone"):
            At.model_validate({"at": given})


def test_what_is_answered_is_written_as_it_is_stored() -> None:
    stored = KNOWN.but(due_at=NOW.replace(microsecond=120_000), unit='路灯 "\x7f\u2028\n\\')
    assert TypeAdapter(Clocks).dump_json(stored).decode() == stored.to_json()
    assert json_response(stored).body == stored.to_json().encode()
    assert (
        json_response([{"clocks": stored}]).body == b'[{"clocks":%b}]' % stored.to_json().encode()
    )
    assert Shown(clocks=stored).model_dump_json() == f'{{"clocks":{stored.to_json()},"others":[]}}'


def test_a_value_that_pydantic_checked_shares_no_default_with_another() -> None:
    given = {"colour": "c", "unit": "u", "level": "l", "answer_owed": True, "limits": {}}
    given |= {"table": "t", "row": "r", "policy_version": "1"}
    first, second = (TypeAdapter(Decision).validate_python(given) for _ in range(2))
    assert first == second == Decision.from_plain(given)
    assert first.facts is not second.facts


def test_a_value_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(KNOWN)) == KNOWN  # noqa: S301


def test_pydantic_writes_and_reads_values_in_its_models() -> None:
    shown = Shown(clocks=KNOWN, others=(KNOWN,))
    assert Shown.model_validate_json(shown.model_dump_json()) == shown
    assert Shown.model_validate(shown.model_dump()) == shown
    assert Shown.model_validate(shown.model_dump(mode="json")) == shown
    assert shown.clocks is KNOWN


def test_pydantic_says_all_that_is_wrong_with_a_value() -> None:
    with pytest.raises(ValidationError) as raised:
        Shown.model_validate({"clocks": {"version": "three", "marks": [{"at": "noon"}]}})
    where = {".".join(map(str, error["loc"])) for error in raised.value.errors()}
    assert where == {
        "clocks.case_id",
        "clocks.version",
        "clocks.marks.0.at",
        "clocks.marks.0.kind",
    }


def test_pydantic_describes_values_by_their_names() -> None:
    schema = TypeAdapter(Shown).json_schema()
    assert schema["properties"]["clocks"] == {"$ref": "#/$defs/Clocks"}
    assert schema["$defs"]["Clocks"]["required"] == ["case_id"]
    assert schema["$defs"]["Mark"]["description"].startswith("A moment at which a clock speaks")


def test_a_value_may_have_properties() -> None:
    pause = Pause.from_plain(
        {
            "reason": "expert",
            "by": {"unit": "south"},
            "at": NOW.isoformat(),
            "until": (NOW + timedelta(days=1)).isoformat(),
        }
    )
    assert pause.span == (NOW, NOW + timedelta(days=1))


def test_standings_that_are_equal_join_to_the_one_that_is_known() -> None:
    known = Standing(round=2)
    assert known.join(Standing(round=2)) is known
    assert known.join(Standing(state=State.CLOSED)) is known
    closed = Standing(state=State.CLOSED, round=2)
    assert known.join(closed) is closed
