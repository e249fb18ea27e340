"""Ways to break a policy that uses the whole language: tables of all kinds, counts, ranges, clocks.

It is the bureau's policy with counts, a routing table, rows of escalation, and `otherwise`.
"""

from __future__ import annotations

import random
from copy import deepcopy
from typing import Any

from tests.unit.policy.breakages import SOUND, Breakage, Data

TITLE = {"zh": "数", "en": "Count"}

LEFT_TO_ROUTING = (
    "complaint", "hazard on the grid", "problem of a company", "everything else",
)  # fmt: skip


def _rich() -> Data:
    data = deepcopy(SOUND)
    data["counts"] = {
        "again": {"title": TITLE, "of": "same-matter", "days": 30},
        "waiting": {"title": TITLE, "of": "open-cases-of-unit"},
    }
    for row in data["triage"]:
        if row["name"] in LEFT_TO_ROUTING:
            del row["then"]["unit"]
    data["triage"][-1:-1] = [
        {"name": "often", "when": {"again": {"at_least": 10}},
         "then": {"colour": "red", "unit": "operations"}},
        {"name": "again and again", "when": {"again": {"between": [3, 9]}},
         "then": {"colour": "orange"}},
    ]  # fmt: skip
    data["routing"] = {
        "hit": "unique",
        "rows": [
            {"name": "in Chengxiang", "when": {"station": {"within": "chengxiang"}},
             "then": {"unit": "chengxiang"}},
            {"name": "in Beigan, urgent", "then": {"unit": "operations"},
             "when": {"station": {"within": "beigan"}, "colour": "orange"}},
            {"name": "a company without station", "then": {"unit": "marketing"},
             "when": {"station": {"present": False}, "customer": ["company", "farm"]}},
            {"name": "of the grid, crowded", "then": {"unit": "category-unit"},
             "when": {"station": {"present": False}, "customer": {"not": ["company", "farm"]},
                      "item": {"within": "grid-and-safety"}, "waiting": {"at_least": 20}}},
        ],
        "otherwise": {"unit": "station"},
    }  # fmt: skip
    members = data["evaluators"].pop()
    data["evaluators"] = {"rows": data["evaluators"], "otherwise": members["then"]}
    data["escalation"] = {
        "days": 2, "first": 1, "repeat": True,
        "rows": [
            {"name": "red", "when": {"colour": "red", "level": ["departments", "branches"]},
             "then": {"days": 1, "to": ["operations", "bureau"]}},
            {"name": "members", "when": {"level": "members"}, "then": {"to": ["office", "bureau"]}},
            {"name": "complaint", "when": {"kind": "complaint"}, "then": {"days": 1}},
        ],
    }  # fmt: skip
    return data


RICH = _rich()


def _rows(data: Data, table: str) -> list[Data]:
    part: Any = data[table]
    rows: list[Data] = part if isinstance(part, list) else part["rows"]
    return rows


def routing_without_otherwise(data: Data, chance: random.Random) -> None:
    data["routing"].pop("otherwise")


def routing_that_leaves_cases_over(data: Data, chance: random.Random) -> None:
    """Not among them: colours and units of triage that a routed case never has."""
    left = chance.choice([
        {"colour": ["red", "orange"]},
        {"side": "outside"},
        {"again": {"between": [0, 1000]}},
        {"waiting": {"present": True}},
        {"station": {"within": "bureau"}},
        {"item": {"within": ["power-supply", "grid-and-safety"]}},
        {"customers-affected": {"between": [0, 99]}},
    ])  # fmt: skip
    data["routing"]["hit"] = chance.choice(["first", "any"])
    data["routing"].pop("otherwise")
    for row in data["routing"]["rows"]:
        row["then"] = {"unit": "station"}
    data["routing"]["rows"].append({"name": "rest", "when": left, "then": {"unit": "station"}})


def routed_rows_that_overlap(data: Data, chance: random.Random) -> None:
    row = chance.choice(_rows(data, "routing"))
    other = deepcopy(row)
    other["name"], other["then"] = "once more", {"unit": "safety"}
    other["when"] |= chance.choice([
        {"again": {"at_least": chance.randrange(1, 9)}}, {"repeat": False}, {"colour": "orange"},
        {"kind": {"not": "praise"}},
    ])  # fmt: skip
    data["routing"]["hit"] = chance.choice(["unique", "any"])
    rows = _rows(data, "routing")
    rows.insert(chance.randrange(len(rows) + 1), other)


def routed_row_behind_a_broader_one(data: Data, chance: random.Random) -> None:
    data["routing"]["hit"] = "first"
    row = deepcopy(chance.choice(_rows(data, "routing")))
    row["name"] = "narrower"
    row["when"] |= chance.choice([{"again": {"at_least": 2}}, {"repeat": True}])
    _rows(data, "routing").append(row)


