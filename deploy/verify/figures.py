"""What Prometheus knows afterwards, and whether every panel of the dashboard finds its figures."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from deploy.verify.asking import Failed, Site, wait_for
from deploy.verify.images import ROOT
from deploy.verify.stack import SERVICES, Stack

SOON = 90.0
"""Seconds in which the figures have to show: a scrape every 15 s, and rates want two."""

BOARD = ROOT / "deploy" / "grafana" / "dashboards" / "promises-kept.json"

EXPECTED = {
    'count(up{job="concentric"} == 1)': len(SERVICES),
    "count(concentric_ready == 1)": len(SERVICES),
    'concentric_cases{state="closed"}': 1,
    'concentric_cases{state="open"}': 1,
    'concentric_on_time_cases{colour="red",outcome="on_time"}': 1,
    'concentric_on_time_ratio{colour="all"}': 1,
    'concentric_satisfaction_ratio{level="all"}': 1,
    "sum(concentric_parked_messages)": 0,
    "sum(concentric_outbox_rows)": 0,
    # of each service one for its work, and one for what the broker gives up on
    'count(rabbitmq_detailed_queue_consumers{queue=~"concentric[.].+"} == 1)': 2 * len(SERVICES),
    'rabbitmq_detailed_queue_messages{queue="concentric.parked.v1"}': 0,
}
"""After one case that went through the loop, and one that lies open."""

Series = Callable[[str], list[dict[str, Any]]]


def check(stack: Stack) -> None:
    """Wait for each expected figure; raises `Failed` with what is there instead."""
    series = _by_prometheus(stack)
    for expression, value in EXPECTED.items():

        def there(expression: str = expression, value: float = value) -> bool | None:
            found = [float(each["value"][1]) for each in series(expression)]
            if found != [value]:
                raise Failed(f"it is {found}, not {value}")
            return True

        wait_for(expression, SOON, there)


def check_dashboard(stack: Stack) -> tuple[str, int]:
    """Ask what each panel asks; by whom it was asked, and how many queries found figures."""
    grafana = "grafana" in stack.running
    series = _by_grafana(stack) if grafana else _by_prometheus(stack)
    panels = json.loads(BOARD.read_text(encoding="utf-8"))["panels"]
    asked = 0
    for panel in panels:
        for target in panel.get("targets", ()):
            expression = target["expr"].replace("$__rate_interval", "2m")

            def there(expression: str = expression) -> bool | None:
                # A panel whose metric does not exist is answered with success and no series.
                found = [float(each["value"][1]) for each in series(expression)]
                return any(not math.isnan(number) for number in found) or None

            wait_for(f"figures for {panel['title']!r}: {expression}", SOON, there)
            asked += 1
    return ("Grafana" if grafana else "Prometheus"), asked


def check_alerts(stack: Stack) -> int:
    """The number of alert rules; raises `Failed` if one cannot be reckoned, or fires."""
    answer = stack.site("PROMETHEUS").ask("/api/v1/rules")
    rules = [rule for group in answer["data"]["groups"] for rule in group["rules"]]
    broken = [f"{rule['name']}: {rule['lastError']}" for rule in rules if rule["health"] == "err"]
    firing = [f"{rule['name']} fires" for rule in rules if rule["state"] == "firing"]
    if not rules or broken or firing:
        raise Failed("; ".join(broken + firing) or "Prometheus has no alert rules")
    return len(rules)


def _by_prometheus(stack: Stack) -> Series:
    site = stack.site("PROMETHEUS")
    return lambda expression: _result(site, f"/api/v1/query?query={quote(expression)}")


def _by_grafana(stack: Stack) -> Series:
    """Through Grafana and the data source that the dashboard, as Grafana has it, names."""
    site = stack.site("GRAFANA", "admin", stack.passwords["GRAFANA_PASSWORD"])
    board = site.ask("/api/dashboards/uid/promises-kept")["dashboard"]
    [source] = {panel["datasource"]["uid"] for panel in board["panels"] if panel.get("targets")}
    path = f"/api/datasources/proxy/uid/{source}/api/v1/query?query="
    return lambda expression: _result(site, path + quote(expression))


def _result(site: Site, path: str) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = site.ask(path)["data"]["result"]
    return result
