"""Servers in containers, where a Docker engine answers."""

import os
import sys
from collections.abc import Mapping
from contextlib import closing

import docker
import docker.errors
from testcontainers.core.container import DockerContainer

from tests.support.servers.server import USER, Server, free_ports, new_password, until_it_answers

RABBITMQ_IMAGE = "rabbitmq:4.1-management"
POSTGRES_IMAGE = "postgres:17"

_PULL_SECONDS = 120  # without a sign of life


def available(image: str) -> bool:
    """Whether an engine answers that has the image, or can pull it."""
    try:
        with closing(docker.from_env(timeout=_PULL_SECONDS)) as engine:
            engine.ping()
            try:
                engine.images.get(image)
            except docker.errors.ImageNotFound:
                print(f"servers: pulling {image}", file=sys.stderr)
                engine.images.pull(image)
    except (docker.errors.APIError, OSError) as problem:
        print(f"servers: not using Docker, which has no {image}: {problem}", file=sys.stderr)
        return False
    except docker.errors.DockerException:
        return False  # no engine
    return True


class _Container(Server):
    def __init__(self, image: str, ports: Mapping[int, int], settings: Mapping[str, str]) -> None:
        # The helper that removes forgotten containers is one more image that a machine may not get.
        os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
        self._container = DockerContainer(image).with_envs(**settings)
        for inside, outside in ports.items():
            # Chosen here, because Docker would choose another one when the container starts again.
            self._container.with_bind_ports(inside, outside)
        self.host = self._container.get_container_host_ip()
        self.described = f"{image} in a container on port {next(iter(ports.values()))}"

    def start(self) -> None:
        if (container := self._container.get_wrapped_container()) is None:
            self._container.start()
        else:
            container.start()
        until_it_answers(self)

    def stop(self) -> None:
        self._container.get_wrapped_container().stop()

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()

    def close(self) -> None:
        self._container.stop()


class RabbitContainer(_Container):
    """RabbitMQ in a container."""

    def __init__(self) -> None:
        port, management = free_ports(2)
        password = new_password()
        super().__init__(
            RABBITMQ_IMAGE,
            {5672: port, 15672: management},
            {"RABBITMQ_DEFAULT_USER": USER, "RABBITMQ_DEFAULT_PASS": password},
        )
        self.url = f"amqp://{USER}:{password}@{self.host}:{port}/%2F"
        self.management_url = f"http://{USER}:{password}@{self.host}:{management}"


class PostgresContainer(_Container):
    """PostgreSQL in a container."""

    def __init__(self) -> None:
        [port] = free_ports(1)
        password = new_password()
        super().__init__(
            POSTGRES_IMAGE, {5432: port}, {"POSTGRES_USER": USER, "POSTGRES_PASSWORD": password}
        )
        self.url = f"postgresql+psycopg://{USER}:{password}@{self.host}:{port}/{USER}"
