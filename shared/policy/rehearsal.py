"""Trying a candidate policy in a process of its own, before the running one meets it.

durable-rules is C code that some tables crash or hang. So a changed file is first loaded,
compiled, and compared with the reference interpreter, in a child process with a time limit.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from shared.domain.errors import PolicyError, Problem
from shared.policy.load import read_bytes

REFUSED = 3
"""Exit status of a trial that found problems and printed them."""

TIMEOUT = 20.0
"""Seconds: a table of 2,000 rows, all of which are looked at, takes about 5."""


def rehearse(path: Path, timeout: float = TIMEOUT) -> None:
    """Try a policy file in a child process, for at most `timeout` seconds.

    Raises:
        PolicyError: the file cannot be used, or its tables crash, hang or mislead the engine.
    """
    rehearse_content(f"{path}", read_bytes(path), timeout)


def rehearse_content(file: str, content: bytes, timeout: float = TIMEOUT) -> None:
    """As `rehearse`, with what was read already, so that exactly this is tried and then taken."""
    command = [sys.executable, "-m", "shared.policy.trial", file]
    # From the folder that holds `shared`, so that it is found wherever we were started.
    root = Path(__file__).resolve().parents[2]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter on our own module
            command, input=content, cwd=root, capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        message = f"Its trial did not end within {timeout:g} s."
        raise _refusal(file, "too-slow", message) from error
    if done.returncode == REFUSED:
        raise PolicyError(file, [Problem(**problem) for problem in json.loads(done.stdout)])
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        message = f"Its trial ended with status {done.returncode}. {last}".strip()
        raise _refusal(file, "crash", message)


def _refusal(file: str, code: str, message: str) -> PolicyError:
    return PolicyError(file, [Problem(field="", code=code, message=message)])
