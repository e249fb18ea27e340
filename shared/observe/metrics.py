"""The metrics that every service has; those of the books are the ledger's.

One registry per process. No label ever carries a case, a person or a text: their values come
from the code and from the policy alone, so that their number is bounded.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
DELAYS = (0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 36000, 86400)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class Metrics:
    """All metrics of one process."""

    def __init__(self) -> None:
        # A `_created` series beside every counter would double their number and tell nothing.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types here
        self.registry = registry = CollectorRegistry()
        self.events_handled = Counter(
            "concentric_events_handled",
            "Events whose effects were committed.",
            ("service", "type"),
            registry=registry,
        )
        self.commands = Counter(
            "concentric_commands",
            "Commands by outcome: done, refused or failed.",
            ("service", "type", "outcome"),
            registry=registry,
        )
        self.events_emitted = Counter(
            "concentric_events_emitted",
            "Events committed to the outbox.",
            ("service", "type"),
            registry=registry,
        )
        self.duplicates = Counter(
            "concentric_duplicates",
            "Messages skipped because the inbox knew them.",
            ("service",),
            registry=registry,
        )
        self.parked = Counter(
            "concentric_parked",
            "Messages and events put aside because they cannot be handled.",
            ("service",),
            registry=registry,
        )
        self.retries = Counter(
            "concentric_retries",
            "Batches tried again because a server was away or busy.",
            ("service",),
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "concentric_batch_seconds",
            "Duration of a transaction, commit included.",
            ("service",),
            buckets=LATENCIES,
            registry=registry,
        )
        self.batch_items = Histogram(
            "concentric_batch_items",
            "Messages and commands that one transaction took in.",
            ("service",),
            buckets=SIZES,
            registry=registry,
        )
        self.published = Counter(
            "concentric_messages_published",
            "Messages that the bus confirmed.",
            ("service",),
            registry=registry,
        )
        self.connection_up = Gauge(
            "concentric_connection_up",
            "1 while a connection to RabbitMQ stands and takes messages.",
            ("service", "connection"),
            registry=registry,
        )
        self.connection_losses = Counter(
            "concentric_connection_losses",
            "Times that such a connection was lost, or RabbitMQ took no messages on it.",
            ("service", "connection"),
            registry=registry,
        )
        self.outbox_rows = Gauge(
            "concentric_outbox_rows",
            "Messages committed and not yet confirmed by the bus.",
            ("service",),
            registry=registry,
        )
        self.outbox_age = Gauge(
            "concentric_outbox_age_seconds",
            "Age of the oldest of those messages.",
            ("service",),
            registry=registry,
        )
        self.outbox_bytes = Gauge(
            "concentric_outbox_bytes",
            "Size of those messages.",
            ("service",),
            registry=registry,
        )
        self.outbox_full = Gauge(
            "concentric_outbox_full",
            "1 while the outbox is at its bound and the service takes on nothing more, else 0.",
            ("service",),
            registry=registry,
        )
        self.turned_away = Counter(
            "concentric_turned_away",
            "Requests answered 503 at once or after a wait: `overloaded`, or `unavailable`.",
            ("reason",),
            registry=registry,
        )
        for reason in ("overloaded", "unavailable"):
            self.turned_away.labels(reason)
        self.parked_now = Gauge(
            "concentric_parked_messages",
            "Messages and events that lie aside and wait for somebody.",
            ("service",),
            registry=registry,
        )
        self.policy = Gauge(
            "concentric_policy_info",
            "The policy version that the service decides by.",
            ("service", "version"),
            registry=registry,
        )
        self.policy_fallbacks = Counter(
            "concentric_policy_fallbacks",
            "Decisions that did not go as they should: the engine failed, or rows overlapped.",
            ("reason",),
            registry=registry,
        )
        for reason in ("engine", "overlap"):
            self.policy_fallbacks.labels(reason)
        self.policy_errors = Counter(
            "concentric_policy_load_errors",
            "Changed policies that could not be used; the running one stayed.",
            ("service",),
            registry=registry,
        )
        self.ready = Gauge(
            "concentric_ready",
            "1 when the service can do its work, 0 when something that it needs is away.",
            ("service",),
            registry=registry,
        )

        self.notifications = Counter(
            "concentric_notifications",
            "Messages to people outside the ledger by outcome: delivered, retried or failed.",
            ("way", "outcome"),
            registry=registry,
        )
        self.notification_seconds = Histogram(
            "concentric_notification_seconds",
            "From what happened, or from the end of the quiet hours, to the delivery.",
            ("way", "colour"),
            buckets=DELAYS,
            registry=registry,
        )

    def begin(self, service: str) -> None:
        """Show what has not happened yet as 0: else the first time would be no increase."""
        for counter in (
            self.duplicates,
            self.parked,
            self.retries,
            self.published,
            self.policy_errors,
        ):
            counter.labels(service)
        self.outbox_full.labels(service).set(0)

    def connections(self, service: str) -> Callable[[str, bool], None]:
        """Who notes that a connection of a service begins to work, or ceases to."""
        for purpose in ("publishing", "consuming", "parking"):
            self.connection_up.labels(service, purpose)
            self.connection_losses.labels(service, purpose)

        def note(purpose: str, up: bool) -> None:
            self.connection_up.labels(service, purpose).set(up)
            if not up:
                self.connection_losses.labels(service, purpose).inc()

        return note

    def text(self) -> bytes:
        """Everything in the Prometheus text format."""
        return generate_latest(self.registry)
