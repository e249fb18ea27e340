"""Settings: read from the environment once, at the start, and frozen from then on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from shared.domain.errors import ConfigurationError
from shared.outside import Endpoint, MailServer, read_endpoints


def _readable(read: Callable[[str], object]) -> AfterValidator:
    """Whether a secret can be understood; the value itself stands in no error."""

    def check(value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            read(value.get_secret_value())
        return value

    return AfterValidator(check)


def _case_url(text: str | None) -> str | None:
    if text is not None and not (text.startswith(("https://", "http://")) and "{case_id}" in text):
        raise ValueError("write an address with {case_id} in it")
    return text


class Settings(BaseModel):
    """Everything that differs from one installation to the next.

    The variables are listed with their meaning in `docs/operations.md`, which a test holds
    against this class.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    database_url: Annotated[SecretStr | None, Field(validation_alias="DATABASE_URL")] = None
    """PostgreSQL address; without one, each service keeps an SQLite file in the data folder."""
    amqp_url: Annotated[SecretStr | None, Field(validation_alias="AMQP_URL")] = None
    """RabbitMQ address, needed by `concentric serve`."""
    data: Annotated[Path, Field(validation_alias="CONCENTRIC_DATA")] = Path("var")
    """Folder of the SQLite files and of import reports."""
    policy: Annotated[Path | None, Field(validation_alias="CONCENTRIC_POLICY")] = None
    """The policy file."""
    host: Annotated[str, Field(validation_alias="CONCENTRIC_HOST")] = "127.0.0.1"
    """Address to which the HTTP server binds."""
    port: Annotated[int, Field(ge=0, le=65535, validation_alias="CONCENTRIC_PORT")] = 8080
    """Port of the HTTP server; 0 takes a free one."""
    public_url: Annotated[str | None, Field(validation_alias="CONCENTRIC_PUBLIC_URL")] = None
    """How people reach the installation from outside: the start of every rating link."""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(validation_alias="CONCENTRIC_LOG_LEVEL"),
    ] = "info"
    """The least important level that is still logged."""
    batch: Annotated[int, Field(ge=1, le=5000, validation_alias="CONCENTRIC_BATCH")] = 500
    """About the most events and commands that one transaction takes in, and five times as many of
    events that can wait."""
    outbox_rows: Annotated[
        int, Field(ge=1, le=100_000_000, validation_alias="CONCENTRIC_OUTBOX_ROWS")
    ] = 100_000
    """Messages that may wait for the bus; beyond that the service takes on nothing more."""
    outbox_bytes: Annotated[int, Field(ge=1, validation_alias="CONCENTRIC_OUTBOX_BYTES")] = 2**30
    """Their size, likewise."""
    drain: Annotated[float, Field(gt=0, validation_alias="CONCENTRIC_DRAIN_SECONDS")] = 20.0
    """Seconds that a stopping service has for the work that it has already taken on."""
    smtp_url: Annotated[
        SecretStr | None, _readable(MailServer.of), Field(validation_alias="CONCENTRIC_SMTP_URL")
    ] = None
    """The mail server by which people are told; without one nobody is told by mail."""
    mail_from: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9.-]+$",
            validation_alias="CONCENTRIC_MAIL_FROM",
        ),
    ] = "concentric@localhost"
    """The sender of those mails."""
    webhooks: Annotated[
        SecretStr | None, _readable(read_endpoints), Field(validation_alias="CONCENTRIC_WEBHOOKS")
    ] = None
    """The endpoints of webhooks, as JSON by their ids in the policy; without it none is called."""
    case_url: Annotated[
        str | None, AfterValidator(_case_url), Field(validation_alias="CONCENTRIC_CASE_URL")
    ] = None
    """Where people look at a case: the link in messages, with `{case_id}` in it."""

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None, **overrides: object) -> Settings:
        """The settings of the process, or of the environment handed in.

        Raises `ConfigurationError` that names every variable with a wrong value.
        """
        given = os.environ if environment is None else environment
        # An empty variable is one that was not set: that is how compose files leave one out.
        read = {name: value for name, value in given.items() if value}
        try:
            return cls.model_validate({**read, **overrides})
        except ValidationError as error:
            wrong = "\n".join(
                f"  {'.'.join(map(str, issue['loc']))}: {issue['msg']}" for issue in error.errors()
            )
            raise ConfigurationError(
                f"Settings that cannot be used, see docs/operations.md:\n{wrong}"
            ) from error

    def database(self) -> str | None:
        """The database address in the clear, for whoever opens it."""
        return self.database_url.get_secret_value() if self.database_url else None

    def amqp(self) -> str:
        """The broker address in the clear; raises `ConfigurationError` where there is none."""
        if self.amqp_url is None:
            raise ConfigurationError(
                "AMQP_URL is not set: give the RabbitMQ address, such as"
                " amqp://user:password@rabbitmq:5672/ — or use `concentric up`, which needs none."
            )
        return self.amqp_url.get_secret_value()

    @property
    def ways(self) -> frozenset[str]:
        """How people can be told outside the ledger: `mail`, `webhook`, both or neither."""
        given = (("mail", self.smtp_url), ("webhook", self.webhooks))
        return frozenset(way for way, setting in given if setting is not None)

    def mail_server(self) -> MailServer | None:
        """The mail server, where there is one."""
        return MailServer.of(self.smtp_url.get_secret_value()) if self.smtp_url else None

    def webhook_endpoints(self) -> Mapping[str, Endpoint]:
        """The endpoints of webhooks by their ids."""
        return read_endpoints(self.webhooks.get_secret_value()) if self.webhooks else {}
