"""A wire between a client and a server that a test can cut."""

import socket
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Proxy:
    """Forwards connections from a port of its own, until it is cut."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port or 5672)
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []
        self.swallows = False
        """Whether what is sent vanishes, while connections stay open."""
        self.port = 0
        self.mend()
        login = parts.netloc.rpartition("@")[0]
        self.url = parts._replace(netloc=f"{login}@127.0.0.1:{self.port}").geturl()

    def mend(self) -> None:
        """Take connections, on the same port as before."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def cut(self) -> None:
        """Break every connection; new ones are taken."""
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.clear()

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
            far = socket.create_connection(self._target)
            self._open += [near, far]
            for source, sink in (near, far), (far, near):
                Thread(target=self._copy, args=[source, sink], daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self.swallows:
                    sink.sendall(data)
        for end in source, sink:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()
