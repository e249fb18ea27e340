"""One message that kills whoever reads it, again and again: the story of a crash loop."""

from __future__ import annotations

import sys
from time import sleep

from shared.bus import upkeep
from shared.bus.topology import PARKED, queue_name
from shared.domain.ids import case_id
from tests.faults.broker_house import BrokerHouse, until
from tests.support.processes import Process, environment


def one_case_kills_the_router(house: BrokerHouse, *, limit: int) -> None:
    """It is parked once the limit is reached, the others are routed; sent back, it is as well."""
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
            while not house.waiting().get(PARKED):
                if not dying.running:
                    deaths += 1
                    assert deaths <= limit + 1, "the message came back too often"
                    dying.launch()
                sleep(0.1)
            until(lambda: not dying.running, "what was parked had killed nobody")
            deaths += 1
            dying.start()
            until(lambda: not house.waiting().get(router), "the innocents did not get through")
            assert limit <= deaths <= limit + 1
            assert house.waiting()[PARKED] == 1, "the culprit alone"
        finally:
            dying.kill()
    code, findings = house.audit()
    assert code == 1, "the audit misses the case"
    assert culprit in str(findings)
    with upkeep.upkeep(house.broker.url) as hand:
        hand._move(PARKED, router, 1, lambda _: None)
    house.check()


def _deadly(number: int) -> dict[str, object]:
    return {
        "source": "load",
        "external_id": f"deadly {number}",
        "channel": "message-board",
        "subject": "the one",
        "text": "路灯坏了",
        "informant": {"ref": "user"},
    }
