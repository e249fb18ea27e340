"""The installation under its own project name, ports and passwords, beside any that runs here."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from deploy.verify.asking import Failed, Site
from deploy.verify.images import ROOT

SERVICES = ("intake", "router", "deadline", "evaluation", "notify", "ledger")
OTHERS = ("rabbitmq", "postgres", "prometheus", "grafana")

PORTS = (
    "INTAKE_PORT",
    "ROUTER_PORT",
    "DEADLINE_PORT",
    "EVALUATION_PORT",
    "LEDGER_PORT",
    "NOTIFY_PORT",
    "AMQP_PORT",
    "RABBITMQ_MANAGEMENT_PORT",
    "PROMETHEUS_PORT",
    "GRAFANA_PORT",
)


def find_compose() -> list[str]:
    """`docker compose`, or the older `docker-compose`; raises `Failed` where there is neither."""
    if shutil.which("docker") is None:
        raise Failed("there is no `docker` here: install Docker and compose")
    newer = ["docker", "compose"]
    if subprocess.run([*newer, "version"], check=False, capture_output=True).returncode == 0:
        return newer
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise Failed("there is neither `docker compose` nor `docker-compose`: install one of them")


@dataclass
class Stack:
    """The containers of one trial."""

    project: str
    build_network: str
    ports: dict[str, int] = field(default_factory=lambda: _free_ports(PORTS))
    passwords: dict[str, str] = field(
        default_factory=lambda: {
            name: secrets.token_hex(12)
            for name in ("RABBITMQ_PASSWORD", "POSTGRES_PASSWORD", "GRAFANA_PASSWORD")
        }
    )
    running: tuple[str, ...] = ()
    """The compose services that were started."""
    command: list[str] = field(default_factory=find_compose)

    def site(self, port: str, user: str | None = None, password: str = "") -> Site:
        """What is published on a port, named as in `PORTS` without its ending."""
        return Site(f"http://127.0.0.1:{self.ports[f'{port}_PORT']}", user, password)

    def rabbitmq(self) -> Site:
        """RabbitMQ's management API."""
        return self.site("RABBITMQ_MANAGEMENT", "concentric", self.passwords["RABBITMQ_PASSWORD"])

    def build(self) -> None:
        """Make the image; all services share it."""
        self.compose("build", seconds=1800)

    def start(self, without: Sequence[str] = ()) -> None:
        """Start everything but the services named."""
        self.running = tuple(name for name in (*OTHERS, *SERVICES) if name not in without)
        self.compose("up", "--detach", "--no-build", *self.running, seconds=600)

    def states(self) -> dict[str, str]:
        """`healthy`, or what each container is instead, by compose service."""
        found = {}
        for each in self._inspect():
            state = each["State"]
            health = state.get("Health", {}).get("Status")
            name = each["Config"]["Labels"]["com.docker.compose.service"]
            found[name] = health if health and state["Running"] else state["Status"]
            if each["RestartCount"]:
                found[name] += f", restarted {each['RestartCount']} times"
        return found

    def stop(self) -> dict[str, int]:
        """Stop our services in an orderly way; the exit code of each."""
        self.compose("stop", *SERVICES, seconds=120)
        return {
            each["Config"]["Labels"]["com.docker.compose.service"]: each["State"]["ExitCode"]
            for each in self._inspect(*SERVICES)
        }

    def logs(self, lines: int) -> str:
        """The end of every container's log."""
        return self.compose("logs", "--no-color", f"--tail={lines}", seconds=60, check=False)

    def remove(self) -> None:
        """Containers, network and data; the image stays for the next time."""
        self.compose("down", "--volumes", "--remove-orphans", seconds=300)

    def inside(self, service: str, *command: str) -> str:
        """What a command prints in a service's container; raises `Failed` if it fails."""
        return self.compose("exec", "-T", service, *command, seconds=120)

    def compose(self, *arguments: str, seconds: float, check: bool = True) -> str:
        """What compose prints; raises `Failed` with it when it fails or takes too long."""
        command = [*self.command, *arguments]
        try:
            result = subprocess.run(
                command,
                cwd=ROOT,
                env={**os.environ, **self._environment()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as late:
            raise Failed(f"{' '.join(command)}: not done within {seconds:.0f} s") from late
        if check and result.returncode != 0:
            raise Failed(
                f"{' '.join(command)} ended with {result.returncode}:\n{result.stdout[-3000:]}"
            )
        return result.stdout

    def _inspect(self, *services: str) -> list[dict[str, Any]]:
        # Not by `compose ps`, some versions of which leave out stopped containers.
        mine = f"label=com.docker.compose.project={self.project}"
        listed = _docker("ps", "--all", "--quiet", "--no-trunc", "--filter", mine).split()
        found: list[dict[str, Any]] = json.loads(_docker("inspect", *listed)) if listed else []
        if not services:
            return found
        return [f for f in found if f["Config"]["Labels"]["com.docker.compose.service"] in services]

    def _environment(self) -> dict[str, str]:
        """Every choice of .env.example, so that no .env of this folder has a say."""
        return {
            **self.passwords,
            **{name: str(port) for name, port in self.ports.items()},
            "COMPOSE_PROJECT_NAME": self.project,
            "BIND": "127.0.0.1",
            "PUBLIC_URL": f"http://127.0.0.1:{self.ports['EVALUATION_PORT']}",
            "POLICY_FOLDER": "./examples/policies",
            "POLICY_FILE": "xiaoshan.yaml",
            "LOG_LEVEL": "info",
            "PROMETHEUS_RETENTION": "1d",
            "CONCENTRIC_TAG": "verify",
            "BUILD_NETWORK": self.build_network,
        }


def _docker(*arguments: str) -> str:
    result = subprocess.run(
        ["docker", *arguments], check=False, capture_output=True, text=True, timeout=60
    )
    if result.returncode != 0:
        raise Failed(f"docker {arguments[0]}: {result.stderr.strip()}")
    return result.stdout


def _free_ports(names: Sequence[str]) -> dict[str, int]:
    with ExitStack() as stack:
        sockets = {name: stack.enter_context(socket.socket()) for name in names}
        for each in sockets.values():
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in sockets.items()}
