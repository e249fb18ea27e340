"""Several statements in one go on a connection to PostgreSQL: sent together, answered together.

This is libpq's pipeline mode itself. psycopg's cursors speak it as well, but convert every value
and look after every answer in Python, which costs more than the server needs for its part.
"""

from __future__ import annotations

import select
from collections.abc import Sequence

import psycopg
from psycopg import errors, pq
from psycopg.pq.abc import PGresult

Question = tuple[str, Sequence[bytes]]
"""A statement and its parameters, in PostgreSQL's binary format."""

Rows = list[tuple[bytes, ...]]
"""Values as text; an empty one may stand for null."""


class Asking:
    """One connection and its statements, each prepared when it is first asked."""

    def __init__(self, driver: psycopg.Connection[object]) -> None:
        self._libpq = driver.pgconn
        self._readable, self._ready = select.poll(), select.poll()
        self._readable.register(self._libpq.socket, select.POLLIN)
        self._ready.register(self._libpq.socket, select.POLLIN | select.POLLOUT)
        self._prepared: dict[str, bytes] = {}
        """By statement, its name in the server."""

    @property
    def in_transaction(self) -> bool:
        """Whether one has begun; if not, what is asked in one go is a transaction of its own."""
        return self._libpq.transaction_status != pq.TransactionStatus.IDLE

    def ask(self, questions: Sequence[Question]) -> list[Rows]:
        """The rows that each statement returns; raises `psycopg.Error` of the first that failed.

        What comes after that one has then had no effect.
        """
        libpq = self._libpq
        named = [(self._name(statement), values) for statement, values in questions]
        libpq.enter_pipeline_mode()
        try:
            for name, values in named:
                libpq.send_query_prepared(name, values, [pq.Format.BINARY] * len(values))
            libpq.pipeline_sync()
            return [_rows(_unless_failed(answer)) for answer in self._answers(len(named))]
        finally:
            self._leave()

    def _leave(self) -> None:
        try:
            self._libpq.exit_pipeline_mode()
        except psycopg.OperationalError:
            # broken off in the middle, which nobody can go on with
            self._libpq.finish()

    def _answers(self, count: int) -> list[PGresult | None]:
        """All answers; None for one that will never come, because the connection is lost."""
        answers: list[PGresult | None] = []
        for _ in range(count):
            answers.append(self._next())
            self._next()  # nothing, which ends an answer
        self._next()  # the server has come to the end of it all
        return answers

    def _next(self) -> PGresult | None:
        """Wait for the next answer; by itself libpq would do so without letting others run."""
        libpq = self._libpq
        while libpq.flush():
            # the server may have to get rid of an answer before it reads on
            [(_, ready)] = self._ready.poll()
            if ready != select.POLLOUT:
                libpq.consume_input()
        while libpq.is_busy():
            self._readable.poll()
            libpq.consume_input()
        return libpq.get_result()

    def _name(self, statement: str) -> bytes:
        name = self._prepared.get(statement)
        if name is None:
            name = b"hot_%d" % len(self._prepared)
            self._libpq.send_prepare(name, statement.encode())
            answer, _ = self._next(), self._next()
            _unless_failed(answer)
            self._prepared[statement] = name
        return name


def _unless_failed(answer: PGresult | None) -> PGresult:
    if answer is None:
        raise psycopg.OperationalError("the connection is lost")
    if answer.status == pq.ExecStatus.FATAL_ERROR:
        raise errors.error_from_result(answer)
    return answer


def _rows(answer: PGresult) -> Rows:
    value, columns = answer.get_value, range(answer.nfields)
    return [
        tuple([value(row, column) or b"" for column in columns]) for row in range(answer.ntuples)
    ]
