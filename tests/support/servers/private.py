"""Private nodes: servers run from a folder of their own, which vanish with whoever started them."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from tests.support.servers.server import Server, new_password, until_it_answers


class PrivateNode(Server):
    """A server as processes of our own, listening on loopback only.

    Attributes:
        folder: data, settings and logs.
    """

    stop_signal = signal.SIGTERM

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="concentric-"))
        self.password = new_password()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._guards: list[subprocess.Popen[bytes]] = []

    def spawn(
        self, command: Sequence[str | Path], *, env: Mapping[str, str], user: str | None = None
    ) -> None:
        """Start one of the node's processes; the last one started is the server itself."""
        with (self.folder / "output").open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=env,
                user=user,
                group=group_of(user),
                extra_groups=None if user is None else [],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # A Ctrl-C at the terminal is for the tests, which stop the servers at their end.
                start_new_session=True,
            )
        self._processes.append(process)
        self._guards.append(guard(process.pid, self.folder))

    def until_ready(self) -> None:
        """Wait until the server answers; say what it wrote if it ended instead."""
        until_it_answers(self, give_up=self._why_it_ended)

    def stop(self) -> None:
        self._release_guards()
        for process in reversed(self._processes):
            process.send_signal(self.stop_signal)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                break
        self.kill()

    def kill(self) -> None:
        self._release_guards()
        for process in self._processes:
            if process.poll() is None:
                family = psutil.Process(process.pid).children(recursive=True)
                process.kill()
                for each in family:
                    with suppress(psutil.NoSuchProcess):
                        each.kill()
                process.wait()
                psutil.wait_procs(family, timeout=10)
        self._processes.clear()

    def close(self) -> None:
        self.kill()  # quicker than an orderly stop, and nobody will miss the data
        shutil.rmtree(self.folder, ignore_errors=True)

    def _why_it_ended(self) -> str | None:
        if self._processes[-1].poll() is None:
            return None
        output = (self.folder / "output").read_text(errors="replace")
        return (
            f"ended with code {self._processes[-1].returncode}; its last output:\n{output[-2000:]}"
        )

    def _release_guards(self) -> None:
        for each in self._guards:
            release(each)
        self._guards.clear()


def guard(pid: int, folder: Path | None = None) -> subprocess.Popen[bytes]:
    """Have a process group killed and a folder removed when this process ends, however it ends.

    A test run that is killed cannot clean up. The guard waits at a pipe whose other end only this
    process holds, so that the system closes it in every case.
    """
    script = 'read -r _; kill -s KILL -- "-$1"; test -z "$2" || rm -rf "$2"'
    return subprocess.Popen(
        ["/bin/sh", "-c", script, "guard", str(pid), str(folder or "")],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def release(guarding: subprocess.Popen[bytes]) -> None:
    """Send a guard home: what it guards is stopped in the ordinary way."""
    guarding.kill()
    guarding.communicate()


def clean_environment() -> dict[str, str]:
    """The environment without settings that are meant for other servers of this machine."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RABBITMQ_", "ERL_", "PG"))
    }


def group_of(user: str | None) -> int | None:
    """The group that a process run as this user belongs to."""
    return None if user is None else pwd.getpwnam(user).pw_gid
