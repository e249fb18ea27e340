"""One message that kills whoever reads it, again and again: the story of a crash loop."""

from __future__ import annotations

import sys
from time import sleep
from typing import Any

import httpx

from shared.bus.topology import queue_name
from shared.domain.ids import case_id
from tests.faults.broker_house import BrokerHouse, until
from tests.support.processes import Process, environment


def one_case_kills_the_router(house: BrokerHouse, *, limit: int) -> None:
    """It lies aside once the limit is reached, the others are routed; replayed, it is as well."""
    router = queue_name("router")
    culprit = case_id("load", f"deadly {limit}")
    common = environment(house.folder, None) | {"AMQP_URL": house.wire.url, "DEADLY_CASE": culprit}
    command = [sys.executable, "-m", "tests.support.deadly", "router"]
    dying = Process(command, common, house.folder / "dying.log")
    with house.stopped("router"), house.policy(router, **{"delivery-limit": limit}):
        house.submit(60)
        house.submit_case(_deadly(limit))
        house.submit(60)
        deaths = 0
        dying.launch()
        try:
            while not _parked(dying):
                if not dying.running:
                    deaths += 1
                    assert deaths <= limit + 1, "the message came back too often"
                    dying.launch()
                sleep(0.1)
            until(lambda: not house.waiting().get(router), "the innocents did not get through")
            assert limit <= deaths <= limit + 1
            [aside] = _parked(dying)
        finally:
            dying.kill()
    code, findings = house.audit()
    assert code == 1, "the audit misses the case"
    assert culprit in str(findings)
    replayed = httpx.post(
        f"{house.running['router'].url}/parked/router/replay",
        json={"ids": [aside["id"]], "by": "operator", "reason": "the cause is mended"},
    )
    assert replayed.json()["resolved"] == [{"id": aside["id"], "outcome": "handled"}]
    house.check()


def _parked(router: Process) -> list[dict[str, Any]]:
    """What lies aside; nothing while the router is too dead to say."""
    try:
        parked: list[dict[str, Any]] = httpx.get(f"{router.url}/parked/router").json()["parked"]
    except httpx.HTTPError:
        return []
    return parked


def _deadly(number: int) -> dict[str, object]:
    return {
        "source": "load",
        "external_id": f"deadly {number}",
        "channel": "message-board",
        "subject": "the one",
        "text": "路灯坏了",
        "informant": {"ref": "user"},
    }
