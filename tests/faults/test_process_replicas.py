"""Two replicas of each service race over one queue and one schema: every effect is there once."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from time import sleep

import psycopg
import pytest

from services.embedded.catalogue import NAMES
from tests.support.installation import Installation
from tests.support.processes import service, started
from tests.support.servers.postgres import PrivatePostgres
from tests.support.servers.server import libpq

pytestmark = [pytest.mark.timeout(200), pytest.mark.faults_long]


def test_two_replicas_of_each_service_share_the_work(
    installation: Installation, own_postgres: PrivatePostgres, tmp_path: Path
) -> None:
    amqp, handled = installation.load.amqp, {}
    seconds = {
        name: service(tmp_path, amqp, installation.database, name, replica="-2") for name in NAMES
    }
    with ExitStack() as stack:
        stack.enter_context(started(seconds))
        with installation.busy():
            for _ in range(3):
                installation.some_close()
                sleep(0.5)
            for name in ("router", "ledger"):  # one of two dies, the other one goes on
                seconds[name].kill()
                seconds[name].launch()
            installation.some_close()
            for name in ("router", "ledger"):
                seconds[name].wait_ready()
        installation.all_is_well()
        handled = {
            name: process.metric("concentric_batch_items_count")
            for name, process in seconds.items()
        }
        for process in seconds.values():
            assert process.stop() == 0
    assert all(handled.values()), f"a replica had nothing to do: {handled}"
    installation.all_is_well()
    with psycopg.connect(libpq(own_postgres.url), autocommit=True) as connection:
        twice = connection.execute(
            "select case_id, type from ledger.journal where type in"
            " ('case.routed', 'case.replied', 'evaluation.requested', 'case.closed')"
            " group by case_id, type having count(*) > 1"
        ).fetchall()
    assert twice == []
