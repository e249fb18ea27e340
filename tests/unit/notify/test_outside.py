"""Settings of servers outside: what is wrong is told, and no secret is repeated."""

from __future__ import annotations

import json

import pytest

from shared.domain.errors import ConfigurationError
from shared.outside import MailServer
from shared.settings import Settings
from tests.support.outside import OLDER_SECRET, SECRET


def endpoint(**changes: object) -> str:
    given = {"url": "https://hooks.example/geheim", "secrets": [SECRET, OLDER_SECRET]}
    return json.dumps({"control-room": {**given, **changes}})


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://h", MailServer("h", 587, "starttls")),
        ("smtps://u:p%40%3A@h:4650", MailServer("h", 4650, "tls", "u", "p@:")),
        ("smtp+plain://[::1]:2525/", MailServer("::1", 2525, "plain")),
    ],
)
def test_a_mail_servers_address_says_how_it_is_spoken_to(url: str, server: MailServer) -> None:
    settings = Settings.read({"CONCENTRIC_SMTP_URL": url})
    assert settings.mail_server() == server
    assert settings.ways == {"mail"}


def test_endpoints_have_their_secrets_as_bytes() -> None:
    settings = Settings.read({"CONCENTRIC_WEBHOOKS": endpoint()})
    found = settings.webhook_endpoints()["control-room"]
    assert [len(key) for key in found.keys] == [24, 24]
    assert settings.ways == {"webhook"}


def test_without_settings_there_is_neither_way() -> None:
    settings = Settings.read({"CONCENTRIC_SMTP_URL": "", "CONCENTRIC_WEBHOOKS": ""})
    assert (settings.ways, settings.mail_server(), settings.webhook_endpoints()) == (
        frozenset(),
        None,
        {},
    )


@pytest.mark.parametrize(
    ("variable", "value", "helps"),
    [
        ("CONCENTRIC_SMTP_URL", "geheim", "smtps://"),
        ("CONCENTRIC_SMTP_URL", "http://geheim", "smtps://"),
        ("CONCENTRIC_SMTP_URL", "smtp://geheim:x@h:port", "smtps://"),
        ("CONCENTRIC_SMTP_URL", "smtp://h/geheim", "smtps://"),
        ("CONCENTRIC_SMTP_URL", "smtp+plain://u:geheim@h", "not sent in the clear"),
        ("CONCENTRIC_WEBHOOKS", "geheim", "no JSON"),
        ("CONCENTRIC_WEBHOOKS", '["geheim"]', "dictionary"),
        ("CONCENTRIC_WEBHOOKS", endpoint(secrets=[]), "control-room.secrets"),
        ("CONCENTRIC_WEBHOOKS", endpoint(geheim="geheim"), "not permitted"),
        ("CONCENTRIC_WEBHOOKS", endpoint(url="ftp://geheim"), "control-room.url"),
        ("CONCENTRIC_WEBHOOKS", endpoint(url="https://"), "control-room.url"),
        ("CONCENTRIC_WEBHOOKS", endpoint(url="https://geheim@x/"), "without a user"),
        ("CONCENTRIC_WEBHOOKS", endpoint(secrets=["whsec_geheim"]), "openssl rand"),
        ("CONCENTRIC_WEBHOOKS", endpoint(secrets=[SECRET[6:]]), "whsec_"),
        ("CONCENTRIC_CASE_URL", "https://ledger.example/", "{case_id}"),
        ("CONCENTRIC_CASE_URL", "javascript:{case_id}", "{case_id}"),
        ("CONCENTRIC_MAIL_FROM", "nobody", "pattern"),
        ("CONCENTRIC_MAIL_FROM", "a@b\nBcc: c@d", "pattern"),
    ],
)
def test_a_wrong_setting_is_named_with_how_to_mend_it_and_without_its_value(
    variable: str, value: str, helps: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.read({variable: value})
    assert variable in str(caught.value)
    assert helps in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "geheim" not in str(caught.value).replace("control-room.geheim", "")


def test_settings_show_no_secret() -> None:
    settings = Settings.read(
        {"CONCENTRIC_SMTP_URL": "smtps://u:geheim@h", "CONCENTRIC_WEBHOOKS": endpoint()}
    )
    shown = f"{settings!r} {settings.mail_server()!r} {settings.webhook_endpoints()!r}"
    assert "geheim" not in shown
    assert SECRET not in shown
