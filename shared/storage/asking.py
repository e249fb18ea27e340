"""Several statements in one go on a connection to PostgreSQL: sent together, answered together.

This is libpq's pipeline mode itself. psycopg's cursors speak it as well, but convert every value
and look after every answer in Python, which costs more than the server needs for its part.
"""

from __future__ import annotations

import select
from collections.abc import Iterable, Sequence
from itertools import compress

import psycopg
from psycopg import errors, pq
from psycopg.pq.abc import PGresult

Question = tuple[str, Sequence[bytes]]
"""A statement and its parameters, in PostgreSQL's binary format."""

LARGE = 32 * 1024
"""Bytes of parameters that are worth sending by themselves."""

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
        self._named = 0
        """Names that were given, one to a statement that then failed as well."""
        self._is_told: list[bool] = []
        """Of each answer that is still to come, whether it is a statement's, not that of preparing
        one."""
        self._new: list[str] = []
        """Statements whose preparation is still to be answered."""

    @property
    def in_transaction(self) -> bool:
        """Whether one has begun; if not, what is asked in one go is a transaction of its own."""
        return self._libpq.transaction_status != pq.TransactionStatus.IDLE

    def ask(self, questions: Iterable[Question]) -> list[Rows]:
        """The rows that each statement returns; raises `psycopg.Error` of the first that failed.

        What comes after that one has then had no effect. What is large goes on its way at once:
        the server is at it while the next question is put together. Should that fail, the error is
        raised, and the transaction, which holds what came before, has to be rolled back.
        """
        ahead = sum(self._is_told)
        try:
            try:
                self.ask_ahead(questions)
            finally:
                self._libpq.pipeline_sync()
                answers = self._answers(len(self._is_told))
            told = list(compress(map(_unless_failed, answers), self._is_told))
            return [_rows(answer) for answer in told[ahead:]]
        except BaseException:
            for statement in self._new:  # it may never have come to that
                del self._prepared[statement]
            raise
        finally:
            self._is_told.clear()
            self._new.clear()
            self._leave()

    def ask_ahead(self, questions: Iterable[Question]) -> None:
        """Ask, and go on: whether it failed is told when something is asked the next time.

        Until then the connection is for no other use.
        """
        self._libpq.enter_pipeline_mode()
        for statement, values in questions:
            if statement not in self._prepared:
                self._prepare(statement)
            self._send(statement, values)

    @property
    def is_ahead(self) -> bool:
        """Whether something was asked whose answer nobody has waited for."""
        return bool(self._is_told)

    def _send(self, statement: str, values: Sequence[bytes]) -> None:
        formats = [pq.Format.BINARY] * len(values)
        self._libpq.send_query_prepared(self._prepared[statement], values, formats)
        self._is_told.append(True)
        if sum(map(len, values)) > LARGE:
            self._flush()

    def _prepare(self, statement: str) -> None:
        """Name a statement; what follows it in the pipeline may use the name."""
        self._named += 1
        name = b"hot_%d" % self._named
        self._libpq.send_prepare(name, statement.encode())
        self._prepared[statement] = name
        self._new.append(statement)
        self._is_told.append(False)

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
        self._flush()
        while libpq.is_busy():
            self._readable.poll()
            libpq.consume_input()
        return libpq.get_result()

    def _flush(self) -> None:
        """Send everything; the server may have to get rid of an answer before it reads on."""
        while self._libpq.flush():
            [(_, ready)] = self._ready.poll()
            if ready != select.POLLOUT:
                self._libpq.consume_input()


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
