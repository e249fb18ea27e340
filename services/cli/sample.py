"""Sample cases that live through the loop: units and informants are played, the loop is real.

Each line of a sample file is one case: `{"case": SUBMISSION, "rounds": [ROUND, …]}`, a round being
what the unit and the informant do about it:
`{"transfer": {"to_unit": …, "reason": …}, "reply": …, "rating": {"score": …, "comment": …}}`, each
part of which may be left out. A case without rounds stays open.
"""

from __future__ import annotations

import json
import queue
from collections.abc import Mapping
from pathlib import Path
from time import sleep
from typing import Any

from rich.console import Console

from services.embedded.house import House
from shared.bus.codec import Envelope, decode
from shared.bus.protocol import Delivery, Subscription
from shared.domain.commands import (
    AcceptCase,
    Command,
    RateReply,
    ReplyToCase,
    SubmitCase,
    TransferCase,
)
from shared.domain.errors import ConcentricError, ConfigurationError
from shared.domain.events import CaseRouted, CaseTransferred, EvaluationRequested

PACE = 0.15
"""Seconds between two acts, so that one can watch the figures move."""

PATIENCE = 10.0
"""Seconds without anything to do after which the play is over."""

Script = Mapping[str, Any]


def live_through(path: Path, house: House, console: Console) -> None:
    """Submit the cases of a file and play their parts, by the commands that anyone would use."""
    try:
        scripts = read_scripts(path)
        players = _Players(house, scripts)
        played = players.play()
    except ConcentricError as error:
        console.print(f"[red]The sample stopped:[/red] {error}")
        return
    console.print(f"The sample has been played: {len(scripts)} cases, {played} acts")


def read_scripts(path: Path) -> dict[str, Script]:
    """The scripts of a sample file by case id; raises `ConfigurationError` that names the line."""
    scripts: dict[str, Script] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            script = json.loads(line)
            scripts[SubmitCase.model_validate(script["case"]).about] = script
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(f"{path}, line {number}: {error}") from error
    return scripts


class _Players:
    """Hears what the house asks of units and informants, and does what their scripts say."""

    def __init__(self, house: House, scripts: Mapping[str, Script]) -> None:
        self._house = house
        self._scripts = scripts
        self._heard: queue.Queue[Envelope] = queue.Queue()
        subscription = Subscription(
            "sample", (CaseRouted.type, CaseTransferred.type, EvaluationRequested.type)
        )
        self._consumer = house.bus.subscribe(subscription, self._hear)

    def _hear(self, delivery: Delivery) -> None:
        for envelope in decode(delivery.message):
            if isinstance(envelope, Envelope) and envelope.subject in self._scripts:
                self._heard.put(envelope)
        self._consumer.ack([delivery])

    def play(self) -> int:
        """Play until nothing more is asked of anybody; the number of acts."""
        acts = 0
        for script in self._scripts.values():
            self._act("intake", SubmitCase.model_validate(script["case"]))
            acts += 1
        while True:
            try:
                envelope = self._heard.get(timeout=PATIENCE)
            except queue.Empty:
                return acts
            for service, command in self._answer(envelope):
                sleep(PACE)
                self._act(service, command)
                acts += 1

    def _act(self, service: str, command: Command) -> None:
        self._house.hosts[service].gateway.execute(command)

    def _answer(self, envelope: Envelope) -> list[tuple[str, Command]]:
        event = envelope.data
        if isinstance(event, EvaluationRequested):
            rating = self._round(event.case_id, event.judgement.standing.round).get("rating")
            token = event.link.rsplit("/", 1)[-1]
            return [("evaluation", RateReply(token=token, **rating))] if rating else []
        if isinstance(event, CaseRouted | CaseTransferred):
            return self._handle(event)
        return []

    def _handle(self, event: CaseRouted | CaseTransferred) -> list[tuple[str, Command]]:
        unit, case_id = event.handling.unit, event.case_id
        part = self._round(case_id, event.handling.standing.round)
        transfer = part.get("transfer")
        if transfer and isinstance(event, CaseRouted) and transfer["to_unit"] != unit:
            return [("router", TransferCase(case_id=case_id, unit=unit, **transfer))]
        if not part.get("reply") or not event.handling.answer_owed:
            return []
        return [
            ("router", AcceptCase(case_id=case_id, unit=unit)),
            ("router", ReplyToCase(case_id=case_id, unit=unit, reply=part["reply"])),
        ]

    def _round(self, case_id: str, number: int) -> Script:
        rounds = self._scripts[case_id].get("rounds", [])
        return rounds[number - 1] if number <= len(rounds) else {}
