"""The soak's short form: a kill of each kind under a steady load, then exact books."""

from __future__ import annotations

import pytest

from bench.soak.run import endure
from bench.soak.strikes import KINDS, Site, at_random, one_of_each
from tests.support.installation import Installation
from tests.support.servers.postgres import PrivatePostgres
from tests.support.servers.rabbitmq import PrivateRabbit


@pytest.mark.timeout(200)
def test_a_house_recovers_from_a_kill_of_each_kind(
    installation: Installation, own_rabbitmq: PrivateRabbit, own_postgres: PrivatePostgres
) -> None:
    site, before = Site(installation, own_rabbitmq, own_postgres), len(installation.load.closed)
    report = endure(site, one_of_each(seed=1), seconds=120, rate=10, say=print)
    assert report.failure is None, report.failure
    assert report.accepted == report.closed > before
    assert set(report.recoveries) == {
        "service kill",
        "broker kill",
        "database kill",
        "service restart",
    }


def test_a_seed_stands_for_the_same_strikes() -> None:
    first, again, other = (at_random(seed) for seed in (7, 7, 8))
    strikes = [next(first) for _ in range(200)]
    assert [next(again) for _ in range(200)] == strikes
    assert [next(other) for _ in range(200)] != strikes
    assert {strike.kind for strike in strikes} == set(KINDS)
