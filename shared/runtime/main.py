"""The start of a process: settings, logs, policy, one service on RabbitMQ, HTTP until a signal."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import random
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import sleep
from types import FrameType
from typing import TypeVar

import uvicorn
from starlette.applications import Starlette

from shared.bus.listeners import LISTENERS
from shared.domain.errors import ConcentricError, ConfigurationError, PolicyError, Unavailable
from shared.observe import logs
from shared.observe.metrics import Metrics
from shared.policy.engine.durable import Fault, OnFallback
from shared.policy.holder import PolicyHolder
from shared.runtime.host import Host
from shared.runtime.http import application
from shared.runtime.service import Service
from shared.runtime.versions import in_force
from shared.settings import Settings
from shared.storage.storage import Storage

M_ARENA_MAX = -8
"""The number of `mallopt(3)`'s option."""


TICK = 1.0
"""Seconds for which the date in the answers stands."""

LONGEST_PAUSE = 5.0
"""The longest pause between two tries while the database is away at the start, in seconds."""

T = TypeVar("T")


def run(service: Service) -> None:
    """Run one service in this process until SIGTERM or SIGINT, then drain it.

    Ends with 2 and a line in the log where it cannot start, such as on a newer schema.
    """
    try:
        _run(service)
    except ConcentricError as error:
        logs.logger(service.name).error("cannot start", reason=f"{error}")
        sys.exit(2)


def _run(service: Service) -> None:
    from shared.bus.rabbit import RabbitBus  # noqa: PLC0415 - pika is needed on RabbitMQ alone

    share_memory()
    settings = Settings.read()
    logs.configure(settings.log_level)
    metrics = Metrics()
    storage = Storage.open(
        settings.database(),
        service.name,
        service.metadata,
        service.migrations,
        folder=settings.data,
    )
    insist(lambda: migrate([storage]))
    known = insist(lambda: policies(settings, metrics, storage))
    watch = metrics.connections(service.name)
    bus = RabbitBus(settings.amqp(), name=service.name, listeners=LISTENERS, watch=watch)
    host = Host(service, storage, bus, known, metrics, settings)
    insist(host.listen)
    host.speak()
    collect_rarely()
    try:
        serve(application([host], metrics), settings)
    finally:
        host.stop()
        bus.close()


def insist(act: Callable[[], T]) -> T:
    """Do something at the start, waiting as long as the database is away."""
    pause = 0.25
    while True:
        try:
            return act()
        except Unavailable as away:
            logs.logger("start").warning("storage away", reason=f"{away}", pause=pause)
            sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, LONGEST_PAUSE)


def migrate(storages: Sequence[Storage]) -> None:
    """Bring schemas up to date, in a child process, whose memory is given back with it.

    Alembic takes 9 MB and is needed once in a release. What the child could not do is done, or
    told, here; so it is in a process with threads, which cannot fork.
    """
    if threading.active_count() == 1:
        child = os.fork()
        if child == 0:
            try:
                for storage in storages:
                    storage.migrate()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    for storage in storages:
        storage.migrate()


def share_memory() -> None:
    """Let all threads take memory from one place.

    glibc would give each thread a place of its own and return none of it: 9 MB in a whole house.
    Other C libraries have no such setting. Called before there are threads.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def collect_rarely() -> None:
    """Let the garbage collector look less often, and no more at what was there at the start.

    Events and rows hold no cycles and go when nobody holds them; looking for cycles among them took
    a third of all CPU time. What does form a cycle is still found, after 50,000 new objects.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


MANY_FAULTS = 1000
"""Different ones that are logged at most."""

EXAMPLE = Path("examples/policies/xiaoshan.yaml")
"""What a newcomer who names no policy begins with, in a copy of the project."""


def policies(settings: Settings, metrics: Metrics, storage: Storage) -> PolicyHolder:
    """The newest policy that was in force in a service's tables; in an empty house, the file.

    Raises `PolicyError` or `ConfigurationError`.
    """
    path = settings.policy or remembered(settings.data) or EXAMPLE
    fallback = noting(metrics)
    with storage.read() as connection:
        for stored in in_force(connection, datetime.now(UTC)):
            try:
                return PolicyHolder(path, on_fallback=fallback, stored=stored)
            except PolicyError as error:
                # an older one is better than none: the house goes on
                logs.logger("policy").error("stored policy cannot be used", reason=f"{error}")
    if path is EXAMPLE and not path.exists():
        raise ConfigurationError(
            "No policy: name the file with --policy or CONCENTRIC_POLICY, such as"
            " examples/policies/xiaoshan.yaml"
        )
    return PolicyHolder(path, on_fallback=fallback)


def noting(metrics: Metrics) -> OnFallback:
    """Counts each faulty decision, and logs each reason once: a mistaken row meets many cases."""
    log = logs.logger("policy")
    told: set[str] = set()

    def note(fault: Fault) -> None:
        metrics.policy_fallbacks.labels(fault.kind).inc()
        # An error's own words may quote what it met; rows are named by whoever wrote the policy.
        reason = fault.text if fault.kind == "overlap" else fault.text.partition(":")[0]
        if reason not in told and len(told) < MANY_FAULTS:
            told.add(reason)
            log.warning("decision at fault", kind=fault.kind, reason=reason)

    return note


def remembered(folder: Path) -> Path | None:
    """The policy by which the cases in a data folder were decided."""
    note = folder / "policy"
    return Path(note.read_text(encoding="utf-8").strip()) if note.exists() else None


def remember(folder: Path, policy: Path) -> None:
    """Note the policy for the next command that works in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy").write_text(f"{policy.resolve()}\n", encoding="utf-8")


def serve(
    app: Starlette, settings: Settings, announce: Callable[[str], None] = lambda _: None
) -> None:
    """Answer HTTP until SIGTERM or SIGINT; `announce` is told the address once it is bound.

    Raises `ConfigurationError` where the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"Port {settings.port} of {settings.host} cannot be used ({error.strerror}):"
            " choose another with --port or CONCENTRIC_PORT."
        ) from error
    port = listener.getsockname()[1]
    announce(f"http://{settings.host}:{port}")
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=int(settings.drain),
    )
    # uvicorn stops on these signals and then raises them once more, for whoever was there before:
    # that is us, and we drain.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    _Server(config).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Hears at once that it has to end, where uvicorn looks ten times a second."""

    _told: Callable[[], object] = staticmethod(lambda: None)

    async def main_loop(self) -> None:
        """Renew the date in the answers every second, until told to end."""
        end = asyncio.Event()
        self._told = partial(asyncio.get_running_loop().call_soon_threadsafe, end.set)
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(end.wait(), TICK)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came."""
        super().handle_exit(sig, frame)
        self._told()
