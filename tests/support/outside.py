"""The world outside the house: a mail server and a receiver of webhooks, to be rude at will."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks.webhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLDER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@dataclass
class Mailbox:
    """What a mail server took, and how often it was asked."""

    mails: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """To be given to the next mails instead of taking them."""
    asked: int = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The mail server's question whether to take a mail."""
        self.asked += 1
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"


@contextmanager
def mail_server(port: int = 0, **options: Any) -> Iterator[tuple[Mailbox, int]]:
    """A mail server on loopback, with its port; `options` are those of aiosmtpd's server."""
    box, port = Mailbox(), port or free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


@dataclass
class Receiver:
    """What a receiver of webhooks took: only what the specification's own library lets pass."""

    secret: str = SECRET
    taken: list[tuple[str, Any]] = field(default_factory=list)
    """Ids and bodies."""
    answers: list[int] = field(default_factory=list)
    """To be given to the next calls instead of taking them."""
    asked: list[str] = field(default_factory=list)
    """The ids of all calls."""
    headers: dict[str, str] = field(default_factory=dict)
    """To be given with each answer."""

    def status(self, headers: dict[str, str], body: bytes) -> int:
        """How a call is answered."""
        self.asked.append(headers["webhook-id"])
        if self.answers:
            return self.answers.pop(0)
        self.taken.append((headers["webhook-id"], Webhook(self.secret).verify(body, headers)))
        return 204


@contextmanager
def receiver(port: int = 0) -> Iterator[tuple[Receiver, int]]:
    """A receiver on loopback, with its port."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(found.status(headers, body))
            for name, value in {**found.headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield found, server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def silence(port: int) -> Iterator[list[socket.socket]]:
    """Somebody who takes calls on the port and never says a word; yields who has called."""
    callers: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(0.05)
        over = threading.Event()

        def take() -> None:
            while not over.is_set():
                try:
                    callers.append(listener.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield callers
        finally:
            over.set()
            thread.join()
            for caller in callers:
                caller.close()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
