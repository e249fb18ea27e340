"""CPU and memory of the processes that take part in a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psutil

SERVERS = {"beam.smp": "broker", "postgres": "database"}
"""Processes of this machine that belong to a server, by name."""


@dataclass
class Usage:
    """What some processes used between two moments."""

    cpu_seconds: dict[str, float]
    """By part: `python`, `broker`, `database`."""
    peak_mb: float
    """Of the largest Python process, at its end."""


class Meter:
    """Measures from its making to `stop`."""

    def __init__(self, pids: Sequence[int], *, servers: bool) -> None:
        self._python = [psutil.Process(pid) for pid in pids]
        self._servers = list(_servers()) if servers else []
        self._before = self._seconds()

    def stop(self) -> Usage:
        """What has been used since."""
        after = self._seconds()
        return Usage(
            cpu_seconds={part: after[part] - self._before[part] for part in after},
            peak_mb=max(resident_mb(process.pid, peak=True) for process in self._python),
        )

    def _seconds(self) -> dict[str, float]:
        seconds = {"python": sum(_cpu(process) for process in self._python)}
        for process, part in self._servers:
            seconds[part] = seconds.get(part, 0.0) + _cpu(process)
        return seconds


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def resident_mb(pid: int, *, peak: bool = False) -> float:
    """MiB of resident memory of a process, or the kernel's own high-water mark of it."""
    field = "VmHWM" if peak else "VmRSS"
    with open(f"/proc/{pid}/status", encoding="ascii") as status:  # noqa: PTH123 - not a file
        kilobytes = next(line.split()[1] for line in status if line.startswith(field))
    return int(kilobytes) / 1024


def _servers() -> Iterable[tuple[psutil.Process, str]]:
    for process in psutil.process_iter(["name"]):
        part = SERVERS.get(process.info["name"])
        if part is not None:
            yield process, part
