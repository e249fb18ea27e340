"""PostgreSQL: a schema for each service, several replicas of a service at a time."""

from __future__ import annotations

import select
from typing import Any

import psycopg
import sqlalchemy as sa

from shared.storage.backend import begins_with
from shared.storage.hot_postgres import PostgresHot

AWAY = ("08", "25006", "25P03", "40", "53", "55P03", "57", "58")
"""Beginnings of the SQLSTATEs against which waiting can help (PostgreSQL's appendix A): connection,
a server that only reads (a standby, or one whose disk is nearly full), sleeping inside a
transaction, deadlock or conflict, resources (memory, disk, connections), a lock's timeout, shutdown
or cancelling, input and output.
"""


class Postgres:
    """A service's schema, which is all that its connections see."""

    is_remote = True

    def __init__(self, url: sa.URL, service: str) -> None:
        self.hot = PostgresHot()
        self.place = f"{url.render_as_string(hide_password=True)}, schema {service}"
        self._url = url.set(drivername="postgresql+psycopg")
        self._service = service

    def writer(self) -> sa.Engine:
        """See `Backend`.

        Every statement of ours finds its rows by an index. A plan made while a table was young,
        or its statistics old, would read the whole table instead, so that is made expensive; and
        where that cannot be helped, the expense must not look worth compiling the query. No plan
        depends on what is asked for, and so each is made once.
        """
        engine = self._engine(
            {
                "enable_seqscan": "off",
                "jit": "off",
                "plan_cache_mode": "force_generic_plan",
                "lock_timeout": "10s",
                "idle_in_transaction_session_timeout": "60s",
            },
            poolclass=sa.NullPool,
            # the driver begins a transaction by itself, together with its first statement
            isolation_level="READ COMMITTED",
        )
        sa.event.listen(engine, "connect", _make_ready)
        return engine

    def lost(self, connection: sa.Connection) -> bool:
        """See `Backend`: a server says nothing to who asks nothing, except that it hangs up."""
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        return driver.closed or bool(select.select([driver.fileno()], [], [], 0)[0])

    def readers(self) -> sa.Engine:
        """See `Backend`."""
        engine = self._engine(
            {"statement_timeout": "30s"},
            poolclass=sa.QueuePool,
            pool_size=2,
            max_overflow=6,
            pool_timeout=10,
            pool_pre_ping=True,
        )
        return begins_with(engine, "begin isolation level repeatable read read only")

    def migrator(self) -> sa.Engine:
        """See `Backend`."""
        return begins_with(self._engine({}, poolclass=sa.NullPool), "begin")

    def take_turns(self, connection: sa.Connection) -> None:
        """See `Backend`."""
        connection.execute(
            sa.text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"),
            {"name": f"concentric migrations of {self._service}"},
        )
        connection.execute(sa.schema.CreateSchema(self._service, if_not_exists=True))

    def away(self, error: BaseException) -> str | None:
        """See `Backend`; the reason leaves out PostgreSQL's details, which can quote a row."""
        if not isinstance(error, psycopg.Error):
            return None
        state = error.sqlstate
        # without a state it was not the server that spoke: the connection is not to be had or lost
        lost = isinstance(error, psycopg.OperationalError) and state is None
        if lost or (state or "").startswith(AWAY):
            return f"{self.place}: {error.diag.message_primary or error}"
        return None

    def _engine(
        self, settings: dict[str, str], isolation_level: str = "AUTOCOMMIT", **pool: Any
    ) -> sa.Engine:
        """In autocommit `begins_with` says when and how a transaction begins."""
        settings = {"search_path": self._service, **settings}
        options = [f"-c {name}={value}" for name, value in settings.items()]
        given = self._url.query.get("options", ())
        options[:0] = [given] if isinstance(given, str) else given
        url = self._url.update_query_dict(
            {
                "client_encoding": "utf8",
                "connect_timeout": "5",
                # so that a server that vanished without a word is noticed (milliseconds)
                "tcp_user_timeout": "20000",
                "application_name": f"concentric-{self._service}",
                **self._url.query,
                "options": " ".join(options),
            }
        )
        return sa.create_engine(
            url,
            isolation_level=isolation_level,
            # a type that we do not use, about which each new engine would ask the server
            use_native_hstore=False,
            hide_parameters=True,
            **pool,
        )


def _make_ready(driver: psycopg.Connection[Any], _record: object) -> None:
    """Leave preparing to the hot statements, and have what is large compressed by LZ4.

    After a rollback psycopg has the server forget everything that is prepared, if anything is by
    psycopg: ours as well. Of what a batch sends, PostgreSQL's own method to compress takes a tenth
    of the server's time; where the server does not know the other, it stays.
    """
    driver.prepare_threshold = None
    driver.execute(
        "select set_config(name, 'lz4', false) from pg_settings"
        " where name = 'default_toast_compression' and 'lz4' = any(enumvals)"
    )
    driver.commit()
