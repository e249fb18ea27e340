"""The dashboard: every panel finds figures, in a real Prometheus that scraped a real house."""

import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from time import sleep
from typing import Any

import pytest
import yaml

from tests.support.lived import lived, served
from tests.support.prometheus import Prometheus, prometheus, until

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
BOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "promises-kept.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES = [
    pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")
    for panel in PANELS
    for target in panel["targets"]
]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus with the figures of a house in which everything has happened."""
    folder = tmp_path_factory.mktemp("figures")
    with (
        lived(folder) as house,
        served(house.house) as address,
        prometheus(folder, address) as server,
    ):
        assert until(20, lambda: bool(server.series("concentric_cases")))
        for number in range(4):  # rates want at least two looks at figures that move
            house.submit(f"later {number}")
            sleep(1)
        yield server


@pytest.mark.parametrize("expression", QUERIES)
def test_every_panel_has_something_to_show(figures: Prometheus, expression: str) -> None:
    asked = expression.replace("$__rate_interval", "1m")
    assert "$" not in asked, "a variable that this test does not know"
    assert figures.series(asked), f"no figures for {asked}"


def test_a_panel_with_a_mistyped_metric_would_be_noticed(figures: Prometheus) -> None:
    assert figures.series("concentric_on_tme_ratio") == []
    with pytest.raises(ValueError, match="parse error"):
        figures.series("sum by (colour) concentric_cases)")


def test_the_figures_are_those_of_the_house(figures: Prometheus) -> None:
    def value(expression: str) -> float:
        [one] = figures.series(expression)
        return float(one["value"][1])

    assert value("sum(concentric_cases)") == 10
    assert value('concentric_cases{state="closed"}') == 2
    assert value('concentric_cases{state="withdrawn"}') == 1
    assert value("concentric_repeat_cases") == 1
    assert value("sum(concentric_overdue_cases)") == 3, "the reopened, the repeat, the unanswered"
    assert value('sum(concentric_on_time_cases{outcome="late"})') == 1
    assert value('concentric_on_time_ratio{colour="all"}') == pytest.approx(1 / 5)
    assert value('concentric_satisfaction_ratio{level="all"}') == pytest.approx(2 / 3)


def test_every_panel_asks_the_data_source_that_is_provisioned() -> None:
    provisioned = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())
    [source] = provisioned["datasources"]
    wanted = {"type": source["type"], "uid": source["uid"]}
    for panel in PANELS:
        assert panel["datasource"] == wanted, panel["title"]
        for target in panel["targets"]:
            assert target["datasource"] == wanted, panel["title"]


def test_panels_and_their_queries_can_be_told_apart() -> None:
    ids = [panel["id"] for panel in BOARD["panels"]]
    titles = [panel["title"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)
    assert len(set(titles)) == len(titles)
    for panel in PANELS:
        names = [target["refId"] for target in panel["targets"]]
        assert names, panel["title"]
        assert len(set(names)) == len(names), panel["title"]


def test_no_panel_covers_another() -> None:
    def squares(panel: dict[str, Any]) -> set[tuple[int, int]]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        return {
            (place["x"] + right, place["y"] + down)
            for right in range(place["w"])
            for down in range(place["h"])
        }

    for one, other in combinations(BOARD["panels"], 2):
        assert not squares(one) & squares(other), f"{one['title']} and {other['title']}"


def test_a_table_names_the_columns_that_its_queries_give() -> None:
    """A merge of instant queries has a column for each label, and `Value #REF` for each query."""
    for panel in PANELS:
        if panel["type"] != "table":
            continue
        assert all(target["format"] == "table" for target in panel["targets"]), panel["title"]
        [organise] = [t["options"] for t in panel["transformations"] if t["id"] == "organize"]
        several = len(panel["targets"]) > 1
        values = {f"Value #{t['refId']}" if several else "Value" for t in panel["targets"]}
        assert values <= set(organise["renameByName"]), panel["title"]
