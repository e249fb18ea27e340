"""A small disk of the test's own, to be filled to the last byte: root alone can mount one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

CHUNK = b"\0" * 65536


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount a disk of so many megabytes on a folder, and take it away afterwards."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        yield SmallDisk(folder)
    finally:
        # lazily: a server that still ends there does not keep the folder for ever
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


class SmallDisk:
    """A mounted disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room."""
        # unbuffered: what does not go onto the disk any more is left out, to the last byte
        with self._ballast.open("ab", buffering=0) as ballast, suppress(OSError):
            while ballast.write(CHUNK):
                pass

    def make_room(self) -> None:
        """Take away what `fill` wrote."""
        self._ballast.unlink()
