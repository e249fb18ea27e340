"""A service acknowledges all that it takes on, also what reaches it before it has sat down."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from time import sleep

from services.router.service import ROUTER
from shared.bus.codec import encode
from shared.bus.local import LocalBus, LocalConsumer
from shared.bus.protocol import Delivery, Message, Subscription
from shared.domain.ids import new_id
from shared.observe.metrics import Metrics
from shared.policy.holder import PolicyHolder
from shared.runtime.host import Host
from shared.settings import Settings
from tests.support.machine import POLICIES, in_envelope, recorded, storage_of


class EagerBus(LocalBus):
    """Delivers before `subscribe` has returned, as a broker does on a busy machine."""

    def __init__(self, waiting: Message) -> None:
        super().__init__()
        self._sender = threading.Thread(target=self.publish, args=[[waiting]], daemon=True)

    def subscribe(
        self, subscription: Subscription, deliver: Callable[[Delivery], None]
    ) -> LocalConsumer:
        """Subscribe, and let the reader have its first message long before it knows of it."""
        consumer = super().subscribe(subscription, deliver)
        if subscription.service == "router":
            self._sender.start()
            sleep(0.5)
        return consumer

    def acknowledged(self) -> bool:
        """Whether the message was acknowledged within some seconds."""
        self._sender.join(5)
        return not self._sender.is_alive()


def test_what_is_delivered_before_subscribing_has_ended_is_acknowledged(tmp_path: Path) -> None:
    case = recorded("early")
    bus = EagerBus(Message(new_id(), case.type, encode([in_envelope(case)])))
    policy = PolicyHolder(POLICIES / "message-board.yaml")
    settings = Settings.read({}, data=tmp_path, drain=1.0)
    host = Host(ROUTER, storage_of(ROUTER, tmp_path), bus, policy, Metrics(), settings)

    host.listen()

    try:
        assert bus.acknowledged()
    finally:
        host.stop_listening()
        host._worker.stop()
        host._worker.join(5)
        host.storage.close()
