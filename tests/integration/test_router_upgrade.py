"""The books of a release that kept a case's newest decision alone: it is explained and erased."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from services.router.service import ROUTER
from services.router.store import decisions, newest_decision
from shared.domain.events import CaseErased, CaseRecalled, CaseRouted
from shared.storage.schema import assert_schema_matches
from tests.support.desk import desk
from tests.support.earlier import earlier, write
from tests.support.house import SmallPolicy, at
from tests.support.story import Story

NOW = at("2026-04-01 09:00")

POLICY = SmallPolicy()


def test_a_decision_of_an_older_release_is_the_first_of_its_case(
    tmp_path: Path, url: str | None
) -> None:
    story = Story("old").recorded().routed(colour="yellow")
    routed = story.events[-1]
    assert isinstance(routed, CaseRouted)
    decision = routed.decision.but(facts={"words": '热线 "\\" \n', "gone": None, "again": 7})
    kept = {"case_id": story.id, "decision": decision.plain()}
    older = earlier(ROUTER, "0003", tmp_path, url)
    for table, body in (
        ("handlings", story.handling.to_json()),
        ("decisions", json.dumps(kept, ensure_ascii=False)),
    ):
        write(older, table, key=story.id, body=body)
    older.close()

    with desk(ROUTER, POLICY, NOW, folder=tmp_path, url=url) as router:
        assert_schema_matches(router.storage)
        with router.storage.read() as connection:
            assert decisions(connection, story.id) == {0: decision}

        router.policy = replace(POLICY, version="small@111111111111")
        router.hear(CaseRecalled(case_id=story.id, record=story.record))
        with router.storage.read() as connection:
            newest = newest_decision(connection, story.id)
            assert list(decisions(connection, story.id)) == [0, 2]
        assert newest is not None
        assert newest.policy_version == "small@111111111111"

        router.hear(CaseErased(case_id=story.id, record=story.record, ended_at=NOW, at=NOW))
        with router.storage.read() as connection:
            left = decisions(connection, story.id)
        assert [each.facts for each in left.values()] == [{}, {}]
