"""One message by webhook, signed by the Standard Webhooks specification, 1.0.

https://github.com/standard-webhooks/standard-webhooks: what is signed is `ID.TIMESTAMP.BODY` by
HMAC-SHA256. Only endpoints of the settings are called, redirects are not followed, and nothing of
the answer is read but its head: no case and no policy can lead us to another address.
"""

from __future__ import annotations

import base64
import hmac
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from urllib.parse import urlsplit

from services.notify.notices import Outcome
from services.notify.reasons import reason_of
from shared.outside import Endpoint

TIMEOUT = 10.0
"""Seconds that the receiver has for each step."""

LONGEST = 60.0
"""Seconds for all steps together: who answers byte by byte would hold up the others for ever."""

GONE = 410
"""The receiver wants no more: this message is not tried again."""


def send(endpoint: Endpoint, message_id: str, body: bytes, now: datetime) -> Outcome:
    """Hand a message over; any 2xx is an acceptance."""
    parts = urlsplit(endpoint.url)
    assert parts.hostname is not None, "the settings were checked"
    connection = _connection(parts.scheme, parts.hostname, parts.port)
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    end = threading.Timer(LONGEST, _cut, [connection])
    end.daemon = True
    end.start()
    try:
        headers = signed(endpoint, message_id, body, now)
        connection.request("POST", target, body, dict(headers))
        response = connection.getresponse()
        status, wait = response.status, response.headers.get("Retry-After", "")
    except (OSError, http.client.HTTPException) as error:
        return Outcome(reason=reason_of(error))
    finally:
        end.cancel()
        connection.close()
    if 200 <= status < 300:
        return Outcome()
    if status == GONE:
        return Outcome(reason="the receiver wants no more messages (HTTP 410)", final=True)
    seconds = int(wait) if wait.isascii() and wait.isdecimal() and len(wait) < 8 else 0
    return Outcome(reason=f"the receiver answered HTTP {status}", wait=seconds)


def signed(endpoint: Endpoint, message_id: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """The headers of a message; one signature for each secret, so that secrets can be rotated."""
    timestamp = f"{int(now.timestamp())}"
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    signatures = (
        base64.b64encode(hmac.digest(key, content, "sha256")).decode() for key in endpoint.keys
    )
    return {
        "Content-Type": "application/json",
        "User-Agent": "Concentric",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _cut(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        trust = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=trust)
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT)
