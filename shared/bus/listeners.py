"""Who hears what: every service declares the queues of all, so that none is missing at the start.

What is published before a queue exists would never reach its service. A test holds this table
against the services' own descriptors.
"""

from shared.bus.protocol import Subscription

LISTENERS = (
    Subscription(
        "intake",
        events=("case.closed", "case.reopened", "policy.applied", "retriage.requested"),
        commands=("submit-case", "withdraw-case"),
    ),
    Subscription(
        "router",
        events=(
            "case.recorded",
            "case.recalled",
            "case.reopened",
            "case.escalated",
            "case.closed",
            "case.withdrawn",
            "case.erased",
        ),
        commands=(
            "accept-case",
            "return-case",
            "transfer-case",
            "reply-to-case",
            "apply-policy",
            "retriage-case",
        ),
    ),
    Subscription(
        "deadline",
        events=(
            "case.routed",
            "case.accepted",
            "case.returned",
            "case.transferred",
            "case.replied",
            "case.closed",
            "case.reopened",
            "case.withdrawn",
            "case.erased",
            "policy.applied",
        ),
        commands=("pause-clock", "resume-clock", "request-extension", "decide-extension"),
    ),
    Subscription(
        "evaluation",
        events=(
            "case.routed",
            "case.replied",
            "case.withdrawn",
            "case.erased",
            "policy.applied",
        ),
        commands=("rate-reply",),
    ),
    Subscription(
        "notify",
        events=(
            "case.routed",
            "case.accepted",
            "case.returned",
            "case.transferred",
            "case.replied",
            "deadline.set",
            "deadline.moved",
            "deadline.extended",
            "case.paused",
            "case.resumed",
            "case.due-soon",
            "case.overdue",
            "case.escalated",
            "case.closed",
            "case.reopened",
            "case.withdrawn",
            "case.erased",
            "policy.applied",
        ),
        commands=("retry-notification",),
    ),
    Subscription("ledger", events=("#",), commands=("shadow-policy", "sign-review")),
)
