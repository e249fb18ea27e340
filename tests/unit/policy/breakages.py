"""Ways to break the bureau's policy, each at a random place that a seed chooses."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import yaml

from tests.unit.policy.places import POLICIES

Data = dict[str, Any]
Breakage = Callable[[Data, random.Random], None]

TEXT = (POLICIES / "xiaoshan.yaml").read_text(encoding="utf-8")
SOUND: Data = yaml.load(TEXT, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - it is


def broken(breakage: Breakage, seed: int, sound: Data = SOUND) -> bytes:
    """The policy's content with one thing broken; JSON is YAML as well, and quicker to write."""
    data = deepcopy(sound)
    breakage(data, random.Random(seed))
    return json.dumps(data, ensure_ascii=False, indent=0).encode()


def without_catch_all(data: Data, chance: random.Random) -> None:
    data["triage"].pop()


def catch_all_that_does_not(data: Data, chance: random.Random) -> None:
    kept = chance.choice([
        {"kind": [kind for kind in data["kinds"] if kind != "praise"]},
        {"side": "outside"},
        {"customer": {"present": True}},
        {"customers-affected": {"at_most": chance.randrange(10, 1000)}},
        {"station": {"present": True}},
        {"campaign": {"present": False}},
        {"mentions-danger": False, "channel": {"not": "web-message"}},
    ])  # fmt: skip
    data["triage"][-1]["when"] = kept


def repeated_below_itself(data: Data, chance: random.Random) -> None:
    rows = data["triage"]
    index = chance.randrange(len(rows) - 1)
    other = deepcopy(rows[index])
    other["name"] = "once more"
    other["then"]["colour"] = "yellow" if other["then"]["colour"] != "yellow" else "red"
    rows.insert(chance.randrange(index + 1, len(rows)), other)


def broader_row_above(data: Data, chance: random.Random) -> None:
    rows = data["triage"]
    index = chance.choice([at for at, row in enumerate(rows) if len(row["when"]) > 1])
    broad = deepcopy(rows[index])
    broad["name"] = "broader"
    broad["when"].pop(chance.choice(list(broad["when"])))
    rows.insert(chance.randrange(index + 1), broad)


def row_behind_the_last(data: Data, chance: random.Random) -> None:
    rows = data["triage"]
    rows.append(rows.pop(chance.randrange(len(rows) - 1)))


def conditions_that_exclude_each_other(data: Data, chance: random.Random) -> None:
    row = deepcopy(chance.choice(data["triage"][:-1]))
    impossible: Data = chance.choice([
        {"category": "grid-and-safety", "side": "inside"},
        {"item": "bills", "category": "grid-and-safety"},
        {"channel": "web-message", "category": "life-and-care"},
        {"channel": "door-visit", "place": {"present": False}},
        {"channel": "round-table", "station": {"present": False}},
        {"station": "guali", "station-level": "members"},
        {"station-level": "members", "informant-known": False},
        {"channel": "customer-hotline", "side": "inside"},
    ])  # fmt: skip
    row["name"] = "never"
    row["when"] = {**row["when"], **impossible}
    data["triage"].insert(chance.randrange(len(data["triage"]) - 1), row)


def evaluator_repeated(data: Data, chance: random.Random) -> None:
    rows = data["evaluators"]
    index = chance.randrange(len(rows))
    other = deepcopy(rows[index])
    other["name"], other["then"] = "once more", {"ask": ["recorder", "parent", "children"]}
    rows.insert(chance.randrange(index + 1, len(rows) + 1), other)


def evaluator_removed(data: Data, chance: random.Random) -> None:
    # The mapping of departments inside stands before one for all departments, which is enough.
    rows = data["evaluators"]
    rows.pop(chance.choice([at for at, row in enumerate(rows) if "side" not in row["when"]]))


def evaluator_of_one_side_only(data: Data, chance: random.Random) -> None:
    row = chance.choice([row for row in data["evaluators"] if "side" not in row["when"]])
    narrow = [
        {"side": "inside"},
        {"colour": "yellow"},
        {"kind": "problem"},
        {"channel": "round-table"},
    ]
    row["when"] |= chance.choice(narrow)


def evaluators_who_may_be_nobody(data: Data, chance: random.Random) -> None:
    row = chance.choice(data["evaluators"])
    row["then"]["ask"] = chance.choice([["informant"], ["recorder"], ["informant", "recorder"]])


def pairs_taken_apart(data: Data, chance: random.Random) -> None:
    chance.choice([unit for unit in units(data) if "paired_with" in unit]).pop("paired_with")


def department_tied_to_nobody(data: Data, chance: random.Random) -> None:
    name = chance.choice([unit["id"] for unit in units(data) if unit["level"] == "departments"])
    for unit in units(data):
        unit["tied_to"] = [other for other in unit.get("tied_to", []) if other != name]


def chain_cut(data: Data, chance: random.Random) -> None:
    every = [unit for unit in units(data) if unit["id"] != "bureau"]
    unit = chance.choice(every)
    others = [other["id"] for other in every if other is not unit]
    unit["escalates_to"] = chance.sample(others, chance.randrange(1, 3))


def unknown_name(data: Data, chance: random.Random) -> None:
    row = chance.choice(data["triage"])
    row["then"] |= chance.choice([{"colour": "purple"}, {"unit": "nowhere"}])


def units(data: Data) -> list[Data]:
    return list(_walk(data["units"]))


def _walk(parts: list[Data]) -> Iterator[Data]:
    for part in parts:
        yield part
        yield from _walk(part.get("children", []))


BREAKAGES: tuple[tuple[Breakage, int], ...] = (
    (without_catch_all, 1),
    (catch_all_that_does_not, 7),
    (repeated_below_itself, 15),
    (broader_row_above, 12),
    (row_behind_the_last, 7),
    (conditions_that_exclude_each_other, 16),
    (evaluator_repeated, 6),
    (evaluator_removed, 4),
    (evaluator_of_one_side_only, 8),
    (evaluators_who_may_be_nobody, 8),
    (pairs_taken_apart, 6),
    (department_tied_to_nobody, 6),
    (chain_cut, 12),
    (unknown_name, 4),
)
"""Each way, and how often it is tried."""
