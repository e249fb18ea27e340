"""Requests to an application inside the test, as a browser would make them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from starlette.applications import Starlette


@dataclass(frozen=True)
class Browser:
    """Sends one request at a time; what the application raises comes back as its 500."""

    app: Starlette
    language: str | None = None

    def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        return self.send("GET", path)

    def post(self, path: str, form: Mapping[str, str]) -> httpx.Response:
        """Send a form."""
        return self.send("POST", path, data=dict(form))

    def command(self, kind: str, body: object) -> httpx.Response:
        """Send a command as JSON."""
        return self.send("POST", f"/commands/{kind}", json=body)

    def send(self, method: str, path: str, **content: object) -> httpx.Response:
        """Send anything."""
        return asyncio.run(self._sent(method, path, content))

    async def _sent(self, method: str, path: str, content: Mapping[str, object]) -> httpx.Response:
        headers = {"Accept-Language": self.language} if self.language else {}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://ledger.example", headers=headers
        ) as client:
            return await client.request(method, path, **content)  # type: ignore[arg-type]
