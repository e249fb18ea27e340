"""The start of a service: what it waits for, and what it refuses with words that say what to do."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic, sleep

import pytest
import sqlalchemy as sa

from tests.support.processes import service
from tests.support.servers.postgres import PrivatePostgres

NOBODY = "amqp://nobody:nothing@127.0.0.1:9/%2F"


def _reasons(log: str) -> list[str]:
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line["reason"] for line in lines if line["event"] == "cannot start"]


def test_a_service_refuses_a_schema_that_is_newer_than_it_knows(
    vhost: str, database: str, tmp_path: Path
) -> None:
    router = service(tmp_path, vhost, database, "router")
    router.start()
    assert router.stop() == 0
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        connection.execute(sa.text("update router.alembic_version set version_num = '0999'"))
    router.launch()
    assert router.wait_ended() == 2
    [reason] = _reasons(router.said)
    assert "has schema 0999, but this program knows none after 0003" in reason
    assert "Run that release or a later one, or restore the backup" in reason
    assert "Traceback" not in router.said
    with engine.begin() as connection:
        connection.execute(sa.text("update router.alembic_version set version_num = '0003'"))
    engine.dispose()
    router.start()
    router.kill()


def test_what_a_service_cannot_start_with_is_one_line_of_its_log(tmp_path: Path) -> None:
    router = service(tmp_path, "http://wrong", None, "router")
    router.launch()
    assert router.wait_ended() == 2
    [reason] = _reasons(router.said)
    assert "write it as amqp://" in reason
    assert "Traceback" not in router.said


@pytest.mark.faults_long
def test_a_service_that_starts_while_postgresql_is_away_waits_for_it(
    vhost: str, tmp_path: Path
) -> None:
    server = PrivatePostgres()
    try:
        server.start()
        server.stop()
        router = service(tmp_path, vhost, server.url, "router")
        router.launch()
        until = monotonic() + 30
        while "storage away" not in router.said and monotonic() < until:
            sleep(0.05)
        assert router.code is None, router.said
        server.start()
        router.wait_ready()
        assert server.password not in router.said
        assert router.stop() == 0
    finally:
        server.close()
