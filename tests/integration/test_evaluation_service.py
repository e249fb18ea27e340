"""The evaluation service on real databases: asked once, rated once, closed or round again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from services.evaluation.service import EVALUATION
from services.evaluation.store import JUDGEMENTS, MOST
from shared.domain.aggregates import Handling, Judgement, JudgementState, Limits
from shared.domain.case import Standing, State
from shared.domain.commands import RateReply
from shared.domain.errors import Conflict, NotFound, Refusal
from shared.domain.events import (
    CaseClosed,
    CaseReopened,
    EvaluationLapsed,
    EvaluationReceived,
    EvaluationRequested,
    Event,
)
from shared.runtime.work import Request
from tests.support.desk import Desk, desk
from tests.support.house import SmallPolicy, answering, at, replied, routed, routing, withdrawing

NOW = at("2026-03-04 10:00")
LONG_AFTER = at("2026-06-01 00:00")

Opener = Callable[[datetime], AbstractContextManager[Desk]]


@pytest.fixture(params=["sqlite", "postgresql"])
def open_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens the same database at a moment: again after the first time, as a restart does."""
    url = None
    if request.param == "postgresql":
        url = cast("str", request.getfixturevalue("database"))
    return partial(desk, EVALUATION, SmallPolicy(), folder=tmp_path, url=url)


@pytest.fixture
def office(open_desk: Opener) -> Iterator[Desk]:
    with open_desk(NOW) as opened:
        yield opened


def answer(office: Desk, case_id: str = "case-1", **changes: object) -> Handling:
    """A case is routed and answered; its handling."""
    handling = routed(case_id)
    office.hear(routing(handling))
    answered = replied(handling, NOW).but(**changes)
    office.hear(answering(answered))
    return answered


def token_of(event: EvaluationRequested) -> str:
    return event.link.rsplit("/", 1)[-1]


def last_token(office: Desk) -> str:
    return token_of(office.sent(EvaluationRequested)[-1])


def rate(office: Desk, score: str, token: str | None = None) -> list[Event]:
    return list(office.do(RateReply(token=token or last_token(office), score=score)))


def judgement(office: Desk, case_id: str = "case-1") -> Judgement:
    with office.storage.transaction(office.now) as tx:
        known = tx.get(JUDGEMENTS, case_id)
    assert known is not None
    return known


def test_a_case_is_in_the_books_as_soon_as_it_is_routed(office: Desk) -> None:
    office.hear(routing(routed()))
    assert judgement(office).standing == Standing()
    assert office.sent(Event) == []


def test_a_case_that_is_owed_no_answer_is_closed_once(office: Desk) -> None:
    event = routing(routed(answer_owed=False, limits=Limits()))
    office.hear(event, event)
    office.hear(event)
    [closed] = office.sent(Event)
    assert isinstance(closed, CaseClosed)
    assert (closed.reason, closed.at, closed.version) == ("no-answer-owed", NOW, 1)
    assert judgement(office).standing.state is State.CLOSED


def test_an_answer_from_before_closes_the_case_and_nobody_is_asked(office: Desk) -> None:
    answer(office, reply_preceded=True)
    [closed] = office.sent(Event)
    assert isinstance(closed, CaseClosed)
    assert closed.reason == "not-rated"
    assert judgement(office).state is JudgementState.NOT_ASKED


def test_where_nobody_may_rate_the_case_is_closed(office: Desk) -> None:
    office.policy = replace(SmallPolicy(), asks=["person:clerk", "unit:north-station"])
    answer(office)
    assert [each.reason for each in office.sent(CaseClosed)] == ["not-rated"]
    assert office.sent(EvaluationRequested) == []


