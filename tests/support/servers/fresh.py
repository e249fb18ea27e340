"""Empty corners of a server, so that tests do not see each other's work."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.support.servers.server import Server, libpq, management


@contextmanager
def database(server: Server) -> Iterator[str]:
    """The URL of a new, empty database, which is dropped afterwards, open sessions or not."""
    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(libpq(server.url), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(server.url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(libpq(server.url), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


@contextmanager
def vhost(server: Server) -> Iterator[str]:
    """The URL of a new, empty virtual host, which is removed afterwards with its queues."""
    name = f"test-{secrets.token_hex(8)}"
    user = urlsplit(server.url).username or "guest"
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    with management(server) as api:
        api.put(f"/api/vhosts/{name}").raise_for_status()
        api.put(f"/api/permissions/{name}/{user}", json=everything).raise_for_status()
        try:
            yield urlsplit(server.url)._replace(path=f"/{name}").geturl()
        finally:
            api.delete(f"/api/vhosts/{name}").raise_for_status()
