"""A real RabbitMQ and a real PostgreSQL for tests, benchmarks and trial runs.

In this order: the servers that AMQP_URL and DATABASE_URL name; containers, where a Docker engine
answers and has or gets the images; private nodes of the programs installed here, which are
installed first where that is possible. A server that cannot be had is an error, never a reason to
skip a test.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.servers import containers
from tests.support.servers.given import GivenServer
from tests.support.servers.postgres import PrivatePostgres
from tests.support.servers.rabbitmq import PrivateRabbit
from tests.support.servers.server import Server, ServerError

__all__ = ["Server", "ServerError", "postgres", "rabbitmq"]


@contextmanager
def rabbitmq() -> Iterator[Server]:
    """Hand out a running RabbitMQ, and stop it afterwards if it was started here."""
    server: Server
    if given := os.environ.get("AMQP_URL"):
        server = GivenServer(given, os.environ.get("AMQP_MANAGEMENT_URL"))
    elif containers.available(containers.RABBITMQ_IMAGE):
        server = containers.RabbitContainer()
    else:
        server = PrivateRabbit()
    with _running(server):
        yield server


@contextmanager
def postgres() -> Iterator[Server]:
    """Hand out a running PostgreSQL, and stop it afterwards if it was started here."""
    server: Server
    if given := os.environ.get("DATABASE_URL"):
        server = GivenServer(given)
    elif containers.available(containers.POSTGRES_IMAGE):
        server = containers.PostgresContainer()
    else:
        server = PrivatePostgres()
    with _running(server):
        yield server


@contextmanager
def _running(server: Server) -> Iterator[None]:
    try:
        server.start()
        print(f"servers: {server.described}", file=sys.stderr)
        yield
    finally:
        server.close()
