"""Servers in containers, where a Docker engine answers."""

import os
import sys
from abc import abstractmethod
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
        self._created = False
        self.described = f"{image} in a container on port {next(iter(ports.values()))}"

    @abstractmethod
    def _reached_at(self, host: str) -> None:
        """Set the URLs; only a running container has a host."""

    def start(self) -> None:
        if self._created:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._created = True
            self._reached_at(self._container.get_container_host_ip())
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
        self._port, self._management = free_ports(2)
        self._login = f"{USER}:{(password := new_password())}"
        super().__init__(
            RABBITMQ_IMAGE,
            {5672: self._port, 15672: self._management},
            {"RABBITMQ_DEFAULT_USER": USER, "RABBITMQ_DEFAULT_PASS": password},
        )

    def _reached_at(self, host: str) -> None:
        self.url = f"amqp://{self._login}@{host}:{self._port}/%2F"
        self.management_url = f"http://{self._login}@{host}:{self._management}"


class PostgresContainer(_Container):
    """PostgreSQL in a container."""

    def __init__(self) -> None:
        [self._port] = free_ports(1)
        self._login = f"{USER}:{(password := new_password())}"
        super().__init__(
            POSTGRES_IMAGE,
            {5432: self._port},
            {"POSTGRES_USER": USER, "POSTGRES_PASSWORD": password},
        )

    def _reached_at(self, host: str) -> None:
        self.url = f"postgresql+psycopg://{self._login}@{host}:{self._port}/{USER}"
