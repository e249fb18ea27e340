"""HTTP with JSON, and waiting for what comes in its own time."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

T = TypeVar("T")

OPENER = build_opener(ProxyHandler({}))
"""Asks this machine's own ports, which no proxy knows."""


class Failed(Exception):
    """The installation does not do what it should; the message says what."""


class Site:
    """One HTTP address."""

    def __init__(self, url: str, user: str | None = None, password: str = "") -> None:
        self.url = url
        self._headers = {"Content-Type": "application/json"}
        if user is not None:
            token = b64encode(f"{user}:{password}".encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"

    def ask(self, path: str, body: object = None, method: str | None = None) -> Any:
        """The JSON of an answer, or None of an empty one; raises `Failed` on any but a 2xx."""
        status, text = self.look(path, body, method)
        if not 200 <= status < 300:
            raise Failed(f"{self.url}{path} answered {status}: {text[:500]}")
        return json.loads(text) if text else None

    def look(self, path: str, body: object = None, method: str | None = None) -> tuple[int, str]:
        """The status and text of an answer; raises `Failed` where there is none."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, self._headers, method=method)  # noqa: S310 - ours
        try:
            with OPENER.open(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode(errors="replace")
        except OSError as error:
            raise Failed(f"{self.url}{path} does not answer: {error}") from error


def wait_for(what: str, seconds: float, find: Callable[[], T | None]) -> T:
    """What `find` finds, asked again until it finds something; raises `Failed` after so long."""
    end = monotonic() + seconds
    while True:
        reason = "not there"
        try:
            found = find()
        except Failed as failed:
            found, reason = None, str(failed)
        if found is not None:
            return found
        if monotonic() > end:
            raise Failed(f"{what}: waited {seconds:.0f} s in vain ({reason})")
        sleep(0.5)


def expect(true: object, otherwise: str) -> None:
    """Raise `Failed` with these words unless something is so."""
    if not true:
        raise Failed(otherwise)
