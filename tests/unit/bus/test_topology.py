"""Names and arguments that all services declare alike, and that old and new brokers take."""

from shared.bus.protocol import Subscription
from shared.bus.topology import (
    COMMANDS_EXCHANGE,
    EVENTS_EXCHANGE,
    PARKED,
    Binding,
    exchange_of,
    matches,
    topology,
)
from shared.domain.commands import COMMANDS
from shared.domain.events import EVENTS

ROUTER = Subscription("router", events=("case.recorded",), commands=("accept-case",))
LEDGER = Subscription("ledger", events=("#",))


def test_each_service_has_a_queue_with_the_arguments_that_3_10_and_4_both_take() -> None:
    parking, router, given_up = topology([ROUTER]).queues

    assert router.name == "concentric.router.v1"
    assert router.arguments == {
        "x-queue-type": "quorum",
        "x-delivery-limit": 20,
        "x-dead-letter-exchange": "concentric.parked.v1",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
    assert given_up.name == "concentric.router.parked.v1"
    assert given_up.arguments["x-dead-letter-routing-key"] == PARKED, "what it cannot read either"
    assert parking.name == PARKED
    assert parking.arguments["x-delivery-limit"] == 1_000_000, "else 4.x drops what is looked at"


def test_queues_are_bound_to_what_they_subscribe_to_and_every_service_to_what_was_given_up() -> (
    None
):
    assert set(topology([ROUTER, LEDGER]).bindings) == {
        Binding(PARKED, "concentric.router.parked.v1", ""),
        Binding(PARKED, "concentric.ledger.parked.v1", ""),
        Binding(EVENTS_EXCHANGE, "concentric.router.v1", "case.recorded"),
        Binding(COMMANDS_EXCHANGE, "concentric.router.v1", "accept-case"),
        Binding(EVENTS_EXCHANGE, "concentric.ledger.v1", "#"),
    }


def test_commands_and_events_go_through_exchanges_of_their_own() -> None:
    assert {exchange_of(key) for key in EVENTS} == {EVENTS_EXCHANGE}
    assert {exchange_of(key) for key in COMMANDS} == {COMMANDS_EXCHANGE}


def test_a_subscription_matches_exact_keys_and_all_events_but_never_a_foreign_command() -> None:
    assert matches(ROUTER, "case.recorded")
    assert not matches(ROUTER, "case.closed")
    assert matches(ROUTER, "accept-case")
    assert not matches(ROUTER, "submit-case")
    assert matches(LEDGER, "case.closed")
    assert not matches(LEDGER, "accept-case")
