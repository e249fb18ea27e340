"""A connection to the broker that is kept up by a thread of its own.

The thread runs the client library's event loop and nothing else, so that heartbeats are answered
whatever else goes on, and connects again whenever the connection is lost.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread, current_thread
from typing import Any, Protocol

from shared.bus.amqp import pauses, remedy, words
from shared.bus.line import Channel, LineUser

FAREWELL = 3.0
"""Seconds that the broker has to answer when we hang up."""

SET_UP = 60.0
"""Seconds that it has from the open channel until everything is declared: a queue whose leader is
away may let a declaration wait without an answer."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What an attempt to connect, and the connection that comes of it, report."""

    opened: Callable[[Any, Channel], None]
    """There is a connection with an open channel."""
    ended: Callable[[str], None]
    """There is no connection any more, or there never was one."""
    failed: Callable[[str], None]
    """The channel is of no use any more: the connection is to be closed."""
    blocked: Callable[[str | None], None]
    """The broker takes no messages, for this reason; None: it does again."""


class Dialer(Protocol):
    """Makes connections to one broker."""

    where: str
    """Host, port and virtual host, for people; never the password."""

    def loop(self) -> Any:
        """An event loop that has not been started."""

    def dial(self, loop: Any, callbacks: Callbacks) -> Any:
        """Begin to connect."""


class Connection:
    """A connection that is kept up; it implements `Line`."""

    def __init__(
        self, dialer: Dialer, name: str, watch: Callable[[bool], None] = lambda _: None
    ) -> None:
        """`watch` is told when it begins to work, and when it ceases to."""
        self._dialer = dialer
        self._name = name
        self._watch = watch
        self._problem: str | None = f"RabbitMQ at {dialer.where}: connecting"
        self._tried = Event()
        self._lock = Lock()
        """Guards `_loop` and `_closing`, so that nobody is missed who comes between two loops."""
        self._closing = Event()
        self._loop: Any = None
        self._connection: Any = None
        self._cause: str | None = None
        """Why the connection is closed, where it is we who close it."""
        self._stands = False
        self._told = False
        """Whether whoever works here knows that this connection is of no use any more."""
        self._renewing = False
        self._pauses = pauses()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    @property
    def problem(self) -> str | None:
        """Why it cannot work at the moment, or None."""
        return self._problem

    def start(self, user: LineUser) -> None:
        """Connect on behalf of `user`."""
        self._user = user
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait until the first attempt has succeeded or failed; whether it has."""
        return self._tried.wait(seconds)

    def call(self, callback: Callable[[], None]) -> None:
        """Run something on the thread; forgotten if the connection has gone by then."""
        with self._lock:
            if self._loop is not None:
                self._loop.add_callback_threadsafe(callback)

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Run something on the thread after a while, unless the connection has gone by then."""
        self._loop.call_later(seconds, callback)

    def renew(self, reason: str) -> None:
        """Give this connection up and open another one, for which `wait` waits."""
        self._renewing = True
        self._tried.clear()
        self._hang_up(reason)

    def close(self) -> None:
        """Disconnect for good."""
        with self._lock:
            self._closing.set()
        self.call(lambda: self._hang_up("closed"))
        if self._thread is not current_thread():
            self._thread.join()

    def _run(self) -> None:
        while self._serve():
            self._closing.wait(next(self._pauses))

    def _serve(self) -> bool:
        """Connect and work until the connection is lost; False when it is time to end."""
        with self._lock:
            if self._closing.is_set():
                return False
            loop = self._loop = self._dialer.loop()
        self._cause = None
        self._stands = self._told = self._renewing = False
        callbacks = Callbacks(self._opened, self._ended, self._hang_up, self._blocked)
        try:
            self._connection = self._dialer.dial(loop, callbacks)
            loop.start()
        except Exception as error:  # noqa: BLE001 (whatever it is, a new connection is the remedy)
            _log.warning("%s: failed", self._name, exc_info=True)
            self._report(words(error))
            if self._connection is not None:
                with suppress(Exception):
                    self._hang_up(words(error))
                    loop.start()
        finally:
            with self._lock:
                self._loop = None
            loop.close()
            self._connection = None
        return not self._closing.is_set()

    def _opened(self, connection: Any, channel: Channel) -> None:
        self._connection = connection
        if self._cause is None:
            self._loop.call_later(SET_UP, self._set_up_in_time)
            self._user.opened(channel, self._up)
        else:
            connection.close()

    def _set_up_in_time(self) -> None:
        if not self._stands:
            self._hang_up(f"it did not declare the queues within {SET_UP:g} s")

    def _up(self) -> None:
        self._stands = True
        # A message that the library cannot read breaks the connection each time, until the broker
        # parks it: the others should not have to wait for long.
        self._pauses = pauses()
        self._set(None)
        self._tried.set()

    def _blocked(self, reason: str | None) -> None:
        problem = reason and f"takes no messages: {reason}; {remedy('blocked')}"
        self._set(problem and f"RabbitMQ at {self._dialer.where} {problem}")

    def _hang_up(self, cause: str) -> None:
        """Close the connection; one that is still being made once it stands, as pika wants it."""
        if self._cause is None:
            self._cause = cause
            self._tell(cause)  # at once: on a channel that is closing nothing can be sent
            # A peer that has gone silent answers nothing.
            self._loop.call_later(FAREWELL, self._abort)
            if self._connection is not None and self._connection.is_open:
                self._connection.close()

    def _abort(self) -> None:
        self._connection.abort()

    def _ended(self, reason: str) -> None:
        self._report(self._cause or reason)
        self._loop.stop()

    def _report(self, reason: str) -> None:
        self._tell(reason)
        if not self._renewing:
            self._tried.set()

    def _tell(self, reason: str) -> None:
        if self._told:
            return
        self._told = True
        problem = f"RabbitMQ at {self._dialer.where}: {reason}"
        self._set(problem)
        self._user.lost(problem)

    def _set(self, problem: str | None) -> None:
        before, self._problem = self._problem, problem
        if problem == before or self._closing.is_set():
            return
        if problem is None:
            _log.info("%s: connected", self._name)
        else:
            _log.warning("%s: %s", self._name, problem)
        if problem is None or before is None:
            self._watch(problem is None)
