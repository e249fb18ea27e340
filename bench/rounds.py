"""Bursts of cases and looks at the yardstick by turns: a shared machine changes its pace."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import mean, median
from time import sleep

from bench.measure import Burst
from bench.yardstick import HOPS, chain
from tests.support.servers import fresh
from tests.support.servers.server import Server

REST = 2.0
"""Seconds for the servers to put away what the last burst left them, which is no part of the next.
"""


@dataclass
class Variant:
    """A way to put cases into a house, and what its bursts gave."""

    name: str
    burst: Callable[[int], Burst]
    """Runs so many cases through the whole loop."""
    latencies: Sequence[float]
    """Seconds of each single case at light load, sorted."""
    bursts: list[Burst] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    """The yardstick's seconds, right before and right after each burst, their mean."""

    def seconds(self, what: str) -> float:
        """Of a burst, until all is `closed` or `entered`; the median."""
        return median(self._paces(what))

    def ratios(self, what: str) -> list[float]:
        """Each burst's pace to the yardstick's beside it."""
        both = zip(self.beside, self._paces(what), strict=True)
        return [beside / pace for beside, pace in both]

    def _paces(self, what: str) -> list[float]:
        return [float(getattr(pace, what)) for pace, _ in self.bursts]

    def latency(self, share: float) -> float:
        """Seconds within which such a share of the single cases was closed."""
        return self.latencies[int(len(self.latencies) * share)]

    def processor_seconds(self) -> dict[str, float]:
        """Processor time of a burst by part; the mean."""
        used = [usage.cpu_seconds for _, usage in self.bursts]
        return {part: mean(each[part] for each in used) for part in used[0]}


@dataclass
class Yardstick:
    """Bare chains of pika scripts on the same servers as the houses."""

    broker: Server
    database: Server
    storing: list[float] = field(default_factory=list)
    """Seconds of each look."""
    passing: list[float] = field(default_factory=list)
    """The same of the chain that stores nothing."""

    def look(self, cases: int) -> float:
        """Seconds of the chain that stores its cases."""
        with fresh.vhost(self.broker) as amqp, fresh.database(self.database) as url:
            self.storing.append(chain(amqp, cases, url))
        return self.storing[-1]

    def look_aside(self, cases: int) -> None:
        """Run the chain that stores nothing; it is not what a house is measured by."""
        with fresh.vhost(self.broker) as amqp:
            self.passing.append(chain(amqp, cases))


def by_turns(variants: Sequence[Variant], yardstick: Yardstick, cases: int, rounds: int) -> None:
    """Run bursts of each variant, with a look at the yardstick before and after each."""
    before = yardstick.look(cases)
    for number in range(1, rounds + 1):
        for variant in variants:
            say(f"round {number} of {rounds}: {cases} cases, {variant.name}, then {HOPS} bare hops")
            sleep(REST)
            variant.bursts.append(variant.burst(cases))
            sleep(REST)
            after = yardstick.look(cases)
            variant.beside.append((before + after) / 2)
            before = after
        yardstick.look_aside(cases)


def say(what: str) -> None:
    """Tell whoever waits what is being done."""
    print(f"bench: {what}", file=sys.stderr, flush=True)
