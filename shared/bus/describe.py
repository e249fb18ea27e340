"""The AsyncAPI description of the bus, drawn from the code: `python -m shared.bus.describe`.

`docs/asyncapi.yaml` is what it writes; a test holds the file against the code.
"""

import sys
from typing import Any

import yaml
from pydantic import TypeAdapter

from shared.bus.envelope import wire_type
from shared.bus.listeners import LISTENERS
from shared.bus.protocol import CLOUDEVENTS_BATCH
from shared.bus.topology import COMMANDS_EXCHANGE, EVENTS_EXCHANGE, PARKED, exchange_of, matches
from shared.domain.commands import COMMANDS, Command
from shared.domain.events import EVENTS, Event, NotificationEvent

_OWNERS = {
    "record": "intake",
    "handling": "router",
    "clocks": "deadline",
    "judgement": "evaluation",
}
"""Which service writes the aggregate that an event describes."""

_WRITERS = {
    "case.recalled": "intake",
    "policy.applied": "router",
    "retriage.requested": "router",
    "message.replayed": "the service where it lay",
    "message.discarded": "the service where it lay",
}
"""The same for events about no aggregate."""

_EXCHANGE_TYPES = {EVENTS_EXCHANGE: "topic", COMMANDS_EXCHANGE: "direct"}

_DESCRIPTION = f"""\
Concentric's services exchange CloudEvents 1.0 over RabbitMQ (AMQP 0-9-1): events, which are facts,
through the topic exchange `{EVENTS_EXCHANGE}`, and commands, which may be refused, through the
direct exchange `{COMMANDS_EXCHANGE}`. The routing key is the type without `concentric.` and `.v1`.
Events come as JSON batches of one or more of one type; commands may also be sent as one structured
or binary CloudEvent, or as nothing but their data in plain JSON. What the broker gives up on lies
in the queue `{PARKED}`. docs/events.md has the words to this.
"""

_ATTRIBUTES = {
    "specversion": {"const": "1.0"},
    "id": {"type": "string", "description": "Unique within the source."},
    "source": {"type": "string", "description": "Who says so, such as /concentric/router."},
    "time": {"type": "string", "format": "date-time"},
    "subject": {
        "type": "string",
        "description": "The id of the case, where there is one.",
    },
    "datacontenttype": {"const": "application/json"},
    "caseversion": {
        "type": "integer",
        "description": "The version of the aggregate that the event describes.",
    },
    "correlationid": {"type": "string", "description": "With what it all began."},
    "causationid": {"type": "string", "description": "Of what this is the consequence."},
    "policyversion": {"type": "string", "description": "The policy by which it was decided."},
    "traceparent": {"type": "string", "description": "W3C Trace Context."},
}


def describe() -> dict[str, Any]:
    """The description as an AsyncAPI 3.0 document."""
    types: dict[str, type[Event | Command]] = {**EVENTS, **COMMANDS}
    _, schemas = TypeAdapter.json_schemas(
        [(name, "validation", TypeAdapter(each)) for name, each in types.items()],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Concentric",
            "version": "1",
            "description": " ".join(_DESCRIPTION.split()),
        },
        "defaultContentType": CLOUDEVENTS_BATCH,
        "channels": {_id(name): _channel(name) for name in types},
        "operations": {
            f"{'take' if name in COMMANDS else 'tell'}-{_id(name)}": _operation(name)
            for name in types
        },
        "components": {
            "messages": {_id(name): _message(name, model) for name, model in types.items()},
            "schemas": {
                "CloudEvent": {
                    "type": "object",
                    "required": ["specversion", "id", "source", "type", "data"],
                    "properties": _ATTRIBUTES,
                },
                **schemas["$defs"],
            },
        },
    }


def text() -> str:
    """The description as YAML."""
    head = "# Written by: python -m shared.bus.describe > docs/asyncapi.yaml\n"
    return head + yaml.safe_dump(describe(), sort_keys=False, allow_unicode=True, width=100)


def _id(name: str) -> str:
    return name.replace(".", "-")


def _channel(name: str) -> dict[str, Any]:
    exchange = exchange_of(name)
    return {
        "address": name,
        "messages": {_id(name): {"$ref": f"#/components/messages/{_id(name)}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": exchange,
                    "type": _EXCHANGE_TYPES[exchange],
                    "durable": True,
                },
            }
        },
    }


def _operation(name: str) -> dict[str, Any]:
    readers = ", ".join(each.service for each in LISTENERS if matches(each, name))
    if name in COMMANDS:
        summary = f"Carried out by {readers}."
    else:
        aggregate = EVENTS[name].aggregate or ""
        told = issubclass(EVENTS[name], NotificationEvent)
        asked = "notify" if told else "the service that was asked"
        writer = _WRITERS.get(name) or _OWNERS.get(aggregate, asked)
        summary = f"Said by {writer}, heard by {readers}."
    return {
        "action": "receive" if name in COMMANDS else "send",
        "channel": {"$ref": f"#/channels/{_id(name)}"},
        "summary": summary,
        "bindings": {"amqp": {"deliveryMode": 2, "mandatory": True}},
    }


def _message(name: str, model: type[Event | Command]) -> dict[str, Any]:
    event = {
        "allOf": [
            {"$ref": "#/components/schemas/CloudEvent"},
            {
                "properties": {
                    "type": {"const": wire_type(name)},
                    "data": {"$ref": f"#/components/schemas/{model.__name__}"},
                }
            },
        ]
    }
    return {
        "name": wire_type(name),
        "summary": " ".join((model.__doc__ or "").split()),
        "contentType": CLOUDEVENTS_BATCH,
        "payload": {"type": "array", "minItems": 1, "items": event},
    }


if __name__ == "__main__":
    sys.stdout.write(text())
