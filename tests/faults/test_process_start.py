"""The start of a service: what it waits for, and what it refuses with words that say what to do."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest

from tests.support.processes import service
from tests.support.servers.postgres import PrivatePostgres
from tests.support.servers.server import libpq

NOBODY = "amqp://nobody:nothing@127.0.0.1:9/%2F"


def _reasons(log: str) -> list[str]:
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line["reason"] for line in lines if line["event"] == "cannot start"]


def _schema_becomes(database: str, version: str) -> str:
    """Write another version of the router's schema down; the one that stood there."""
    with psycopg.connect(libpq(database)) as connection:
        row = connection.execute("select version_num from router.alembic_version").fetchone()
        connection.execute("update router.alembic_version set version_num = %s", [version])
    assert row is not None
    return str(row[0])


def test_a_service_refuses_a_schema_that_is_newer_than_it_knows(
    vhost: str, database: str, tmp_path: Path
) -> None:
    router = service(tmp_path, vhost, database, "router")
    router.start()
    assert router.stop() == 0
    known = _schema_becomes(database, "0999")
    router.launch()
    assert router.wait_ended() == 2
    [reason] = _reasons(router.said)
    assert f"has schema 0999, but this program knows none after {known}" in reason
    assert "Run that release or a later one, or restore the backup" in reason
    assert "Traceback" not in router.said
    _schema_becomes(database, known)
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
