"""Installing a server's programs where they are missing and that can be done without asking."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers.server import ServerError

_FORMULAE = {"rabbitmq-server": "rabbitmq", "postgresql": "postgresql@17"}
_POLICY = Path("/usr/sbin/policy-rc.d")


def installed(find: Callable[[], Path | None], name: str, variable: str, package: str) -> Path:
    """The programs that `find` finds, after installing Debian's `package` if need be.

    Raises:
        ServerError: they are missing and cannot be installed from here.
    """
    found = ensured(find, package)
    if found is None:
        raise ServerError(
            f"There is no {name} here. Install it (Debian: apt-get install {package}; "
            f"macOS: brew install {_FORMULAE[package]}), start Docker, "
            f"or name a running one in {variable}."
        )
    return found


def ensured(find: Callable[[], Path | None], package: str) -> Path | None:
    """What `find` finds, after installing Debian's `package` where that is needed and possible."""
    found = find()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        # Another test run may be installing the same.
        with (Path(tempfile.gettempdir()) / "concentric-install.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (found := find()) is None:
                _install(package)
                found = find()
    return found


def _install(package: str) -> None:
    print(f"servers: installing {package}", file=sys.stderr)
    with _no_daemons():
        for arguments in (["update"], ["install", "-y", "--no-install-recommends", package]):
            result = subprocess.run(
                ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *arguments],
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=900,
            )
            if result.returncode != 0:
                raise ServerError(
                    f"apt-get {arguments[0]} failed; install {package} by hand:\n"
                    f"{result.stderr[-2000:]}"
                )


@contextmanager
def _no_daemons() -> Iterator[None]:
    """Keep Debian from starting the package's own server; an existing policy is left in force."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
