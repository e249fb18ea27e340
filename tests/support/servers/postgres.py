"""A private PostgreSQL."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.servers.install import installed
from tests.support.servers.private import PrivateNode, clean_environment, group_of
from tests.support.servers.server import USER, ServerError, free_ports


class PrivatePostgres(PrivateNode):
    """A PostgreSQL with its own data; durable as in production (fsync stays on)."""

    stop_signal = signal.SIGINT  # "fast": sessions are ended, what is committed is written

    def __init__(self) -> None:
        programs = installed(_find_programs, "PostgreSQL", "DATABASE_URL", "postgresql")
        super().__init__()
        [self._port] = free_ports(1)
        self._programs = programs
        self._user = _unprivileged_user()
        self._data = self.folder / "data"
        self.url = f"postgresql+psycopg://{USER}:{self.password}@127.0.0.1:{self._port}/{USER}"
        self.described = f"private PostgreSQL on port {self._port}"

    def start(self) -> None:
        if not self._data.exists():
            self._create()
        # No socket file: the folder's path may be longer than a socket's may be.
        # Its buffers are a quarter of a small machine's memory, as docs/operations.md advises.
        settings = (
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
            "shared_buffers=1GB",
            "max_wal_size=2GB",
        )
        self.spawn(
            [
                self._programs / "postgres",
                *("-D", self._data),
                *("-p", str(self._port)),
                *(word for setting in settings for word in ("-c", setting)),
            ],
            env=clean_environment(),
            user=self._user,
        )
        self.until_ready()

    def _create(self) -> None:
        password = self.folder / "password"
        password.write_text(self.password)
        if self._user is not None:
            for path in (self.folder, password):
                shutil.chown(path, self._user)
        locale = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        self._run(
            "initdb",
            "-D",
            self._data,
            "-U",
            USER,
            "--pwfile",
            password,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            f"--locale={locale}",
            "--no-sync",
        )
        self._run(
            "postgres",
            "--single",
            "-D",
            self._data,
            "postgres",
            input_=f"CREATE DATABASE {USER};\n",
        )

    def _run(self, program: str, *arguments: str | Path, input_: str = "") -> None:
        result = subprocess.run(
            [self._programs / program, *arguments],
            cwd=self.folder,
            env=clean_environment(),
            user=self._user,
            group=group_of(self._user),
            extra_groups=None if self._user is None else [],
            input=input_,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise ServerError(f"{program} failed:\n{result.stderr[-2000:]}")


def _find_programs() -> Path | None:
    """The folder of the newest server's programs; pg_config may belong to a client alone."""
    folders = [
        path
        for pattern in (
            "usr/lib/postgresql/*/bin",
            "opt/homebrew/opt/postgresql@*/bin",
            "usr/local/opt/postgresql@*/bin",
        )
        for path in sorted(Path("/").glob(pattern), key=_version, reverse=True)
    ]
    if (pg_config := shutil.which("pg_config")) is not None:
        told = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        folders.insert(0, Path(told.stdout.strip()))
    return next((each for each in folders if (each / "initdb").exists()), None)


def _version(folder: Path) -> int:
    return int(folder.parent.name.rpartition("@")[2] or 0)


def _unprivileged_user() -> str | None:
    """Whom to run as; PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    users = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in users)
