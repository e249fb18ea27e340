"""Who may judge an answer, for how long, and what follows from the judgement."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from msgspec.structs import asdict

from services.evaluation import logic
from services.evaluation.logic import LONGEST_COMMENT
from services.evaluation.store import JUDGEMENTS
from shared.domain.aggregates import Handling, Judgement, JudgementState, Limits
from shared.domain.case import Standing, State
from shared.domain.commands import RateReply
from shared.domain.errors import Conflict, NotFound, Refusal
from shared.domain.ids import case_of_token, new_token
from shared.domain.model import micros
from tests.support.house import SmallPolicy, at, replied, routed

POLICY = SmallPolicy()
NOW = at("2026-03-04 10:00")
TOKEN = new_token("case-1")
INFORMANT = "informant:informant"
ANSWERED = replied(routed(), NOW)


def asked(handling: Handling = ANSWERED) -> Judgement:
    known = logic.follow(Judgement(case_id="case-1"), handling)
    until = logic.lives_until(handling, NOW, POLICY)
    return logic.ask(known, INFORMANT, TOKEN, "Done.", NOW, until)


def test_a_link_lives_as_long_as_the_colour_and_level_of_the_case_say() -> None:
    general = logic.lives_until(ANSWERED, NOW, POLICY)
    assert general == POLICY.calendar.due(NOW, POLICY.rating_days)
    short = ANSWERED.but(limits=Limits(reply=5, rating=3))
    assert logic.lives_until(short, NOW, POLICY) == POLICY.calendar.due(NOW, 3)


def rating(score: str, comment: str = "") -> RateReply:
    return RateReply(token="token", score=score, comment=comment)


def code_of(judgement: Judgement | None, now: datetime = NOW, token: str = TOKEN) -> str:
    with pytest.raises(Refusal) as refused:
        logic.rateable(judgement, token, now)
    code = refused.value.problems[0].code
    assert isinstance(refused.value, NotFound if code == "unknown-link" else Conflict)
    return code


def test_the_policys_first_choice_is_asked() -> None:
    policy = replace(POLICY, asks=["unit:south", "person:recorder"])
    assert logic.entitled(ANSWERED, policy) == "unit:south"


@pytest.mark.parametrize(
    "own",
    [
        "unit:north-station",
        "unit:north",
        "person:clerk",
        "informant:clerk",
        "person:colleague",
        "informant:colleague",
    ],
)
def test_nobody_is_asked_about_the_own_work_whatever_the_policy_says(own: str) -> None:
    handling = replied(routed(assignee="colleague"), NOW, unit="north", person="clerk")
    policy = replace(POLICY, asks=[own, "person:recorder"])
    assert logic.entitled(handling, policy) == "person:recorder"
    assert logic.entitled(handling, replace(POLICY, asks=[own])) is None


def test_the_leaders_do_not_pass_for_a_person_of_the_same_name() -> None:
    handling = replied(routed(), NOW, person="north")
    assert logic.entitled(handling, replace(POLICY, asks=["unit:north"])) == "unit:north"


def test_nobody_is_asked_about_an_answer_from_before() -> None:
    assert logic.entitled(ANSWERED.but(reply_preceded=True), POLICY) is None


def test_a_link_lives_to_the_end_of_the_last_working_day() -> None:
    judgement = asked()
    assert judgement.lapses_at is not None
    assert judgement.lapses_at == at("2026-03-19 00:00") - timedelta(microseconds=1)
    assert logic.rateable(judgement, TOKEN, judgement.lapses_at) is judgement
    after = judgement.lapses_at + timedelta(microseconds=1)
    assert code_of(judgement, after) == "link-lapsed"


def test_only_who_is_asked_can_lapse() -> None:
    judgement = asked()
    lapses_at = dict(zip(JUDGEMENTS.table.c.keys(), JUDGEMENTS.row(judgement), strict=True))
    assert lapses_at["lapses_at"] == micros(judgement.lapses_at)
    for settled in (
        logic.rate(judgement, rating("satisfied"), NOW, POLICY),
        judgement.standing_at(Standing(state=State.WITHDRAWN)),
        logic.lapse(judgement),
    ):
        row = dict(zip(JUDGEMENTS.table.c.keys(), JUDGEMENTS.row(settled), strict=True))
        assert row["lapses_at"] is None


def test_a_rating_is_recorded_with_its_value_its_author_and_its_moment() -> None:
    judgement = logic.rate(asked(), rating("dissatisfied", " Still\r\ndark. "), NOW, POLICY)
    assert judgement.state is JudgementState.RATED
    assert judgement.rating is not None
    assert asdict(judgement.rating) == {
        "score": "dissatisfied",
        "value": 1,
        "satisfied": False,
        "comment": "Still\ndark.",
        "by": "informant:informant",
        "at": NOW,
    }


def test_a_score_that_is_not_on_the_scale_is_refused_with_those_that_are() -> None:
    with pytest.raises(Refusal, match="very-satisfied, satisfied, dissatisfied"):
        logic.rate(asked(), rating("excellent"), NOW, POLICY)


def test_a_comment_may_be_so_long_and_no_longer() -> None:
    logic.rate(asked(), rating("satisfied", "好" * LONGEST_COMMENT), NOW, POLICY)
    with pytest.raises(Refusal, match="5,001 characters: shorten it to 5,000"):
        logic.rate(asked(), rating("satisfied", "好" * (LONGEST_COMMENT + 1)), NOW, POLICY)


def test_a_link_that_was_never_given_out_is_not_found() -> None:
    assert code_of(None) == "unknown-link"
    assert code_of(asked(), token=new_token("case-1")) == "unknown-link"
    assert code_of(asked(), token="case-1.") == "unknown-link"


def test_a_link_dies_with_its_use_its_time_and_its_case() -> None:
    judgement = asked()
    rated = logic.rate(judgement, rating("dissatisfied"), NOW, POLICY)
    assert code_of(rated) == "link-used"
    assert code_of(logic.close(rated)) == "link-used"
    assert code_of(logic.reopen(rated)) == "link-used"
    assert code_of(logic.close(logic.lapse(judgement))) == "link-lapsed"
    withdrawn = judgement.standing_at(Standing(state=State.WITHDRAWN))
    assert code_of(withdrawn) == "case-withdrawn"


def test_a_link_counts_for_its_own_round_alone() -> None:
    first = logic.rate(asked(), rating("dissatisfied"), NOW, POLICY)
    until, later = POLICY.calendar.due(NOW, 10), new_token("case-1")
    second = logic.ask(logic.reopen(first), INFORMANT, later, "Done again.", NOW, until)
    assert code_of(second) == "link-used"
    assert logic.rateable(second, later, NOW) is second


def test_a_link_counts_for_nothing_once_nobody_is_asked() -> None:
    assert code_of(logic.not_asked(asked())) == "link-superseded"


def test_a_token_names_its_case_and_who_reads_its_digest_cannot_rate() -> None:
    assert case_of_token(TOKEN) == "case-1"
    assert case_of_token("guessed") == ""
    [digest] = asked().links
    assert TOKEN.rpartition(".")[2] not in repr(asked())
    assert code_of(asked(), token=digest) == "unknown-link"
    assert code_of(asked(), token=f"case-1.{digest}") == "unknown-link"


def test_the_next_round_starts_with_nothing_judged() -> None:
    rated = logic.rate(asked(), rating("dissatisfied"), NOW, POLICY)
    again = logic.reopen(rated)
    assert again.standing == Standing(state=State.OPEN, round=2)
    anew = logic.follow(Judgement(case_id="case-1"), ANSWERED)
    assert again == anew.but(standing=again.standing, version=again.version, links=again.links)


def test_a_case_goes_round_as_often_as_the_policy_says() -> None:
    second = asked(ANSWERED.but(standing=Standing(round=2)))
    assert logic.goes_round_again(asked(), POLICY)
    assert not logic.goes_round_again(second, POLICY)
