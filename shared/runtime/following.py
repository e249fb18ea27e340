"""Taking over the policy in force: from what was applied, and from the house's own file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

from shared.domain.errors import PolicyError, Unavailable
from shared.domain.policy import Policy, PolicyVersion
from shared.observe.logs import Logger
from shared.observe.metrics import Metrics
from shared.runtime.gateway import Gateway
from shared.runtime.handling import Context
from shared.runtime.service import Service
from shared.runtime.versions import newer


class Policies(Protocol):
    """Where the policy in force comes from."""

    @property
    def path(self) -> Path | None:
        """The house's own file; None where there is none to look at."""

    @property
    def known(self) -> int:
        """The highest number that was taken."""

    def at(self, now: datetime) -> Policy:
        """The policy in force."""

    def take(self, stored: PolicyVersion) -> bool:
        """Take a version over from its moment on; raises `PolicyError` where it cannot be used."""


class Following:
    """A service's way of keeping to the policy in force."""

    def __init__(
        self,
        service: Service,
        policies: Policies,
        gateway: Gateway,
        context: Callable[[], Context],
        metrics: Metrics,
        log: Logger,
    ) -> None:
        self._service = service
        self._policies = policies
        self._gateway = gateway
        self._context = context
        self._metrics = metrics
        self._log = log
        self._shown = ""
        """The version of the policy that the metrics show."""

    def watched(self) -> Callable[[], None] | None:
        """Look at the policy's file, and return how to look again.

        None where that is not the service's business.
        """
        watch, path = self._service.watch, self._policies.path
        if watch is None or path is None:
            return None
        look = watch(self._gateway, path)

        def look_at_file() -> None:
            with self._errors():
                look()

        look_at_file()  # what an operator has changed before the start is taken over with it
        self.follow()
        return look_at_file

    def follow(self) -> None:
        """Take over the versions that have been applied, each from its moment on.

        A replica that did not hear the event itself finds them here as well.
        """
        with suppress(Unavailable), self._gateway.read() as connection:
            for stored in newer(connection, self._policies.known):
                with self._errors():
                    self._policies.take(stored)
        version, name = self._context().policy.version, self._service.name
        if version != self._shown:
            with suppress(KeyError):  # not shown yet
                self._metrics.policy.remove(name, self._shown)
            self._shown = version
        self._metrics.policy.labels(name, version).set(1)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except PolicyError as error:
            self._metrics.policy_errors.labels(self._service.name).inc()
            self._log.warning("policy not taken over, the running one stays", reason=str(error))
