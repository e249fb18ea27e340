"""Three ways into a running house: inside its process, over HTTP, and over RabbitMQ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import httpx
from msgspec import Struct, json

from bench.loop import BATCH, HEARD, Given, Heard
from services.embedded.house import House
from shared.bus.codec import wire_type
from shared.bus.listeners import LISTENERS
from shared.bus.protocol import CLOUDEVENTS_BATCH, Bus, Delivery, Message, Subscription
from shared.bus.rabbit import RabbitBus
from shared.domain.commands import COMMANDS, RateReply, ReplyToCase, SubmitCase
from shared.domain.ids import new_id

Listener = Callable[[Sequence[Heard]], None]

EAR = Subscription("bench", HEARD)

SERVICES = {SubmitCase.type: "intake", ReplyToCase.type: "router", RateReply.type: "evaluation"}
"""Who carries out a command."""


class _Outcome(Struct):
    """What a client looks at of an answer."""

    problems: list[dict[str, str]]


_outcomes = json.Decoder(list[_Outcome]).decode


class EmbeddedDoor:
    """Commands through the gateways, events from the local bus."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._ear = _Ear(house.bus)

    def execute(self, kind: str, commands: Sequence[Given]) -> None:
        """Carry out commands of one type; raises where one is not done."""
        read = COMMANDS[kind].model_validate
        gateway = self._house.hosts[SERVICES[kind]].gateway
        for outcome in gateway.execute_all([read(each) for each in commands]):
            if isinstance(outcome, Exception):
                raise outcome

    def hear(self, listener: Listener) -> None:
        """Tell this listener from now on, and no other."""
        self._ear.listener = listener


class RemoteDoor:
    """Commands over HTTP in bulk, events from RabbitMQ, as an integrator has them."""

    def __init__(self, urls: Mapping[str, str], amqp: str) -> None:
        self._clients = {
            name: httpx.Client(base_url=url, timeout=60.0) for name, url in urls.items()
        }
        self._bus = RabbitBus(amqp, name="bench", listeners=(*LISTENERS, EAR))
        self._ear = _Ear(self._bus)

    def execute(self, kind: str, commands: Sequence[Given]) -> None:
        """Carry out commands of one type; raises where one is not done."""
        for first in range(0, len(commands), BATCH):
            answer = self._clients[SERVICES[kind]].post(
                f"/commands/{kind}/batch",
                content=json.encode(commands[first : first + BATCH]),
                headers={"content-type": "application/json"},
            )
            answer.raise_for_status()
            for outcome in _outcomes(answer.content):
                if outcome.problems:
                    raise RuntimeError(outcome.problems)

    def hear(self, listener: Listener) -> None:
        """Tell this listener from now on, and no other."""
        self._ear.listener = listener

    def close(self) -> None:
        """Let go of every connection."""
        self._bus.close()
        for client in self._clients.values():
            client.close()


class QueueDoor:
    """Commands as messages, so many in each; events from RabbitMQ."""

    def __init__(self, amqp: str, pack: int) -> None:
        self._pack = pack
        self._bus = RabbitBus(amqp, name="bench", listeners=(*LISTENERS, EAR))
        self._ear = _Ear(self._bus)

    def execute(self, kind: str, commands: Sequence[Given]) -> None:
        """Hand commands over; their type leads them to a service. One refused is never closed."""
        self._bus.publish(
            [
                _message(kind, commands[first : first + self._pack])
                for first in range(0, len(commands), self._pack)
            ]
        )

    def hear(self, listener: Listener) -> None:
        """Tell this listener from now on, and no other."""
        self._ear.listener = listener

    def close(self) -> None:
        """Let go of every connection."""
        self._bus.close()


def _message(kind: str, commands: Sequence[Given]) -> Message:
    now = datetime.now(UTC)
    events = [
        {
            "specversion": "1.0",
            "id": new_id(),
            "type": wire_type(kind),
            "source": "/bench",
            "time": now,
            "data": command,
        }
        for command in commands
    ]
    return Message(new_id(), kind, json.encode(events), CLOUDEVENTS_BATCH)


class _Ear:
    """One subscription, whoever listens."""

    def __init__(self, bus: Bus) -> None:
        self.listener: Listener = lambda _: None
        self._consumer = bus.subscribe(EAR, self._deliver)

    def _deliver(self, delivery: Delivery) -> None:
        message = delivery.message
        self.listener(Heard.in_pack(message.key, message.body))
        self._consumer.ack([delivery])
