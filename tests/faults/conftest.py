"""One installation for the tests that leave it whole: to start six processes takes long."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.installation import Installation, installed
from tests.support.servers.postgres import PrivatePostgres
from tests.support.servers.rabbitmq import PrivateRabbit


@pytest.fixture(scope="session")
def own_rabbitmq() -> Iterator[PrivateRabbit]:
    """A RabbitMQ that others do not miss."""
    server = PrivateRabbit()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def own_postgres() -> Iterator[PrivatePostgres]:
    """A PostgreSQL that others do not miss."""
    server = PrivatePostgres()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def installation(
    own_rabbitmq: PrivateRabbit,
    own_postgres: PrivatePostgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Six processes that can be afflicted, on those servers; cases of earlier tests are in it."""
    folder = tmp_path_factory.mktemp("installation")
    with installed(folder, own_rabbitmq.url, own_postgres.url, afflicted=True) as installation:
        yield installation
