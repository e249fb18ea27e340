"""Hand cases in over RabbitMQ and print what becomes of them: all that an integrator needs.

    python submit.py --url amqp://user:password@host/vhost cases.jsonl

Each line of the file is one case as JSON, such as
{"source": "crm", "external_id": "42", "channel": "customer-hotline", "subject": "No light"}.
It needs Python 3.9 or later and pika, and nothing of Concentric's.
"""

# ruff: noqa: INP001, T201 (a script: in no package, and it prints)

import argparse
import json
import sys
import uuid
from typing import Any

import pika

EVENTS, COMMANDS = "concentric.events.v1", "concentric.commands.v1"
CASES = uuid.uuid5(uuid.NAMESPACE_URL, "https://concentric.invalid/cases")
LAST = {"case.refused", "case.closed", "case.withdrawn"}


def case_id(case: dict[str, Any]) -> str:
    """The id under which Concentric keeps the case: the same pair is the same case, for ever."""
    return str(uuid.uuid5(CASES, f"{case['source']}\n{case['external_id']}"))


def as_message(case: dict[str, Any], form: str) -> tuple[bytes, pika.BasicProperties]:
    """The case as a message, in one of the three forms that are taken."""
    # The same case gets the same id again: a repetition after a crash has no second effect.
    identity = str(uuid.uuid5(CASES, json.dumps(case, sort_keys=True)))
    event = {
        "specversion": "1.0",
        "id": identity,
        "source": f"urn:{case['source']}",
        "type": "concentric.submit-case.v1",
    }
    body: dict[str, Any] = case
    content_type, headers = "application/json", {}
    if form == "structured":
        body, content_type = {**event, "data": case}, "application/cloudevents+json"
    elif form == "binary":
        headers = {f"cloudEvents:{name}": value for name, value in event.items()}
    properties = pika.BasicProperties(
        content_type=content_type,
        delivery_mode=2,  # kept on disk
        message_id=identity,
        headers=headers,
    )
    return json.dumps(body, ensure_ascii=False).encode(), properties


def submit(channel: Any, cases: list[dict[str, Any]], form: str) -> None:
    """Publish; returns when the broker has every case safely in intake's queue."""
    channel.confirm_delivery()
    for case in cases:
        body, properties = as_message(case, form)
        # With `mandatory`, a case that no queue takes raises instead of vanishing.
        channel.basic_publish(COMMANDS, "submit-case", body, properties, mandatory=True)


def listen(channel: Any, queue: str, waiting: dict[str, str], seconds: float) -> None:
    """Print the events of these cases until each has come to its end, or nothing more comes."""
    for method, _, body in channel.consume(queue, auto_ack=True, inactivity_timeout=seconds):
        if method is None:
            return
        for event in json.loads(body):
            name = waiting.get(event.get("subject", ""))
            if name is None:
                continue
            reasons = [problem["message"] for problem in event["data"].get("problems", [])]
            print(event["time"], name, method.routing_key, *reasons, flush=True)
            if method.routing_key in LAST:
                del waiting[event["subject"]]
        if not waiting:
            return


def main() -> None:
    """Read the command line, hand in, listen."""
    options = argparse.ArgumentParser(description="Hand cases in and watch them.")
    options.add_argument("--url", default="amqp://guest:guest@localhost:5672/%2F")
    options.add_argument("--form", choices=["plain", "structured", "binary"], default="plain")
    options.add_argument("--seconds", type=float, default=60, help="patience between two events")
    options.add_argument("file", type=argparse.FileType(encoding="utf-8"))
    given = options.parse_args()
    cases = [json.loads(line) for line in given.file if line.strip()]

    connection = pika.BlockingConnection(pika.URLParameters(given.url))
    channel = connection.channel()
    # Listen first: an event that comes before there is a queue for it is gone.
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, EVENTS, "case.#")
    submit(channel, cases, given.form)
    waiting = {case_id(case): case["external_id"] for case in cases}
    listen(channel, queue, waiting, given.seconds)
    connection.close()
    if waiting:
        sys.exit(f"nothing more was heard of: {', '.join(waiting.values())}")


if __name__ == "__main__":
    main()
