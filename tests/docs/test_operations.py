"""The operations page names every setting, metric, alert and port that there is, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from shared.observe.metrics import Metrics
from shared.settings import Settings
from tests.support.lived import lived, served

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables of a section, without their heads."""
    [section] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line] for line in lines]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, set[str]]]:
    """The labels of every metric that a house shows in which everything has happened."""
    with (
        lived(tmp_path_factory.mktemp("house")) as house,
        served(house.house) as address,
        httpx.Client(trust_env=False) as client,
    ):
        yield _labels(client.get(f"http://{address}/metrics").text)


def test_every_setting_is_named_with_its_default() -> None:
    settings = {
        str(field.validation_alias): "" if field.default is None else str(field.default)
        for field in Settings.model_fields.values()
    }
    assert {row[0]: row[1] for row in rows("Settings")} == settings


def test_every_metric_is_named_with_its_labels(shown: dict[str, set[str]]) -> None:
    named = {row[0]: set(re.findall(r"\w+", row[1])) for row in rows("Metrics")}
    assert set(named) == set(shown)
    # What never happened in the house shows no labels.
    assert {name: named[name] for name, labels in shown.items() if labels} == {
        name: labels for name, labels in shown.items() if labels
    }


def test_every_metric_of_the_machine_is_named_with_its_labels() -> None:
    named = {row[0]: set(re.findall(r"\w+", row[1])) for row in rows("Metrics")}
    for family in Metrics().registry.collect():
        metric = f"{family.name}_total" if family.type == "counter" else family.name
        assert metric in named
    declared = vars(Metrics()).values()
    for metric in (each for each in declared if hasattr(each, "_labelnames")):
        kind = "_total" if metric._type == "counter" else ""
        assert named[f"{metric._name}{kind}"] == set(metric._labelnames)


def test_every_alert_says_what_to_do() -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
    alerts = [rule["alert"] for group in rules["groups"] for rule in group["rules"]]
    assert [row[0] for row in rows("Alerts")] == alerts
    assert all(len(row[1]) > 20 for row in rows("Alerts"))


def test_every_port_is_the_one_that_compose_publishes() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    ports = [port for each in compose["services"].values() for port in each.get("ports", ())]
    published = {tuple(reversed(re.findall(r":\$\{(\w+):-(\d+)\}", port)[0])) for port in ports}
    [section] = re.findall(r"^## Ports\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^\| (\d+) \| `(\w+)` \|", section, re.MULTILINE)) == published


def _labels(exposition: str) -> dict[str, set[str]]:
    found = {}
    for family in text_string_to_metric_families(exposition):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        if not name.endswith("_created"):  # when a counter began: the client's, not ours
            found[name] = labels
    return found
