"""Whoever erases looks for rows that were committed, so nothing else is in its transaction."""

from __future__ import annotations

from shared.bus.protocol import Delivery, Message
from shared.runtime.work import goes_alone


def test_a_message_that_erases_is_handled_alone() -> None:
    assert goes_alone(Delivery(Message("1", "case.erased", b"[]"), 1))
    assert not goes_alone(Delivery(Message("1", "case.closed", b"[]"), 1))