def routed_row_that_no_routed_case_matches(data: Data, chance: random.Random) -> None:
    never = chance.choice([
        {"colour": "red"},
        {"again": {"at_least": 10}, "kind": "praise"},
        {"waiting": {"at_most": -1}},
        {"waiting": {"at_least": 10**12}},
        {"mentions-danger": True, "kind": "complaint"},
        {"item": {"within": "workplace-safety"}, "side": "outside"},
        {"station": {"within": "guali"}, "station-level": "departments"},
        {"category": "management-and-style", "kind": "suggestion"},
    ])  # fmt: skip
    data["routing"]["hit"] = "first"
    rows = _rows(data, "routing")
    row = {"name": "never", "when": never, "then": {"unit": "safety"}}
    rows.insert(chance.randrange(len(rows)), row)


def count_that_is_taken_before(data: Data, chance: random.Random) -> None:
    low = chance.randrange(3, 9)
    when = chance.choice([
        {"again": {"at_least": low}}, {"again": {"between": [low, low + chance.randrange(50)]}},
        {"again": low}, {"again": [low, low + 1]},
    ])  # fmt: skip
    row = {"name": "late", "when": when, "then": {"colour": "red", "unit": "safety"}}
    data["triage"].insert(-1, row)


def counts_with_a_gap(data: Data, chance: random.Random) -> None:
    data["triage"][-1]["when"] = chance.choice([
        {"again": {"between": [0, 2]}}, {"again": {"at_least": 0}}, {"again": {"not": 2}},
        {"waiting": {"at_most": chance.randrange(1, 99)}},
    ])  # fmt: skip
    if "not" in str(data["triage"][-1]["when"]):
        data["triage"].insert(-1, data["triage"].pop())


def less_urgent_row_within_a_more_urgent_one(data: Data, chance: random.Random) -> None:
    data["triage"] = {"hit": "priority", "rows": data["triage"]}
    rows = _rows(data, "triage")
    row = deepcopy(chance.choice([row for row in rows if row["then"]["colour"] == "red"]))
    row["name"], row["then"] = "milder", {"colour": "orange", "unit": "safety"}
    rows.insert(chance.randrange(len(rows)), row)


def otherwise_that_may_reach_nobody(data: Data, chance: random.Random) -> None:
    data["evaluators"]["otherwise"] = {"ask": chance.choice([["informant"], ["recorder"]])}


def nobody_in_a_list_of_all(data: Data, chance: random.Random) -> None:
    data["evaluators"]["hit"] = chance.choice(["rule-order", "collect"])
    for row in _rows(data, "evaluators"):
        row["then"]["ask"] = [role for role in row["then"]["ask"] if role != "tied"]


def evaluators_without_otherwise(data: Data, chance: random.Random) -> None:
    data["evaluators"].pop("otherwise")


def row_whose_chain_is_cut(data: Data, chance: random.Random) -> None:
    row = chance.choice(_rows(data, "escalation")[:2])
    row["then"]["to"] = chance.sample(["office", "operations", "safety"], chance.randrange(2, 4))


def row_that_tells_the_handler_alone(data: Data, chance: random.Random) -> None:
    unit = chance.choice(["office", "finance", "guali", "linpu-hall", "safety"])
    row = {"name": "alone", "when": {"unit": unit}, "then": {"to": [unit]}}
    _rows(data, "escalation").insert(0, row)


def rows_that_together_stop_below_the_top(data: Data, chance: random.Random) -> None:
    data["escalation"]["hit"] = chance.choice(["rule-order", "collect"])
    chance.choice(_rows(data, "escalation")[:2])["then"]["to"] = ["safety", "office"]


def escalation_row_that_is_never_reached(data: Data, chance: random.Random) -> None:
    when = chance.choice([
        {"colour": "red", "level": "branches"}, {"level": "members", "side": "inside"},
        {"unit": {"within": "guali"}, "level": "members"}, {"kind": "information"},
        {"unit": {"within": "guali"}, "level": "departments"},
        {"kind": "complaint", "station-level": "members"},
    ])  # fmt: skip
    rows = _rows(data, "escalation")
    rows.append({"name": "never", "when": when, "then": {"days": 3}})


def more_time_that_nobody_decides(data: Data, chance: random.Random) -> None:
    data["extensions"]["decided_by"] = ["parent"]


def pause_that_nobody_may_make(data: Data, chance: random.Random) -> None:
    data["pauses"][chance.choice(list(data["pauses"]))]["by"] = ["parent"]


RICH_BREAKAGES: tuple[tuple[Breakage, int], ...] = (
    (routing_without_otherwise, 1),
    (routing_that_leaves_cases_over, 8),
    (routed_rows_that_overlap, 8),
    (routed_row_behind_a_broader_one, 4),
    (routed_row_that_no_routed_case_matches, 9),
    (count_that_is_taken_before, 6),
    (counts_with_a_gap, 5),
    (less_urgent_row_within_a_more_urgent_one, 5),
    (otherwise_that_may_reach_nobody, 2),
    (nobody_in_a_list_of_all, 2),
    (evaluators_without_otherwise, 1),
    (row_whose_chain_is_cut, 5),
    (row_that_tells_the_handler_alone, 3),
    (rows_that_together_stop_below_the_top, 4),
    (escalation_row_that_is_never_reached, 7),
    (more_time_that_nobody_decides, 1),
    (pause_that_nobody_may_make, 2),
)
"""Each way, and how often it is tried."""
