"""A private RabbitMQ."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

from tests.support.servers.install import installed
from tests.support.servers.private import PrivateNode, clean_environment
from tests.support.servers.server import USER, ServerError, free_ports

# On Debian, /usr/sbin/rabbitmq-server insists on the user of the machine's own node.
_FOLDERS = ("/usr/lib/rabbitmq/bin", "/opt/homebrew/sbin", "/usr/local/sbin")


class PrivateRabbit(PrivateNode):
    """A RabbitMQ node with its own data, Erlang cookie, port mapper and management API."""

    def __init__(self, data: Path | None = None) -> None:
        """`data` is where it keeps its messages, if not in its own folder."""
        self._program = installed(_find_server, "RabbitMQ", "AMQP_URL", "rabbitmq-server")
        self._data = data
        super().__init__()
        self._port, self._management, self._distribution, self._mapper = free_ports(4)
        self.url = f"amqp://{USER}:{self.password}@127.0.0.1:{self._port}/%2F"
        self.management_url = f"http://{USER}:{self.password}@127.0.0.1:{self._management}"
        self.described = f"private RabbitMQ on port {self._port}, pages on {self._management}"
        (self.folder / "plugins").write_text("[rabbitmq_management].\n")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self._port}\n"
            f"management.tcp.ip = 127.0.0.1\n"
            f"management.tcp.port = {self._management}\n"
            f"default_user = {USER}\n"
            f"default_pass = {self.password}\n"
        )

    def start(self) -> None:
        environment = self._environment()
        self._start_mapper(environment)
        self.spawn([self._program], env=environment)
        self.until_ready()

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` does on this node, and says."""
        done = subprocess.run(
            [self._program.with_name("rabbitmqctl"), "--quiet", *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ServerError(f"rabbitmqctl {' '.join(arguments)} failed:\n{done.stderr}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        return clean_environment() | {
            "HOME": str(self.folder),  # where Erlang keeps its cookie
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._mapper),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_MNESIA_BASE": str(self._data or self.folder / "data"),
            "RABBITMQ_NODENAME": f"concentric-{self._port}@localhost",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ("-kernel inet_dist_use_interface {127,0,0,1}"),
            # Files that do not exist: the settings of the machine's own node are not for this one.
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_CONFIG_FILES": str(self.folder / "conf.d"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "rabbitmq-env.conf"),
        }

    def _start_mapper(self, environment: dict[str, str]) -> None:
        """Start Erlang's port mapper: one that the node starts itself would stay for ever."""
        self.spawn(["epmd", "-address", "127.0.0.1", "-port", str(self._mapper)], env=environment)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._mapper), timeout=1).close()
            except OSError as problem:
                if time.monotonic() > deadline:
                    raise ServerError(f"epmd does not answer on port {self._mapper}") from problem
                time.sleep(0.02)
            else:
                return


def _find_server() -> Path | None:
    if shutil.which("epmd") is None:
        return None
    named = (Path(folder) / "rabbitmq-server" for folder in _FOLDERS)
    found = next((path for path in named if path.exists()), None)
    return found or (Path(on_path) if (on_path := shutil.which("rabbitmq-server")) else None)
