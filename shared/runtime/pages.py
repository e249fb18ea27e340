"""What every page for people has in common: its language, and headers that keep it to itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from starlette.responses import HTMLResponse

LANGUAGES = ("zh", "en")
"""Those that the product speaks."""

DEFAULT = "zh"
"""The language of whoever states none; those who state others read English."""


def page(
    render: Callable[[str], str],
    *,
    lang: str,
    status: int = 200,
    policy: str = "form-action 'self'",
) -> HTMLResponse:
    """A page that `render` makes, given the nonce of its own style and script.

    Nothing is loaded from elsewhere, nothing runs that is not in the page itself, nobody keeps a
    copy, and no address is passed on. `policy` is what its content security policy allows beside.
    """
    nonce = secrets.token_urlsafe(16)
    headers = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}';"
            f" img-src data:; base-uri 'none'; frame-ancestors 'none'; {policy}"
        ),
        "Content-Language": "zh-CN" if lang == "zh" else lang,
        "Vary": "Accept-Language",
    }
    return HTMLResponse(render(nonce), status, headers)


def language(asked: str | None, accepted: str | None) -> str:
    """`zh` or `en`: as asked for, else the better liked of an Accept-Language header (RFC 9110)."""
    if asked is not None and asked in LANGUAGES:
        return asked
    if not accepted:
        return DEFAULT
    liked = {"en": 0.0}
    for wish in accepted.split(","):
        tag, _, parameters = wish.strip().partition(";")
        name = tag.partition("-")[0].lower()
        if name in LANGUAGES:
            liked[name] = max(liked.get(name, 0.0), _weight(parameters))
    return max(liked, key=lambda name: liked[name])


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
