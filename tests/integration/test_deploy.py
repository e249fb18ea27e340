"""The installation's files agree with the code, with each other, and with who reads them."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.verify import figures, images, loop
from deploy.verify.stack import PORTS, SERVICES
from services.embedded.catalogue import NAMES
from shared.bus.listeners import LISTENERS
from shared.bus.topology import COMMANDS_EXCHANGE, EVENTS_EXCHANGE, PARKED, queue_name
from shared.settings import Settings
from tests.support.prometheus import promtool

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
CHOICES = re.findall(
    r"\$\{(\w+):-([^}]*)\}", re.sub(r"^#.*$", "", COMPOSE_TEXT, flags=re.MULTILINE)
)
ALERTS: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())
RULES = {rule["alert"]: rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]}


def environment(name: str) -> dict[str, str]:
    settings: dict[str, str] = COMPOSE["services"][name]["environment"]
    return settings


def test_every_service_of_the_house_runs_from_the_one_image() -> None:
    services = COMPOSE["services"]
    for name in NAMES:
        assert services[name]["command"] == ["serve", name]
        assert services[name]["image"] == services[NAMES[0]]["image"]
        more = environment(name).keys() - environment(NAMES[0]).keys()
        assert environment(name).items() >= environment(NAMES[0]).items()
        assert not more or name == "notify"  # the secrets of servers outside
    assert SERVICES == NAMES


def test_the_image_is_made_once_and_by_the_service_with_which_compose_begins() -> None:
    made = [name for name, each in COMPOSE["services"].items() if "build" in each]
    ours = [name for name in COMPOSE["services"] if name in NAMES]
    assert made == ours[-1:]
    assert {COMPOSE["services"][name]["pull_policy"] for name in NAMES} == {"never"}


def test_a_service_gets_all_settings_without_which_it_cannot_start() -> None:
    given = {
        name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        for name, value in environment("router").items()
    }
    settings = Settings.read(given)
    assert settings.amqp().startswith("amqp://concentric:")
    assert str(settings.database()).startswith("postgresql://concentric:")
    assert settings.policy is not None
    assert (ROOT / "examples/policies" / settings.policy.name).exists()
    assert settings.public_url is not None


def test_compose_waits_longer_than_a_service_needs_to_drain() -> None:
    drain = Settings.model_fields["drain"].default
    for name in NAMES:
        assert int(COMPOSE["services"][name]["stop_grace_period"].removesuffix("s")) > drain


def test_nothing_is_published_beyond_this_machine_unless_asked_for() -> None:
    published = [port for each in COMPOSE["services"].values() for port in each.get("ports", ())]
    assert published
    for port in published:
        assert port.startswith("${BIND:-127.0.0.1}:"), port
    assert not COMPOSE["services"]["postgres"].get("ports")


def test_the_file_is_one_for_the_old_compose_and_the_new() -> None:
    assert COMPOSE["version"] == "3.8"  # docker-compose 1.29 reads it by this
    assert "name" not in COMPOSE
    assert "configs" not in COMPOSE
    assert not [d for _, d in CHOICES if "${" in d], "1.29 knows no choice inside a choice"


def test_every_choice_is_explained_where_people_make_it() -> None:
    explained = re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    passwords = {name for name, _ in explained if name.endswith("_PASSWORD")}
    assert {name for name, _ in explained} == {name for name, _ in CHOICES}
    defaults = {name: value for name, value in explained if name not in passwords}
    assert defaults == {name: value for name, value in CHOICES if name not in passwords}


def test_images_have_a_version_and_no_registry() -> None:
    for image in images.wanted():
        name, _, version = image.rpartition(":")
        assert re.match(r"v?\d", version), f"{image} may be another one tomorrow"
        assert "." not in name.split("/")[0], f"{image} names a registry"


def test_only_grafana_has_no_stand_in() -> None:
    without = {image for image in images.wanted() if image.rpartition(":")[0] not in images.KINDS}
    assert [image.split(":")[0] for image in without] == ["grafana/grafana"]


def test_the_proof_has_a_port_of_its_own_for_everything_published() -> None:
    assert set(PORTS) == {name for name, _ in CHOICES if name.endswith("_PORT")}


def test_the_proof_uses_the_names_that_the_bus_uses() -> None:
    assert (loop.EVENTS, loop.COMMANDS) == (EVENTS_EXCHANGE, COMMANDS_EXCHANGE)
    assert any(PARKED in expression for expression in figures.EXPECTED)


def test_prometheus_looks_at_every_service() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    [job] = [job for job in config["scrape_configs"] if job["job_name"] == "concentric"]
    port = environment("intake")["CONCENTRIC_PORT"]
    assert job["static_configs"] == [{"targets": [f"{name}:{port}" for name in NAMES]}]


def test_prometheus_can_read_its_files() -> None:
    promtool("check", "config", "prometheus.yml", folder=DEPLOY / "prometheus")


def test_alerts_fire_when_they_should_and_not_before() -> None:
    promtool("test", "rules", "alerts_test.yml", folder=DEPLOY / "prometheus")


def test_every_alert_is_seen_to_fire() -> None:
    tests = yaml.safe_load((DEPLOY / "prometheus/alerts_test.yml").read_text())["tests"]
    fired = {
        each["alertname"] for t in tests for each in t["alert_rule_test"] if each["exp_alerts"]
    }
    assert fired == set(RULES)


@pytest.mark.parametrize("alert", ["QueueUnattended", "QueueGrows"])
def test_alerts_watch_the_queues_of_the_services_and_no_other(alert: str) -> None:
    [pattern] = re.findall(r'queue=~"([^"]+)"', RULES[alert])
    [but] = re.findall(r'queue!="([^"]+)"', RULES[alert])
    queues = [queue_name(each.service) for each in LISTENERS]
    assert all(re.fullmatch(pattern, queue) and queue != but for queue in queues)
    assert re.fullmatch(pattern, PARKED)
    assert but == PARKED


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server that answers everything with one status; its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def health(port: int) -> int:
    # Containers may be told of a proxy, which must not be asked about the container itself.
    given = {"CONCENTRIC_PORT": str(port), "http_proxy": "http://127.0.0.1:9"}
    check = [sys.executable, str(DEPLOY / "healthcheck.py")]
    return subprocess.run(check, env={**os.environ, **given}, check=False, timeout=20).returncode


def test_a_service_is_healthy_while_it_answers() -> None:
    with answering(200) as port:
        assert health(port) == 0
    assert health(port) == 1, "nobody is there any more"
    with answering(500) as port:
        assert health(port) == 1
