"""What may be recorded and withdrawn."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.intake import logic
from shared.domain.aggregates import Record
from shared.domain.case import Standing, State, Submission
from shared.domain.errors import Conflict, NotFound
from tests.support.house import SmallPolicy, at

NOW = at("2026-05-04 12:00")
POLICY = SmallPolicy()
MINUTE = timedelta(minutes=1)


def submission(**changes: Any) -> Submission:
    given = {"source": "s", "external_id": "1", "channel": "hotline", "subject": "Lamp"}
    return Submission.model_validate({**given, **changes})


def found(**changes: Any) -> list[tuple[str, str]]:
    problems = logic.problems(submission(**changes), POLICY, NOW)
    return [(problem.field, problem.code) for problem in problems]


def answered(when: datetime) -> dict[str, Any]:
    return {"text": "Mended.", "at": when}


def test_a_case_without_times_is_recorded_now() -> None:
    assert found() == []
    record = logic.record(Record(case_id="c"), submission(), POLICY, NOW, None)
    assert record.case is not None
    assert (record.case.recorded_at, record.case.received_at) == (NOW, NOW)
    assert (record.version, record.case.id, record.case.category) == (1, "c", "general")


def test_a_clock_may_be_five_minutes_ahead_and_no_more() -> None:
    assert found(recorded_at=NOW + 5 * MINUTE, answer=answered(NOW + 5 * MINUTE)) == []
    assert found(recorded_at=NOW + 6 * MINUTE) == [("recorded_at", "in-the-future")]
    assert found(recorded_at=NOW, answer=answered(NOW + 6 * MINUTE)) == [
        ("answer.at", "in-the-future")
    ]


def test_a_time_before_the_calendar_is_refused_with_the_calendars_first_day() -> None:
    first = POLICY.calendar.start_of(POLICY.calendar.first)
    assert found(recorded_at=first) == []
    [problem] = logic.problems(submission(recorded_at=first - MINUTE), POLICY, NOW)
    assert (problem.field, problem.code) == ("recorded_at", "before-calendar")
    assert "begins on 2012-01-02" in problem.message
    assert found(recorded_at=datetime.min.replace(tzinfo=UTC)) == [
        ("recorded_at", "before-calendar")
    ]


def test_an_answer_before_the_recording_is_refused() -> None:
    recorded = NOW - 9 * MINUTE
    assert found(recorded_at=recorded, answer=answered(recorded)) == []
    assert found(recorded_at=recorded, answer=answered(recorded - MINUTE)) == [
        ("answer.at", "answer-before-recording")
    ]


def test_an_answer_is_not_compared_with_a_recording_in_the_future() -> None:
    later = NOW + timedelta(days=1)
    assert found(recorded_at=later, answer=answered(NOW)) == [("recorded_at", "in-the-future")]


def test_an_answer_needs_the_time_of_the_recording() -> None:
    [problem] = logic.problems(submission(answer=answered(NOW - MINUTE)), POLICY, NOW)
    assert "give `recorded_at` as well" in problem.message


def test_the_policys_problems_and_those_of_the_times_are_told_at_once() -> None:
    later = NOW + timedelta(days=1)
    assert found(channel="nowhere", recorded_at=later, answer=answered(later)) == [
        ("channel", "unknown-channel"),
        ("recorded_at", "in-the-future"),
        ("answer.at", "in-the-future"),
    ]


def test_a_record_keeps_everything_that_was_submitted() -> None:
    given = submission(
        kind="complaint",
        category="lighting",
        item="lamp",
        text="Dark.",
        recorded_at=NOW - MINUTE,
        recorder="clerk-1",
        station="north-station",
        informant={"ref": "resident-1", "contact": "resident-1@example.org"},
        place="Corner",
        campaign="walk",
        attributes={"customer": "school"},
        answer=answered(NOW),
    )
    record = logic.record(Record(case_id="c"), given, POLICY, NOW, "earlier")
    assert record.case is not None
    kept = record.case.plain()
    for own in ("id", "received_at", "repeat_of", "counts"):
        del kept[own]
    assert kept == given.model_dump(mode="json")
    assert record.case.repeat_of == "earlier"


def test_a_record_joins_what_was_heard_of_the_case_before_it() -> None:
    shell = Record(case_id="c", standing=Standing(state=State.CLOSED))
    record = logic.record(shell, submission(), POLICY, NOW, None)
    assert record.standing.state is State.CLOSED


def test_an_open_case_can_be_withdrawn_in_any_round() -> None:
    open_ = logic.record(Record(case_id="c"), submission(), POLICY, NOW, None)
    again = open_.standing_at(Standing(state=State.OPEN, round=2))
    withdrawn = logic.withdraw(again, "settled", NOW)
    assert withdrawn.standing == Standing(state=State.WITHDRAWN, round=2)
    assert (withdrawn.version, withdrawn.withdrawn_reason) == (2, "settled")


@pytest.mark.parametrize("state", [State.CLOSED, State.WITHDRAWN])
def test_a_case_that_is_not_open_cannot_be_withdrawn(state: State) -> None:
    record = logic.record(Record(case_id="c"), submission(), POLICY, NOW, None)
    with pytest.raises(Conflict, match=f"the case is {state} and cannot be withdrawn"):
        logic.withdraw(record.standing_at(Standing(state=state)), "settled", NOW)


def test_a_case_that_was_not_recorded_cannot_be_withdrawn() -> None:
    with pytest.raises(NotFound, match="c has not been recorded"):
        logic.withdraw(Record(case_id="c"), "settled", NOW)
