"""A value's own way to make a changed copy gives what pydantic's gives."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel

from shared.domain.aggregates import Clocks, Mark
from shared.domain.case import Standing, State

NOW = datetime(2026, 3, 4, tzinfo=UTC)
KNOWN = Clocks(case_id="case-1", version=3, marks=(Mark(at=NOW, kind="overdue"),))


def test_a_changed_copy_is_the_one_that_pydantic_makes() -> None:
    changes = {"version": 4, "due_at": NOW}
    own, theirs = KNOWN.model_copy(update=changes), BaseModel.model_copy(KNOWN, update=changes)
    assert own == theirs
    assert own.model_fields_set == theirs.model_fields_set
    assert own.model_dump_json() == theirs.model_dump_json()
    assert (KNOWN.version, KNOWN.due_at) == (3, None)


def test_a_deep_copy_shares_nothing() -> None:
    deep = KNOWN.model_copy(deep=True)
    assert deep == KNOWN
    assert deep.marks[0] is not KNOWN.marks[0]


def test_standings_that_are_equal_join_to_the_one_that_is_known() -> None:
    known = Standing(round=2)
    assert known.join(Standing(round=2)) is known
    assert known.join(Standing(state=State.CLOSED)) is known
    closed = Standing(state=State.CLOSED, round=2)
    assert known.join(closed) is closed
