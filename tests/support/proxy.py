"""A wire between a client and a server that a test can cut, or let swallow everything."""

import socket
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class _Wire:
    """One connection through the proxy: two sockets, and whether what is said reaches anybody."""

    def __init__(self, near: socket.socket, far: socket.socket, dead: Event) -> None:
        self._ends = near, far
        self._dead = dead
        for source, sink in (near, far), (far, near):
            Thread(target=self._copy, args=[source, sink], daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self._dead.is_set():
                    sink.sendall(data)
        if not self._dead.is_set():  # else the other side is not even told of the end
            self.cut()

    def cut(self) -> None:
        """End it for both sides."""
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class Proxy:
    """Forwards connections from a port of its own, until it is told otherwise."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port or 5672)
        self._listener: socket.socket | None = None
        self._wires: list[_Wire] = []
        self._dead = Event()
        """Whether the present wires lead nowhere; each generation of wires has its own."""
        self.port = 0
        self.mend()
        login = parts.netloc.rpartition("@")[0]
        self.url = parts._replace(netloc=f"{login}@127.0.0.1:{self.port}").geturl()

    def mend(self) -> None:
        """Take connections and forward them, on the same port as before.

        Those that a black hole has swallowed stay swallowed, as connections do whose peer is gone.
        """
        if self._dead.is_set():
            self._dead = Event()
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self.port = self._listener.getsockname()[1]
            Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def swallow(self) -> None:
        """Become a black hole: connections stand, new ones are taken, and nothing gets through.

        That is how a peer looks whose machine or network has gone without a word.
        """
        self._dead.set()

    def cut(self) -> None:
        """Break every connection; new ones are taken."""
        wires, self._wires = self._wires, []
        for wire in wires:
            wire.cut()

    def down(self) -> None:
        """Break every connection and take no new ones."""
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target)
            except OSError:  # the server is away: as a refused connection looks to the client
                near.close()
                continue
            self._wires.append(_Wire(near, far, self._dead))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()