def test_who_may_rate_gets_a_link_whose_token_is_nowhere_in_the_database(office: Desk) -> None:
    answer(office)
    [asked] = office.sent(EvaluationRequested)
    assert asked.link.startswith("https://ledger.example/rate/")
    assert asked.judgement == judgement(office)
    assert asked.judgement.evaluator == "informant:informant"
    token = token_of(asked)
    secret = token.removeprefix("case-1.")
    assert len(secret) == 32
    with office.storage.read() as connection:
        assert secret not in repr(connection.execute(JUDGEMENTS.table.select()).all())


def test_one_answer_asks_once_however_often_it_is_heard(office: Desk) -> None:
    answered = answer(office)
    office.hear(answering(answered), answering(answered))
    office.hear(routing(routed()))
    assert len(office.sent(EvaluationRequested)) == 1


def test_a_round_is_judged_once_even_if_it_were_answered_again(office: Desk) -> None:
    answered = answer(office)
    office.hear(answering(answered.next(), "Answered again."))
    assert len(office.sent(EvaluationRequested)) == 1
    assert judgement(office).reply == "The lamp is mended."
    rate(office, "dissatisfied")
    office.hear(answering(answered.next().next(), "And again, to the round before."))
    assert len(office.sent(EvaluationRequested)) == 1
    assert judgement(office).state is JudgementState.NONE


def test_a_satisfied_rating_closes_the_case(office: Desk) -> None:
    answer(office)
    received, closed = rate(office, "satisfied")
    assert isinstance(received, EvaluationReceived)
    assert isinstance(closed, CaseClosed)
    assert (received.version, closed.version, closed.reason) == (2, 3, "satisfied")
    assert closed.judgement == judgement(office)


def test_a_dissatisfied_rating_sends_the_case_round_until_the_rounds_are_used_up(
    office: Desk,
) -> None:
    answered = answer(office)
    first = last_token(office)
    [_, reopened] = rate(office, "dissatisfied")
    assert isinstance(reopened, CaseReopened)
    assert reopened.judgement.standing == Standing(round=2)
    office.hear(answering(answered))  # late, once more
    again = answered.next(replied_at=None, replied_by=None, standing=Standing(round=2))
    office.hear(routing(again))
    office.hear(answering(replied(again, NOW), "Now it is."))
    assert judgement(office).reply == "Now it is."
    with pytest.raises(Conflict) as refused:
        rate(office, "satisfied", first)
    assert refused.value.problems[0].code == "link-used"
    [received, closed] = rate(office, "dissatisfied")
    assert isinstance(received, EvaluationReceived)
    assert isinstance(closed, CaseClosed)
    assert (closed.reason, closed.judgement.standing.round) == ("rounds-exhausted", 2)


def test_a_rating_counts_once(office: Desk) -> None:
    answer(office)
    rate(office, "satisfied")
    before = judgement(office)
    with pytest.raises(Conflict) as refused:
        rate(office, "dissatisfied")
    assert refused.value.problems[0].code == "link-used"
    assert judgement(office) == before


def test_a_forged_link_is_not_found_and_its_token_is_not_repeated(office: Desk) -> None:
    answer(office)
    with pytest.raises(NotFound) as refused:
        rate(office, "satisfied", "guessed-token")
    assert refused.value.problems[0].code == "unknown-link"
    assert "guessed-token" not in str(refused.value)


def test_a_refused_score_leaves_the_link_alive(office: Desk) -> None:
    answer(office)
    with pytest.raises(Refusal, match="none of: very-satisfied, satisfied, dissatisfied"):
        rate(office, "excellent")
    assert len(rate(office, "satisfied")) == 2


def test_a_withdrawn_case_is_not_rated_any_more(office: Desk) -> None:
    answer(office)
    office.hear(withdrawing("case-1", NOW))
    with pytest.raises(Conflict) as refused:
        rate(office, "satisfied")
    assert refused.value.problems[0].code == "case-withdrawn"
    office.now = LONG_AFTER
    assert office.tick() == 0
    assert judgement(office).standing.state is State.WITHDRAWN


