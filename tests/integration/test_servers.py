"""The servers that the other tests stand on."""

import os
import subprocess
import sys
from pathlib import Path

import pika
import psutil
import psycopg
import pytest

from tests.support.servers import Server, ServerError, fresh
from tests.support.servers.given import GivenServer
from tests.support.servers.postgres import PrivatePostgres
from tests.support.servers.rabbitmq import PrivateRabbit
from tests.support.servers.server import libpq

ROOT = Path(__file__).parents[2]


def declare(url: str, *, passive: bool = False) -> int:
    """Declare a durable queue and say how many messages it holds."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        queue = connection.channel().queue_declare("letters", durable=True, passive=passive)
        return int(queue.method.message_count)
    finally:
        connection.close()


def publish(url: str) -> None:
    """Publish one persistent message to the queue, confirmed."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    persistent = pika.BasicProperties(delivery_mode=2)
    channel.basic_publish("", "letters", b"kept", persistent, mandatory=True)
    connection.close()


def test_a_virtual_host_is_empty_and_apart_from_others(vhost: str, rabbitmq: Server) -> None:
    declare(vhost)
    with (
        fresh.vhost(rabbitmq) as other,
        pytest.raises(pika.exceptions.ChannelClosedByBroker, match="NOT_FOUND"),
    ):
        declare(other, passive=True)


def test_a_database_is_empty_and_apart_from_others(database: str, postgres: Server) -> None:
    with psycopg.connect(libpq(database)) as connection:
        connection.execute("CREATE TABLE letters (id int)")
    with (
        fresh.database(postgres) as other,
        psycopg.connect(libpq(other)) as connection,
        pytest.raises(psycopg.errors.UndefinedTable),
    ):
        connection.execute("TABLE letters")


def test_postgres_is_as_durable_as_in_production(database_url: str) -> None:
    with psycopg.connect(libpq(database_url)) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_a_killed_private_postgres_starts_again_with_what_was_committed() -> None:
    server = PrivatePostgres()
    try:
        server.start()
        with psycopg.connect(libpq(server.url)) as connection:
            connection.execute("CREATE TABLE letters AS SELECT 7 AS id")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(libpq(server.url))
        server.start()
        with psycopg.connect(libpq(server.url)) as connection:
            assert connection.execute("TABLE letters").fetchone() == (7,)
    finally:
        server.close()
    assert not server.folder.exists()


def test_a_killed_private_rabbitmq_starts_again_with_what_was_confirmed() -> None:
    server = PrivateRabbit()
    try:
        server.start()
        declare(server.url)
        publish(server.url)
        server.kill()
        with pytest.raises(pika.exceptions.AMQPConnectionError):
            declare(server.url)
        server.start()
        assert declare(server.url, passive=True) == 1
    finally:
        server.close()
    assert not server.folder.exists()


def test_private_nodes_end_when_whoever_started_them_is_killed(tmp_path: Path) -> None:
    script = (
        "import signal\n"
        "from tests.support.servers.postgres import PrivatePostgres\n"
        "server = PrivatePostgres()\n"
        "server.start()\n"
        "print(server._processes[0].pid, server.folder, flush=True)\n"
        "signal.pause()\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
    assert owner.stdout is not None
    pid, _, folder = owner.stdout.readline().decode().strip().partition(" ")
    node = psutil.Process(int(pid))
    owner.kill()
    owner.communicate()
    node.wait(timeout=20)
    with pytest.raises(psutil.NoSuchProcess):
        psutil.Process(int(pid))
    for _ in range(100):
        if not Path(folder).exists():
            return
        psutil.cpu_percent(interval=0.05)
    pytest.fail(f"{folder} was left behind")


def test_the_command_line_hands_the_servers_and_the_exit_code_on(
    rabbitmq: Server, database_url: str
) -> None:
    assert rabbitmq.management_url is not None
    given = {
        "AMQP_URL": rabbitmq.url,
        "AMQP_MANAGEMENT_URL": rabbitmq.management_url,
        "DATABASE_URL": database_url,
    }
    check = "import os; assert os.environ['AMQP_URL'] and os.environ['DATABASE_URL']; os._exit(7)"
    result = subprocess.run(
        [sys.executable, "-m", "tests.support.servers", "--", sys.executable, "-c", check],
        cwd=ROOT,
        env=os.environ | given,
        check=False,
    )
    assert result.returncode == 7


def test_a_server_that_is_given_is_never_stopped(database_url: str) -> None:
    given = GivenServer(database_url)
    given.start()
    with pytest.raises(ServerError, match="unset its URL"):
        given.kill()
    given.close()
    psycopg.connect(libpq(database_url)).close()
