"""The books of an installation, proved by its own command."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.support.processes import concentric, environment


def audited(folder: Path, database: str | None = None) -> dict[str, dict[str, int]]:
    """The counts of each service, once all is quiet; raises where `concentric audit` complains."""
    audit = subprocess.run(
        [concentric(), "audit", "--json", "--wait", "90"],
        env={"PATH": os.environ["PATH"], **environment(folder, database)},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert audit.returncode == 0, audit.stdout[-3000:] + audit.stderr[-3000:]
    books: dict[str, dict[str, int]] = json.loads(audit.stdout)["services"]
    return books


def all_closed(folder: Path, database: str | None, cases: int) -> None:
    """Every service knows exactly so many cases, and has every one of them as closed."""
    expected = {"recorded": cases, "open": 0, "closed": cases, "withdrawn": 0}
    for service, book in audited(folder, database).items():
        assert {name: book[name] for name in expected} == expected, (service, book)