def test_silence_lapses_and_closes_once_even_if_nobody_was_up(open_desk: Opener) -> None:
    names = [f"case-{number}" for number in range(20)]
    with open_desk(NOW) as before:
        before.hear(*(routing(routed(name)) for name in names))
        before.hear(*(answering(replied(routed(name), NOW)) for name in names))
        assert before.tick() == 0
    with open_desk(LONG_AFTER) as after:
        with pytest.raises(Conflict) as refused:
            rate(after, "satisfied")
        assert refused.value.problems[0].code == "link-lapsed"
        assert after.tick_until_quiet() == 2 * len(names)
    with open_desk(LONG_AFTER) as again:
        assert again.tick() == 0
        lapsed = Counter(each.case_id for each in again.sent(EvaluationLapsed))
        closed = Counter(each.case_id for each in again.sent(CaseClosed))
        assert lapsed == closed == Counter(names)
        assert {each.reason for each in again.sent(CaseClosed)} == {"lapsed"}
        assert judgement(again).state is JudgementState.LAPSED


def test_a_case_lapses_after_the_last_moment_of_its_last_day(office: Desk) -> None:
    answer(office)
    lapses_at = judgement(office).lapses_at
    assert lapses_at is not None
    office.now = lapses_at
    assert office.tick() == 0
    office.now = at("2026-03-19 00:00")
    assert office.tick() == 2


def test_while_the_moment_is_in_doubt_no_link_lapses(office: Desk) -> None:
    answer(office)
    office.now, office.certain = LONG_AFTER, False
    assert office.tick() == 0
    office.certain = True
    assert office.tick() == 2


def test_two_replicas_let_each_link_lapse_once_between_them(tmp_path: Path, database: str) -> None:
    names = [f"case-{number:03}" for number in range(MOST + 20)]
    with ExitStack() as stack:
        replicas = [
            stack.enter_context(desk(EVALUATION, SmallPolicy(), NOW, tmp_path, database))
            for _ in range(2)
        ]
        replicas[0].hear(*(answering(replied(routed(name), NOW)) for name in names))
        fired = race(replicas, lambda replica: replica.tick_until_quiet())
        assert sum(fired) == 2 * len(names)
        assert Counter(each.case_id for each in replicas[0].sent(CaseClosed)) == Counter(names)


def test_of_two_ratings_at_once_one_counts(tmp_path: Path, database: str) -> None:
    with ExitStack() as stack:
        replicas = [
            stack.enter_context(desk(EVALUATION, SmallPolicy(), NOW, tmp_path, database))
            for _ in range(2)
        ]
        answer(replicas[0])
        token = last_token(replicas[0])

        def try_it(replica: Desk) -> int:
            replica.now = NOW
            try:
                return len(rate(replica, "satisfied", token))
            except Conflict:
                return 0

        assert sorted(race(replicas, try_it)) == [0, 2]
        assert len(replicas[0].sent(EvaluationReceived)) == 1


def race(replicas: list[Desk], act: Callable[[Desk], int]) -> list[int]:
    """All at the same moment, long after; what each came to."""
    together, results = threading.Barrier(len(replicas)), list[int]()

    def run(replica: Desk) -> None:
        replica.now = LONG_AFTER
        together.wait()
        results.append(act(replica))

    threads = [threading.Thread(target=run, args=[replica]) for replica in replicas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_batch_of_ratings_reads_judgements_once(
    office: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        answer(office, f"case-{number}")
    ratings = [
        RateReply(token=token_of(asked), score="satisfied")
        for asked in office.sent(EvaluationRequested)
    ]
    loaded: list[list[str]] = []
    hot = type(office.storage.backend.hot)
    open_ = hot.open

    def noting(self: Any, connection: Any, claim: Any, wanted: Mapping[sa.Table, Any]) -> Any:
        loaded.append([table.name for table in wanted])
        return open_(self, connection, claim, wanted)

    monkeypatch.setattr(hot, "open", noting)
    office._transact([Request(ratings)])
    assert loaded == [["judgements"]]
    assert len(office.sent(CaseClosed)) == 3
