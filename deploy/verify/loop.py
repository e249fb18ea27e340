"""A case through the whole loop, by what everybody has: HTTP, and a queue on RabbitMQ."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from deploy.verify.asking import Failed, Site, expect, wait_for
from deploy.verify.stack import Stack

EVENTS = "concentric.events.v1"
COMMANDS = "concentric.commands.v1"
EAR = "verify-compose"

SOON = 30.0
"""Seconds in which a step has to reach the next service; it usually takes a fraction of one."""


def case(number: str) -> dict[str, Any]:
    """An outage at a hospital, which nobody rates but whoever reported it."""
    return {
        "source": "verify-compose",
        "external_id": number,
        "channel": "customer-hotline",
        "kind": "problem",
        "category": "power-supply",
        "item": "unplanned-outage",
        "subject": f"No power in the operating theatre ({number})",
        "text": "The whole ward has been without power for ten minutes.",
        "attributes": {"customer": "hospital"},
        "informant": {"ref": f"caller {number}", "contact": "caller@example.org"},
    }


def listen(rabbitmq: Site) -> None:
    """A queue of our own that hears of ratings asked for; it goes by itself when it lies idle."""
    arguments = {"x-expires": 600_000}
    rabbitmq.ask(f"/api/queues/%2F/{EAR}", {"durable": True, "arguments": arguments}, "PUT")
    binding = {"routing_key": "evaluation.requested", "arguments": {}}
    rabbitmq.ask(f"/api/bindings/%2F/e/{EVENTS}/q/{EAR}", binding, "POST")


def submit(stack: Stack) -> str:
    """Record a case over HTTP, once, however often it is sent; its id."""
    intake = stack.site("INTAKE")
    status, text = intake.look("/commands/submit-case", case("http"))
    expect(status == 201, f"submit-case was answered {status}: {text}")
    again = intake.ask("/commands/submit-case", case("http"))
    done = json.loads(text)
    expect(again["case_id"] == done["case_id"], "the same submission became another case")
    expect(again["events"] == [], f"the same submission was recorded again: {again}")
    refused, _ = intake.look("/commands/submit-case", {**case("bad"), "channel": "telepathy"})
    expect(refused == 422, f"an unknown channel was answered {refused}, not 422")
    case_id: str = done["case_id"]
    return case_id


def publish(stack: Stack) -> None:
    """Hand a case in by the queue, as an existing customer-service system does."""
    message = {
        "routing_key": "submit-case",
        "payload": json.dumps(case("amqp")),
        "payload_encoding": "string",
        "properties": {"content_type": "application/json", "delivery_mode": 2},
    }
    answer = stack.rabbitmq().ask(f"/api/exchanges/%2F/{COMMANDS}/publish", message, "POST")
    expect(answer["routed"], f"nobody listens to submit-case on {COMMANDS}")


def handle(stack: Stack, case_id: str) -> dict[str, Any]:
    """Accept and answer the case by the unit with which it lies; the handling before that."""
    router = stack.site("ROUTER")
    handling: dict[str, Any] = wait_for(
        "the case's handling", SOON, lambda: router.ask(f"/cases/{case_id}/handling")
    )
    act = {"case_id": case_id, "unit": handling["unit"], "person": "verify-compose"}
    status, _ = router.look("/commands/accept-case", {**act, "unit": "office"})
    expect(status == 409, f"a unit with which the case does not lie was answered {status}")
    router.ask("/commands/accept-case", act)
    router.ask("/commands/reply-to-case", {**act, "reply": "A generator truck stands there."})
    return handling


def link(stack: Stack, case_id: str) -> str:
    """The personal link to rate by, which `evaluation.requested` carries."""
    rabbitmq = stack.rabbitmq()
    take = {"count": 10, "ackmode": "ack_requeue_false", "encoding": "auto"}

    def heard() -> str | None:
        for message in rabbitmq.ask(f"/api/queues/%2F/{EAR}/get", take, "POST"):
            for event in json.loads(message["payload"]):
                if event["subject"] == case_id:
                    found: str = event["data"]["link"]
                    return found
        return None

    return wait_for("evaluation.requested", SOON, heard)


def rate(stack: Stack, case_id: str, address: str) -> None:
    """Look at the page, which records nothing; then rate, once."""
    evaluation = stack.site("EVALUATION")
    expect(
        address.startswith(evaluation.url + "/rate/"),
        f"the link leads to {address}, not to {evaluation.url}",
    )
    path = urlsplit(address).path
    status, page = evaluation.look(path)
    expect(status == 200 and "<form" in page, f"the link's page was answered {status}")
    before = evaluation.ask(f"/cases/{case_id}/judgement")
    expect(before["state"] == "asked", "looking at the page recorded a rating")
    rating = {"token": path.rsplit("/", 1)[-1], "score": "very-satisfied", "comment": "Quick!"}
    evaluation.ask("/commands/rate-reply", rating)
    status, _ = evaluation.look("/commands/rate-reply", rating)
    expect(status == 409, f"a second rating was answered {status}, not 409")


def closed(stack: Stack, case_id: str) -> list[str]:
    """Wait until every service has the case as closed; what the ledger knows of it, in order."""
    places = {
        "INTAKE": f"/cases/{case_id}/record",
        "ROUTER": f"/cases/{case_id}/handling",
        "EVALUATION": f"/cases/{case_id}/judgement",
    }
    for service, path in places.items():
        site = stack.site(service)

        def state(site: Site = site, path: str = path) -> bool | None:
            standing = site.ask(path)["standing"]["state"]
            if standing != "closed":
                raise Failed(f"{site.url}{path} says {standing}")
            return True

        wait_for(f"closed in {service.lower()}", SOON, state)
    file = wait_for("closed in the ledger", SOON, lambda: _closed_file(stack, case_id))
    return [entry["type"] for entry in file["history"]]


def _closed_file(stack: Stack, case_id: str) -> dict[str, Any] | None:
    file: dict[str, Any] = stack.site("LEDGER").ask(f"/cases/{case_id}")
    types = {entry["type"] for entry in file["history"]}
    return file if "case.closed" in types else None
