"""Small policies whose every case can be tried, to hold proofs against."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import product
from typing import Any

import yaml

from shared.policy.explaining.hypothetical import Hypothetical


def content_of(small_text: str, **sections: Any) -> bytes:
    """The small policy with other sections."""
    data = yaml.safe_load(small_text) | sections
    return json.dumps(data, ensure_ascii=False).encode()  # which is YAML as well


def rows_of(*whens: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of triage with these conditions, all with one outcome."""
    then = {"colour": "red", "unit": "house"}
    return [
        {"name": f"row {number}", "when": when, "then": then} for number, when in enumerate(whens)
    ]


def condition(chance: random.Random) -> dict[str, Any]:
    """Some conditions on facts of the small policy."""
    choices: dict[str, list[Any]] = {
        "kind": ["problem", ["problem", "complaint"], {"not": "problem"}],
        "side": ["inside", "outside"],
        "channel": ["visit", {"not": "visit"}, "mailbox"],
        "category": ["power", ["power", "bills"], {"not": "staff"}],
        "item": ["outage", {"present": False}, {"not": ["tariff"]}],
        "customer": ["hospital", {"not": "home"}, {"present": True}],
        "affected": [{"at_least": 100}, {"at_most": 99}, {"at_least": 100, "at_most": 1000}],
        "danger": [True, False],
        "place": [{"present": True}, {"present": False}],
    }
    facts = chance.sample(sorted(choices), chance.randrange(1, 4))
    return {fact: chance.choice(choices[fact]) for fact in facts}


def every_case() -> Iterator[Hypothetical]:
    """Cases of the small policy with every combination of what such conditions tell apart."""
    catalogue = [("power", None), ("power", "outage"), ("power", "planned"), ("bills", None),
                 ("bills", "tariff"), ("staff", None)]  # fmt: skip
    for kind, channel, (category, item), customer, affected, danger, place in product(
        ("problem", "complaint", "information"), ("hotline", "visit", "mailbox"), catalogue,
        (None, "hospital", "home"), (None, 99, 100, 1001), (False, True), (None, "here"),
    ):  # fmt: skip
        attributes = {"customer": customer, "affected": affected}
        yield Hypothetical.model_validate({
            "kind": kind, "channel": channel, "category": category, "item": item, "place": place,
            "attributes": {name: value for name, value in attributes.items() if value is not None},
            "text": "着火" if danger else "",
        })  # fmt: skip
