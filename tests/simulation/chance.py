"""Everything that is left to chance or to the hour, from one seed: ids, tokens, clocks, faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import TypeVar
from unittest.mock import patch

from services.router import policies
from shared.domain.ids import digest
from shared.domain.model import EPOCH
from shared.policy import CompiledPolicy
from tests.simulation import rules

T = TypeVar("T")

NARROW: Mapping[str, int] = {
    "tests.simulation.broker.Wire.room": 4000,
    "shared.runtime.relay.CATCH_UP": 2,
    "shared.storage.tx.PART": 1,
    "services.deadline.store.MOST": 2,
    "services.deadline.calendars.BATCH": 2,
    "services.evaluation.store.MOST": 1,
}
"""Limits that no short history would reach as they are: in every other one they are these."""

MONDAY = datetime(2026, 3, 2, 1, tzinfo=UTC)
"""Nine o'clock in the morning in the house, when every history begins."""

TICK = timedelta(microseconds=1)


class Crash(BaseException):
    """A process ends here, without a word. No handler of errors may catch it."""


class Chance:
    """One seed's clock and dice. Whatever is drawn is drawn in one order, so it is drawn again."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.ids = Random(seed)
        """Of its own, so that another id changes no other draw."""
        self.now = MONDAY
        self.faults = True
        """Whether anything goes wrong by itself; off while a history comes to rest."""
        self._drawn = 0
        self._seed = seed

    def strikes(self, share: float) -> bool:
        """Whether a fault of this probability happens now."""
        return self.faults and self.dice.random() < share

    def tenth(self, tenths: int) -> bool:
        """Whether something happens in so many of ten cases; no fault, so also at rest."""
        return self.dice.random() * 10 < tenths

    def one_of(self, things: Sequence[T]) -> T:
        """Any of them."""
        return self.dice.choice(things)

    def pass_by(self, time: timedelta) -> None:
        """Let time pass for everybody."""
        self.now += time

    def moment(self) -> datetime:
        """The present; no two looks at the clock find the same."""
        self.now += TICK
        return self.now

    def seconds(self) -> float:
        """What a clock shows that nobody can set."""
        return (self.now - MONDAY).total_seconds()

    def nanoseconds(self) -> int:
        """The present as the operating system tells it."""
        return (self.moment() - EPOCH) // TICK * 1000

    def octets(self, number: int) -> bytes:
        """Bytes that nobody can guess, except by the seed."""
        self._drawn += 1
        return blake2b(f"{self._seed}/{self._drawn}".encode(), digest_size=number).digest()

    def token(self, _octets: int) -> str:
        """A token that nobody can guess, likewise."""
        return digest(self.octets(16).hex())


class _Trials:
    """Stands for the trials of candidates, which take a child process a second each."""

    @staticmethod
    def hold(content: str) -> None:
        """It has been tried."""

    @staticmethod
    def passed(content: str) -> str:
        """It has passed."""
        return rules.version_of(content)


def _load(path: Path, _on_fallback: object = None) -> CompiledPolicy:
    return rules.compiled(path.read_bytes())


def _parse(_file: str, content: bytes, _on_fallback: object = None) -> CompiledPolicy:
    return rules.compiled(content)


@contextmanager
def ruled_by(chance: Chance) -> Iterator[None]:
    """For a while nothing in this process depends on anything but the seed."""
    clock = SimpleNamespace(now=lambda _zone: chance.moment())
    replaced: dict[str, object] = {
        "shared.domain.ids.time": SimpleNamespace(time_ns=chance.nanoseconds),
        "shared.domain.ids._CHANCE": chance.ids,
        "shared.domain.ids.secrets": SimpleNamespace(token_urlsafe=chance.token),
        "shared.runtime.relay.datetime": clock,
        "shared.runtime.relay.monotonic": chance.seconds,
        "shared.runtime.relay.random": chance.dice,
        "shared.runtime.worker.QUIET": 0,
        "shared.runtime.worker.IDLE": 0,
        "shared.runtime.worker.random": chance.dice,
        "services.notify.sender.random": chance.dice,
        "shared.policy.holder.load_policy": _load,
        "shared.policy.holder.parse_policy": _parse,
    }
    narrow = NARROW if chance.tenth(5) else {}
    with ExitStack() as stack:
        for name, stand_in in {**replaced, **narrow}.items():
            stack.enter_context(patch(name, stand_in))
        stack.enter_context(patch.object(policies, "TRIALS", _Trials()))
        yield
