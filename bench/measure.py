"""CPU and memory of the processes that take part in a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from bench.loop import Pace


@dataclass
class Usage:
    """What some processes used between two moments."""

    cpu_seconds: dict[str, float]
    """By part: `python`, `broker`, `database`."""
    peak_mb: float
    """Of the largest Python process, at its end."""


Burst = tuple[Pace, Usage]
"""How long a burst of cases took, and what was used until the journal's last entry."""


class Meter:
    """Measures from its making to `stop`."""

    def __init__(self, pids: Sequence[int], servers: Mapping[str, str] | None = None) -> None:
        """`servers` are URLs by part; only those of this machine can be measured."""
        self._pids = pids
        self._parts = [(psutil.Process(pid), "python") for pid in pids]
        self._parts += [
            (process, part) for part, url in (servers or {}).items() for process in _server(url)
        ]
        self._before = [_cpu(process) for process, _ in self._parts]

    def stop(self) -> Usage:
        """What has been used since by those that are still there."""
        used = dict.fromkeys((part for _, part in self._parts), 0.0)
        for (process, part), before in zip(self._parts, self._before, strict=True):
            used[part] += max(0.0, _cpu(process) - before)
        peak = max(resident_mb(pid, peak=True) for pid in self._pids)
        return Usage(cpu_seconds=used, peak_mb=peak)


def _cpu(process: psutil.Process) -> float:
    """Seconds of processor time; 0 for one that has ended, such as a session of a database."""
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


def _server(url: str) -> Iterable[psutil.Process]:
    """The processes behind a port of this machine: whoever listens there, and its children."""
    port = urlsplit(url).port
    listening = {
        each.pid
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.pid and each.laddr and each.laddr.port == port
    }
    # PostgreSQL's sessions are children that have inherited the port
    for process in map(psutil.Process, listening):
        yield process
        yield from process.children(recursive=True)
