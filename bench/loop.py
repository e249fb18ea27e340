"""Cases driven through the whole loop by the commands that anyone would use, and timed."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from time import perf_counter, sleep
from typing import NamedTuple, Protocol

import msgspec

from shared.domain.aggregates import HandlingState
from shared.domain.commands import RateReply, ReplyToCase, SubmitCase
from shared.domain.events import CaseClosed, CaseRouted, EvaluationRequested
from shared.domain.ids import case_id

BATCH = 100
"""Commands in one request, the same as the yardstick's batch."""

LOOK = 0.02
"""Seconds between two looks at the journal."""

SUBMITTERS, PLAYERS = 4, 8
"""How many submit cases at once, and how many answer and rate: each waits until it is done."""

ENTRIES = 7
"""Events of a case that lives through the loop: recorded, routed, due date set, answered, rating
asked for, rated, closed."""

HEARD = (CaseRouted.type, EvaluationRequested.type, CaseClosed.type)


class _Handling(msgspec.Struct):
    state: HandlingState
    unit: str


class _Data(msgspec.Struct):
    case_id: str
    handling: _Handling | None = None
    link: str = ""


class _Event(msgspec.Struct):
    data: _Data


_events = msgspec.json.Decoder(list[_Event]).decode


@dataclass(frozen=True, slots=True)
class Heard:
    """What a client takes from an event: no more than it acts on."""

    type: str
    case_id: str
    unit: str = ""
    """Who has to answer; empty if nobody has to."""
    link: str = ""

    @classmethod
    def in_pack(cls, type_: str, body: bytes) -> list[Heard]:
        """From the body of a message."""
        return [cls._of(type_, event.data) for event in _events(body)]

    @classmethod
    def _of(cls, type_: str, data: _Data) -> Heard:
        handling = data.handling
        awaited = type_ == CaseRouted.type and handling and handling.state is HandlingState.ROUTED
        return cls(type_, data.case_id, handling.unit if handling and awaited else "", data.link)


TEXT = "小区门口的路灯坏了一个星期，晚上走路很不安全，请尽快安排人员维修，谢谢。" * 6
"""About 200 characters, the median length of a real message."""


Given = dict[str, object]
"""A command's data, as whoever sends it writes it."""


class Door(Protocol):
    """A way into a running house."""

    def execute(self, kind: str, commands: Sequence[Given]) -> None:
        """Carry out commands of one type; raises where one is not done."""

    def hear(self, listener: Callable[[Sequence[Heard]], None]) -> None:
        """Call `listener` with the events of `HEARD`, from a thread of the bus."""


Journal = Callable[[], int]
"""How many entries the ledger's journal holds."""


class Pace(NamedTuple):
    """Seconds since the first of some cases was submitted."""

    closed: float
    """Until a listener has heard that the last one is closed."""
    entered: float
    """Until the ledger, which hears of everything last, has entered all that happened."""


@dataclass
class Loop:
    """Units and informants who answer and rate whatever comes to them."""

    door: Door
    journal: Journal
    run: str = field(default_factory=partial(secrets.token_hex, 4))
    """Part of the cases' external ids, so that runs do not meet."""
    started: dict[str, float] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    """Seconds from the submission to the closing, by case."""
    failure: Exception | None = None

    def __post_init__(self) -> None:
        self._closed = threading.Condition()
        self._players = ThreadPoolExecutor(PLAYERS, thread_name_prefix="player")
        self.door.hear(self._hear)

    def throughput(self, cases: int) -> Pace:
        """Submit so many cases in batches."""
        began, written = perf_counter(), self.journal()
        batches = [
            [self._case(number) for number in range(first, min(first + BATCH, cases))]
            for first in range(0, cases, BATCH)
        ]
        with ThreadPoolExecutor(SUBMITTERS) as submitters:
            list(submitters.map(self._submit, batches))
        self._wait(cases)
        closed = perf_counter() - began
        while self.journal() < written + cases * ENTRIES:
            sleep(LOOK)
        return Pace(closed, perf_counter() - began)

    def latency(self, cases: int, rate: float) -> list[float]:
        """Submit single cases at a steady rate per second; the sorted seconds that each took."""
        began = perf_counter()
        for number in range(cases):
            sleep(max(0.0, began + number / rate - perf_counter()))
            self._players.submit(self._submit, [self._case(number)])
        self._wait(cases)
        return sorted(self.took.values())

    def _case(self, number: int) -> Given:
        return {
            "source": "bench",
            "external_id": f"{self.run}-{number}",
            "channel": "message-board",
            "subject": f"路灯不亮 {self.run} {number}",
            "text": TEXT,
            "recorded_at": datetime.now(UTC),
            "informant": {"ref": f"user-{number}"},
        }

    def _submit(self, cases: Sequence[Given]) -> None:
        now = perf_counter()
        for case in cases:
            self.started[case_id("bench", str(case["external_id"]))] = now
        self.door.execute(SubmitCase.type, cases)

    def _hear(self, events: Sequence[Heard]) -> None:
        mine = [each for each in events if each.case_id in self.started]
        if mine:
            self._players.submit(self._play, mine)

    def _play(self, events: Sequence[Heard]) -> None:
        try:
            self._answer(events)
        except Exception as error:
            with self._closed:
                self.failure = error
                self._closed.notify()
            raise

    def _answer(self, events: Sequence[Heard]) -> None:
        now = perf_counter()
        replies: list[Given] = [
            {"case_id": event.case_id, "unit": event.unit, "reply": "已修好。"}
            for event in events
            if event.unit
        ]
        ratings: list[Given] = [
            {"token": event.link.rsplit("/", 1)[-1], "score": "satisfied"}
            for event in events
            if event.link
        ]
        closed = [event.case_id for event in events if event.type == CaseClosed.type]
        if replies:
            self.door.execute(ReplyToCase.type, replies)
        if ratings:
            self.door.execute(RateReply.type, ratings)
        if closed:
            with self._closed:
                self.took.update({case: now - self.started[case] for case in closed})
                self._closed.notify()

    def _wait(self, cases: int) -> None:
        with self._closed:
            done = self._closed.wait_for(
                lambda: len(self.took) >= cases or self.failure is not None, timeout=600
            )
        if self.failure is not None:
            raise self.failure
        self.door.hear(lambda _: None)
        if not done:
            raise TimeoutError(f"only {len(self.took)} of {cases} cases were closed in 600 s")
        self._players.shutdown()
