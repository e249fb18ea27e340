"""Fixtures for all tests. Servers start with the first test that asks for one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.servers import Server, fresh


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[Server]:
    """The RabbitMQ of this run; a test that kills it starts it again."""
    with servers.rabbitmq() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """The PostgreSQL of this run; a test that kills it starts it again."""
    with servers.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def amqp_url(rabbitmq: Server) -> str:
    """Where RabbitMQ is; what a test does there others see, so prefer `vhost`."""
    return rabbitmq.url


@pytest.fixture(scope="session")
def database_url(postgres: Server) -> str:
    """Where PostgreSQL is; what a test does there others see, so prefer `database`."""
    return postgres.url


@pytest.fixture
def vhost(rabbitmq: Server) -> Iterator[str]:
    """The AMQP URL of a virtual host of the test's own."""
    with fresh.vhost(rabbitmq) as url:
        yield url


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database of the test's own."""
    with fresh.database(postgres) as url:
        yield url


@pytest.fixture(scope="session")
def message_board() -> Path:
    """The folder of the real messages, which are not published with the code."""
    folder = os.environ.get("CONCENTRIC_TEST_DATA")
    if not folder:
        pytest.skip("set CONCENTRIC_TEST_DATA to the folder of the message board's export")
    return Path(folder)
