"""The JSON Schema accepts what the loader accepts, and tells an editor what may stand where."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from shared.policy import parse_policy
from shared.policy.schema.json_schema import json_schema
from tests.unit.policy.samples import (
    COUNTS,
    ESCALATION,
    EVALUATORS,
    PRIORITY,
    ROUTED,
    UNIQUE,
    rich,
    with_section,
)

POLICIES = Path(__file__).resolve().parents[3] / "examples" / "policies"


def errors(text: str) -> list[str]:
    data = json.loads(json.dumps(yaml.safe_load(text), default=str))  # dates are texts in JSON
    found = jsonschema.Draft202012Validator(json_schema()).iter_errors(data)
    return [f"{error.json_path}: {error.message}" for error in found]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


SHIPPED = sorted(path for path in POLICIES.glob("*.yaml") if "." not in path.stem)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_policies_that_ship_are_valid_and_lead_an_editor_to_the_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert errors(text) == []
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert named is not None
    written = json.loads((path.parent / named[1]).read_text(encoding="utf-8"))
    assert written == json_schema(), "write it anew: python -m shared.policy.schema.json_schema"


def test_a_policy_with_everything_is_valid_and_loads(small_text: str) -> None:
    assert errors(rich(small_text)) == []
    parse_policy("rich.yaml", rich(small_text).encode()).close()


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("triage", PRIORITY),
        ("triage", UNIQUE),
        ("triage", ROUTED),
        ("counts", COUNTS),
        ("evaluators", EVALUATORS.format(hit="collect")),
        ("escalation", ESCALATION.format(hit="rule-order")),
    ],
)
def test_whatever_the_language_has_is_in_the_schema(
    small_text: str, section: str, text: str
) -> None:
    assert errors(with_section(small_text, section, text)) == []


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("triage", PRIORITY.replace("priority", "collect")),
        ("triage", PRIORITY.replace("hit:", "hits:")),
        ("triage", UNIQUE.replace("between", "betwixt")),
        ("counts", COUNTS.replace("same-matter", "anything")),
        ("evaluators", EVALUATORS.format(hit="first").replace("parent", "boss")),
        ("colours", " none"),
    ],
)
def test_mistakes_of_shape_and_word_are_found(small_text: str, section: str, text: str) -> None:
    assert errors(with_section(small_text, section, text)) != []


def test_editors_can_show_what_a_key_means() -> None:
    schema = json_schema()
    operators: dict[str, Any] = schema["$defs"]["Operators"]["properties"]
    assert operators["within"]["description"].startswith("A unit, with all units below it")
    assert schema["properties"]["colours"]["description"] == "Most urgent first."
    assert {"not", "between"} <= operators.keys()
    hits = schema["$defs"]["EvaluatorTable"]["anyOf"][1]["properties"]["hit"]["enum"]
    assert hits == ["first", "unique", "any", "rule-order", "collect"]
