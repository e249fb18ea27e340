"""Soak an installation of its own: `python -m bench.soak --minutes 10` (`make soak MINUTES=10`).

Six services on RabbitMQ and PostgreSQL carry a steady load of whole cases, while services and
servers are killed and restarted at random. At the end everything must drain, every accepted case be
closed, and `concentric audit` balance; the exit code is 1 where it does not.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.soak.run import Report, soak
from bench.soak.strikes import at_random


def main() -> int:
    """Read the command line, soak, report."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="length of the load")
    parser.add_argument("--rate", type=float, default=10, help="cases a second")
    parser.add_argument("--seed", type=int, help="repeat the strikes of an earlier soak")
    options = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    _say(f"seed {seed}, {options.minutes:g} minutes, {options.rate:g} cases a second")
    folder = Path(tempfile.mkdtemp(prefix="concentric-soak-"))
    report = soak(folder, at_random(seed), options.minutes * 60, options.rate, _say)
    _show(report, seed)
    if report.failure is not None:
        _say(f"the logs of the services are in {folder}")
        return 1
    for log in folder.iterdir():
        log.unlink()
    folder.rmdir()
    return 0


def _show(report: Report, seed: int) -> None:
    console = Console()
    table = Table(title=f"Soak, seed {seed}: seconds until the next case came through")
    for column in ("strike", "times", "median", "longest"):
        table.add_column(column, justify="left" if column == "strike" else "right")
    for kind, took in sorted(report.recoveries.items()):
        table.add_row(kind, f"{len(took)}", f"{median(took):.1f}", f"{max(took):.1f}")
    console.print(table)
    console.print(
        f"{report.accepted} cases accepted in {report.seconds:.0f} s, {report.closed} closed;"
        f" drained and audited in {report.draining:.1f} s"
    )
    console.print(f"audit: {report.failure or 'the books balance, every case is closed'}")


def _say(what: str) -> None:
    print(f"soak: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
