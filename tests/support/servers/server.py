"""What every server offers, however it came to be, and how to tell that it answers."""

import random
import secrets
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack, suppress

import httpx
import pika
import pika.exceptions
import psycopg

USER = "concentric"

PORTS = range(20_000, 32_000)
"""Linux gives connections ports from 32,768 on, macOS and Windows from 49,152 on."""


class ServerError(RuntimeError):
    """A server cannot be had, or not be used like that; the message says what to do."""


class Server(ABC):
    """A RabbitMQ or PostgreSQL; what it stores outlives `stop` and `kill`, but not `close`.

    Attributes:
        url: where clients connect: AMQP_URL or DATABASE_URL, password included.
        management_url: RabbitMQ's HTTP API, user and password included; None for PostgreSQL.
        described: in one line and without the password, what and where it is.
    """

    url: str
    management_url: str | None = None
    described: str

    @abstractmethod
    def start(self) -> None:
        """Start it, for the first time or again, on the same port; return once it answers."""

    @abstractmethod
    def stop(self) -> None:
        """Let it shut down in an orderly way, and return once it has."""

    @abstractmethod
    def kill(self) -> None:
        """End it as a power cut does (SIGKILL), and return once it is gone."""

    @abstractmethod
    def close(self) -> None:
        """Stop it for good and remove what it stored; does nothing to a server not started here."""


def new_password() -> str:
    """A password for one server's lifetime: other users of the machine reach its port, too."""
    return secrets.token_urlsafe(12)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface on which nothing listens at this moment.

    They lie below those that the system gives to connections: one of these could have the port
    when a server that was killed is to listen there again.
    """
    found: list[int] = []
    with ExitStack() as stack:
        for port in random.SystemRandom().sample(PORTS, len(PORTS)):
            if len(found) == count:
                break
            with suppress(OSError):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
                found.append(port)
    return found


def until_it_answers(
    server: Server,
    *,
    seconds: float = 60,
    give_up: Callable[[], str | None] = lambda: None,
) -> None:
    """Wait until a client can work with the server.

    Raises:
        ServerError: it does not within `seconds`, or `give_up` says why it never will.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            _connect(server)
        except (OSError, pika.exceptions.AMQPError, psycopg.Error, httpx.HTTPError) as problem:
            why = give_up()
            if why is None and time.monotonic() > deadline:
                why = f"no answer within {seconds:.0f} s: {problem or type(problem).__name__}"
            if why is not None:
                raise ServerError(f"{server.described}: {why}") from problem
            time.sleep(0.1)
        else:
            return


def _connect(server: Server) -> None:
    if not server.url.startswith("amqp"):
        psycopg.connect(libpq(server.url), connect_timeout=5).close()
        return
    if server.management_url is not None:
        with management(server) as api:
            api.get("/api/whoami").raise_for_status()
    pika.BlockingConnection(pika.URLParameters(server.url)).close()


def libpq(url: str) -> str:
    """The database's URL without SQLAlchemy's name for the driver."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def management(server: Server) -> httpx.Client:
    """A client of RabbitMQ's HTTP API; proxies that are set up for the internet are not asked."""
    if server.management_url is None:
        raise ServerError(f"{server.described} has no management API; use a RabbitMQ with one")
    return httpx.Client(base_url=server.management_url, trust_env=False, timeout=10)
