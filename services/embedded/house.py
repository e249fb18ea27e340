"""All services in one process, joined by the local bus."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

from services.embedded.catalogue import NAMES, load
from shared.bus.local import LocalBus
from shared.domain.errors import ConfigurationError
from shared.observe.metrics import Metrics
from shared.policy.holder import PolicyHolder
from shared.runtime.host import Host
from shared.runtime.main import collect_rarely, migrate, policies, remember, share_memory
from shared.settings import Settings
from shared.storage.storage import Storage


def open_storage(settings: Settings, name: str) -> Storage:
    """The storage of one service, wherever the settings say that it is."""
    service = load(name)
    return Storage.open(
        settings.database(), name, service.metadata, service.migrations, folder=settings.data
    )


PATIENCE = 10.0
"""Seconds that the start of a house waits for a changed policy to be in force, at most."""


class House:
    """Every service, started and stopped together."""

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime] | None = None) -> None:
        """Open everything; raises `PolicyError` or `ConfigurationError` where that cannot be."""
        self.metrics = Metrics()
        storages = {name: open_storage(settings, name) for name in NAMES}
        migrate(list(storages.values()))
        self.policies: PolicyHolder = policies(settings, self.metrics, storages["router"])
        self.bus = LocalBus()
        self._settings = settings
        floor = threading.Lock()
        for storage in storages.values():
            if not storage.backend.is_remote:
                storage.floor = floor
        self.hosts = {
            name: Host(
                load(name),
                storages[name],
                self.bus,
                self.policies,
                self.metrics,
                settings,
                clock=clock,
            )
            for name in NAMES
        }

    def start(self) -> None:
        """Start every service."""
        for host in self.hosts.values():
            host.listen()
        for host in self.hosts.values():
            host.speak()
        # whoever named another file means it for the first case as well
        until = monotonic() + PATIENCE
        while self.policies.coming and monotonic() < until:
            sleep(0.05)
            self.hosts["router"].context()

    def stop(self) -> None:
        """Drain the house: what is under way goes where it is bound for, then everybody ends.

        What is not there in time stays in its sender's outbox, for the next start.
        """
        for host in self.hosts.values():
            host.stop_ticking()
        self.quiet(self._settings.drain)
        for host in self.hosts.values():
            host.stop_listening()
        for host in self.hosts.values():
            host.stop()
        self.bus.close()

    def quiet(self, seconds: float = 60.0) -> bool:
        """Wait until nothing is on its way any more; False if it still is after so long.

        What moves from one service to the next is at every moment in one's hands or the other's;
        a look at all of them can miss it only if somebody committed meanwhile.
        """
        until = monotonic() + seconds
        while monotonic() < until:
            before = self._transactions()
            if all(host.idle for host in self.hosts.values()) and before == self._transactions():
                return True
            sleep(0.01)
        return False

    def _transactions(self) -> int:
        return sum(host.transactions for host in self.hosts.values())


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep a second process out of a data folder; raises `ConfigurationError` if one is in."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(
                f"Another process works in {folder}: stop it, or reach it with --url"
                " (such as --url http://127.0.0.1:8080)."
            ) from error
        yield


@contextmanager
def running(settings: Settings) -> Iterator[House]:
    """A started house, alone in its data folder, drained at the end."""
    share_memory()
    with alone_in(settings.data):
        if settings.policy is not None:
            remember(settings.data, settings.policy)
        house = House(settings)
        house.start()
        collect_rarely()
        try:
            yield house
        finally:
            house.stop()
