"""One seed's history: who acts next, what goes wrong, and how everything comes to rest."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import structlog

from services.embedded.catalogue import NAMES, load
from shared.observe.metrics import Metrics
from shared.settings import Settings
from tests.simulation import checks, rules
from tests.simulation.broker import Broker
from tests.simulation.chance import Chance, ruled_by
from tests.simulation.people import People
from tests.simulation.records import Broken, Records
from tests.simulation.replica import House, Replica
from tests.simulation.storing import lay_out, new_folder

ACTS = 500
"""How many things happen in a history before the faults stop."""

ROUNDS = 400
"""Rounds in which everything has to come to rest, each of them with all the work that there is."""

SETTINGS = {
    "CONCENTRIC_SMTP_URL": "smtp+plain://mail.invalid:25",
    "CONCENTRIC_WEBHOOKS": '{"control-room": {"url": "https://control-room.invalid/",'
    ' "secrets": ["whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="]}}',
}
"""Ways to tell people are set up; nobody is called, the simulator answers for them."""


@dataclass(frozen=True)
class Outcome:
    """How a history ended."""

    seed: int
    trace: list[str]
    broken: str | None = None
    """What did not hold, where something did not."""


def run(seed: int) -> Outcome:
    """Live one history and check it."""
    chance = Chance(seed)
    records = Records(chance)
    with new_folder() as folder, ruled_by(chance), _logs() as logs:
        history = History(chance, records, Path(folder))
        try:
            history.live()
            history.rest()
            checks.check(history, logs)
        except Broken as broken:
            records.tell("the observer", f"FINDS: {broken}")
            return Outcome(seed, records.trace, f"{broken}")
        except Exception as error:  # noqa: BLE001 - a history that cannot be lived is a finding
            records.trace.extend(traceback.format_exc().splitlines())
            return Outcome(seed, records.trace, f"{type(error).__name__}: {error}")
        finally:
            history.close()
    return Outcome(seed, records.trace)


class History:
    """A house, its people, its broker, and what befalls them."""

    def __init__(self, chance: Chance, records: Records, folder: Path) -> None:
        lay_out(folder)
        policy = folder / "policy.yaml"
        policy.write_text(rules.FIRST, encoding="utf-8")
        settings = Settings.read(SETTINGS, data=folder, batch=chance.one_of((6, 20, 100)))
        self.chance, self.records = chance, records
        self.broker = Broker(chance, records.tell, records.hear)
        self.house = House(folder, policy, settings, _metrics(), chance, self.broker, records)
        self.replicas: Mapping[str, list[Replica]] = {name: [] for name in NAMES}
        for name in NAMES:
            service = load(name)
            self.broker.declare(service.subscription())
            for number in range(2 if chance.tenth(3) else 1):
                self.replicas[name].append(Replica(service, f"{name}-{number + 1}", self.house))
        self.everybody = [each for name in NAMES for each in self.replicas[name]]
        self.people = People(chance, self.broker, records, self.replicas)

    def live(self) -> None:
        """So many things happen, in an order that the seed decides."""
        for replica in self.everybody:
            replica.start()
        acts = (
            *(self._deliver,) * 12, *(self._work,) * 12, *(self._publish,) * 10, *(self._tick,) * 5,
            *(self.people.act,) * 5, self._let_time_pass, self._post, self._trouble,
            *(self._restart,) * 4,
        )  # fmt: skip
        for _ in range(ACTS):
            self.chance.one_of(acts)()

    def rest(self) -> None:
        """The faults stop, everybody is up, and what is under way comes to its end.

        Then days pass, so that what is still open falls due, and everything comes to rest again.
        """
        self.chance.faults = False
        self.records.tell("the observer", "stops the faults")
        self._settle()
        for days in (2, 12):
            self.chance.pass_by(timedelta(days=days))
            self.records.tell("the observer", f"lets {days} days pass")
            self._settle()

    def close(self) -> None:
        """Let go of every file."""
        for replica in self.everybody:
            if replica.up:
                replica.crash("at the end")

    def _settle(self) -> None:
        quiet = 0
        for _ in range(ROUNDS):
            if self._round():
                quiet = 0
                continue
            quiet += 1
            # What a replica committed and did not publish is looked for after some seconds.
            self.chance.pass_by(timedelta(seconds=45))
            if quiet == 2:
                return
        raise Broken(f"the house does not come to rest within {ROUNDS} rounds")

    def _round(self) -> bool:
        """Everybody does all there is; whether there was anything."""
        before = len(self.records.trace)
        moved = self.people.finish()
        for replica in self.everybody:
            if not replica.up:
                replica.start()
            replica.follow()
            for place in range(replica.timers):
                replica.tick(place)
            queue = self.broker.queues[replica.service.name]
            while queue.waiting and not replica.full:
                replica.reader.take()
            while replica.busy:
                replica.work()
            while replica.publish():
                moved = True
            while replica.post():
                moved = True
        return moved or len(self.records.trace) > before

    # ── what can happen ───────────────────────────────────────────────────────────────────────

    def _up(self) -> list[Replica]:
        return [each for each in self.everybody if each.up]

    def _some(self, wanted: Callable[[Replica], bool]) -> Iterator[Replica]:
        """One of the replicas of which that is true, if any is."""
        found = [each for each in self._up() if wanted(each)]
        if found:
            yield self.chance.one_of(found)

    def _deliver(self) -> None:
        def can(replica: Replica) -> bool:
            return bool(self.broker.queues[replica.service.name].waiting) and not replica.full

        for replica in self._some(can):
            for _ in range(self.chance.dice.randrange(1, 6)):
                if can(replica):
                    replica.reader.take()

    def _work(self) -> None:
        for replica in self._some(lambda each: each.busy):
            replica.work()

    def _publish(self) -> None:
        for replica in self._some(lambda each: not each.relay.idle):
            replica.publish()

    def _tick(self) -> None:
        for replica in self._some(lambda each: not each.full):
            if replica.timers and self.chance.tenth(7):
                replica.tick(self.chance.dice.randrange(replica.timers))
            else:
                replica.follow()
                replica.publish()

    def _post(self) -> None:
        for replica in self._some(lambda each: each.service.background is not None):
            replica.post()

    def _let_time_pass(self) -> None:
        seconds = self.chance.one_of((1, 5, 15, 60, 3600, 7200, 30_000, 90_000, 200_000))
        self.chance.pass_by(timedelta(seconds=seconds))

    def _restart(self) -> None:
        down = [each for each in self.everybody if not each.up]
        if down:
            self.chance.one_of(down).start()

    def _trouble(self) -> None:
        kind = self.chance.dice.randrange(12)
        if kind < 4:
            for replica in self._some(lambda _: True):
                replica.crash("out of the blue")
        elif kind < 7:
            for replica in self._some(lambda _: True):
                replica.reader.lose()
        elif kind < 8:
            self.records.tell("the power", "fails")
            for replica in self._up():
                replica.crash("with all others")
        elif kind < 9:
            self.people.sabotage()


@cache
def _metrics() -> Metrics:
    """One registry for a whole run of histories: making it takes as long as some of them."""
    return Metrics()


@contextmanager
def _logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """Keep what is logged, instead of printing it."""
    kept: list[MutableMapping[str, Any]] = []
    before = structlog.get_config()

    def keep(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> Any:
        kept.append(entry)
        raise structlog.DropEvent

    structlog.configure(processors=[keep], cache_logger_on_first_use=False)
    try:
        yield kept
    finally:
        with suppress(KeyError):
            structlog.configure(**before)
