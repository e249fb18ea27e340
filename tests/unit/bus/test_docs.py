"""Every event and command is documented, and nothing is documented that does not exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.bus.describe import describe, text
from shared.bus.listeners import LISTENERS
from shared.bus.topology import matches
from shared.domain.commands import COMMANDS
from shared.domain.events import EVENTS

ROOT = Path(__file__).parents[3]
EVENTS_MD = (ROOT / "docs/events.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, str]:
    """First and second column of the table under a heading."""
    section = EVENTS_MD.split(f"\n## {heading}\n")[1].split("\n#")[0]
    return dict(re.findall(r"^\| `([a-z.-]+)` \| ([^|]+) \|", section, re.MULTILINE))


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_the_description_in_docs_is_what_the_code_says() -> None:
    written = (ROOT / "docs/asyncapi.yaml").read_text(encoding="utf-8")

    assert written == text(), "run: python -m shared.bus.describe > docs/asyncapi.yaml"
    assert yaml.safe_load(written) == describe()


def test_every_event_and_command_is_described_with_its_exchange_and_data() -> None:
    channels = describe()["channels"]

    addresses = {channel["address"]: channel["bindings"]["amqp"] for channel in channels.values()}
    assert set(addresses) == {*EVENTS, *COMMANDS}
    assert {addresses[name]["exchange"]["name"] for name in EVENTS} == {"concentric.events.v1"}
    assert {addresses[name]["exchange"]["name"] for name in COMMANDS} == {"concentric.commands.v1"}


def test_every_reference_in_the_description_leads_somewhere() -> None:
    document = describe()
    found = set(references(document))
    assert len(found) > 2 * len(EVENTS)
    for reference in found:
        part: Any = document
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]


@pytest.mark.parametrize(
    ("heading", "types"), [("Events", EVENTS), ("Commands", COMMANDS)], ids=["events", "commands"]
)
def test_the_page_lists_every_type_and_no_other(heading: str, types: dict[str, object]) -> None:
    assert set(rows(heading)) == set(types)


def test_the_page_says_who_carries_a_command_out_and_somebody_does() -> None:
    carried_out = {
        name: " and ".join(each.service for each in LISTENERS if matches(each, name))
        for name in COMMANDS
    }

    assert rows("Commands") == carried_out
