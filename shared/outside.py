"""The servers outside the house by which people are told: mail server and webhook endpoints.

They come from the settings, never from the policy: their addresses and passwords are secrets.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

TRANSPORT: Mapping[str, tuple[Literal["starttls", "tls", "plain"], int]] = {
    "smtp": ("starttls", 587),
    "smtps": ("tls", 465),
    "smtp+plain": ("plain", 25),
}
"""By the scheme of the address: how the connection is kept secret, and the usual port."""

SECRET = "whsec_"  # noqa: S105 - how a secret begins, by the Standard Webhooks specification


@dataclass(frozen=True, slots=True)
class MailServer:
    """An SMTP server that takes our mail."""

    host: str
    port: int
    security: Literal["starttls", "tls", "plain"]
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> MailServer:
        """The server of an address; raises `ValueError` with how to mend it, never quoting it."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in TRANSPORT or not host or parts.path.strip("/") or parts.query:
            raise ValueError(
                "write smtp://USER:PASSWORD@HOST:587 (STARTTLS), smtps://USER:PASSWORD@HOST:465"
                " (TLS) or smtp+plain://HOST:25 (neither)"
            )
        security, usual = TRANSPORT[parts.scheme]
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if security == "plain" and user:
            raise ValueError("a password is not sent in the clear: use smtp:// or smtps://")
        return cls(host, port or usual, security, user, password)


class Endpoint(BaseModel):
    """Where a webhook goes, and the secrets by which it is signed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Annotated[str, Field(max_length=2000, repr=False)]
    secrets: Annotated[tuple[str, ...], Field(min_length=1, max_length=5, repr=False)]
    """The newest first; during a rotation the receiver knows one of them."""

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The secrets as bytes."""
        return tuple(base64.b64decode(secret.removeprefix(SECRET)) for secret in self.secrets)


_ENDPOINTS = TypeAdapter(dict[str, Endpoint])


def read_endpoints(text: str) -> dict[str, Endpoint]:
    """The endpoints of a JSON object by their ids; raises `ValueError` that quotes no secret."""
    example = '{"control-room": {"url": "https://…", "secrets": ["whsec_…"]}}'
    try:
        found = _ENDPOINTS.validate_python(json.loads(text))
    except json.JSONDecodeError:
        raise ValueError(f"this is no JSON: write {example}") from None
    except ValidationError as error:
        wrong = ", ".join(
            f"{'.'.join(map(str, issue['loc']))}: {issue['msg']}"
            for issue in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise ValueError(f"{wrong}; write {example}") from None
    for name, endpoint in found.items():
        _check(name, endpoint)
    return found


def _check(name: str, endpoint: Endpoint) -> None:
    try:
        parts = urlsplit(endpoint.url)
        known = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or parts.username or parts.fragment:
        raise ValueError(f"{name}.url: write https://HOST/PATH, without a user or a fragment")
    for secret in endpoint.secrets:
        try:
            size = len(base64.b64decode(secret.removeprefix(SECRET), validate=True))
        except (binascii.Error, ValueError):
            size = 0
        if not secret.startswith(SECRET) or not 24 <= size <= 64:
            raise ValueError(
                f"{name}.secrets: write {SECRET} and 24 to 64 random bytes in base64, such as"
                " `openssl rand -base64 32` prints"
            )
