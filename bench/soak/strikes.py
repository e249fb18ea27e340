"""What befalls an installation: a service, the broker or the database is killed or restarted."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import monotonic, sleep

from services.embedded.catalogue import NAMES
from tests.support.installation import Installation
from tests.support.servers import Server

KINDS = (
    "service kill",
    "service restart",
    "broker kill",
    "broker restart",
    "database kill",
    "database restart",
)
"""A kill is SIGKILL, as a power cut; a restart lets it finish what it does."""

WEIGHTS = (6, 3, 1, 1, 2, 2)
"""How often each befalls a house of six services, relative to the others."""

AWAY = (0.0, 4.0)
"""Seconds between the end and the new start, from and to."""

QUIET = (2.0, 6.0)
"""Seconds between one recovery and the next strike, from and to."""

PATIENCE = 120.0
"""Seconds in which a house has to recover."""


@dataclass(frozen=True)
class Strike:
    """One of them."""

    kind: str
    target: str
    away: float
    """Seconds for which it is away."""
    pause: float
    """Seconds before it."""


def at_random(seed: int) -> Iterator[Strike]:
    """Strikes without an end; the same for the same seed."""
    chance = random.Random(seed)
    while True:
        [kind] = chance.choices(KINDS, WEIGHTS)
        yield _strike(kind, chance)


def one_of_each(seed: int) -> Iterator[Strike]:
    """A kill of a service, of the broker and of the database, and a restart; all are short."""
    chance = random.Random(seed)
    for kind in ("service kill", "broker kill", "database kill", "service restart"):
        yield replace(_strike(kind, chance), away=0.2, pause=0.5)


def _strike(kind: str, chance: random.Random) -> Strike:
    thing = kind.split(maxsplit=1)[0]
    target = chance.choice(NAMES) if thing == "service" else thing
    return Strike(kind, target, chance.uniform(*AWAY), chance.uniform(*QUIET))


class NotRecovered(AssertionError):
    """The house did not come back by itself."""


@dataclass(frozen=True)
class Site:
    """What can be struck."""

    installation: Installation
    broker: Server
    database: Server

    def suffer(self, strike: Strike) -> float:
        """Let it happen; the seconds until a case that was accepted after it is closed.

        The seconds for which the target was kept away are among them.
        """
        began = monotonic()
        end, start = self._target(strike)
        end()
        ended = monotonic()
        sleep(strike.away)
        start()
        load = self.installation.load
        while not any(load.submitted.get(each, 0.0) > ended for each in list(load.closed)):
            if load.failures:
                raise load.failures[0]
            if monotonic() - began > PATIENCE:
                raise NotRecovered(f"no case came through {PATIENCE:.0f} s after a {strike.kind}")
            sleep(0.05)
        return monotonic() - began

    def check_alive(self) -> None:
        """Nothing has ended that was not struck."""
        for name, process in self.installation.running.items():
            if process.code is not None:
                raise NotRecovered(f"{name} ended with {process.code}:\n{process.said[-2000:]}")

    def _target(self, strike: Strike) -> tuple[Callable[[], object], Callable[[], object]]:
        thing, how = strike.kind.split()
        if thing == "service":
            process = self.installation.running[strike.target]
            return (process.kill if how == "kill" else process.stop), process.launch
        server = self.broker if thing == "broker" else self.database
        return (server.kill if how == "kill" else server.stop), server.start
