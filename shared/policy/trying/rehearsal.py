"""Trying a candidate policy in a process of its own, before the running one meets it.

durable-rules is C code that some tables crash or hang. So a candidate is first loaded, compiled,
and compared with the reference interpreter, in a child process with limits of time and memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path
from time import monotonic

from shared.domain.errors import PolicyError, Problem, Refusal, Unavailable
from shared.policy.load import read_bytes

REFUSED = 3
"""Exit status of a trial that found problems and printed them."""

TIMEOUT = 20.0
"""Seconds: a table of 2,000 rows, all of which are looked at, takes about 5."""

VALID = 60.0
"""Seconds for which the outcome of a trial is remembered."""

REMEMBERED = 16
"""Outcomes that are."""


def rehearse(path: Path, timeout: float = TIMEOUT) -> str:
    """Try a policy file in a child process, for at most `timeout` seconds; its version.

    Raises:
        PolicyError: the file cannot be used, or its tables crash, hang or mislead the engine.
    """
    return rehearse_content(f"{path}", read_bytes(path), timeout)


def rehearse_content(file: str, content: bytes, timeout: float = TIMEOUT) -> str:
    """As `rehearse`, with what was read already, so that exactly this is tried and then taken."""
    command = [sys.executable, "-m", "shared.policy.trying.trial", file]
    # From the folder that holds `shared`, so that it is found wherever we were started.
    root = Path(__file__).resolve().parents[3]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter on our own module
            command, input=content, cwd=root, capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        message = f"Its trial did not end within {timeout:g} s."
        raise _refusal(file, "too-slow", message) from error
    if done.returncode == REFUSED:
        raise PolicyError(file, [Problem(**problem) for problem in json.loads(done.stdout)])
    if done.returncode == 0:
        return done.stdout.decode()
    last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    message = f"Its trial ended with status {done.returncode}. {last}".strip()
    raise _refusal(file, "crash", message)


class Trials:
    """Trials one at a time, each outcome remembered for a while.

    Whoever can wait tries a candidate beforehand; a handler, which cannot, then finds it tried.
    """

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self.timeout = timeout
        self._turn = threading.Lock()
        self._outcomes: OrderedDict[bytes, tuple[float, str | PolicyError]] = OrderedDict()

    def hold(self, content: str) -> None:
        """Try a candidate, unless that was done just now.

        Raises:
            Unavailable: others are being tried.
        """
        key = _key(content)
        if self._known(key) is not None:
            return
        if not self._turn.acquire(timeout=self.timeout):
            raise Unavailable("other policies are being tried")
        try:
            if self._known(key) is None:
                self._outcomes[key] = (monotonic(), self._outcome(content))
                while len(self._outcomes) > REMEMBERED:
                    self._outcomes.popitem(last=False)
        finally:
            self._turn.release()

    def passed(self, content: str) -> str:
        """The version of a candidate that was tried just now, and passed.

        Raises:
            Refusal: it did not pass, with every problem; or it was not tried.
        """
        outcome = self._known(_key(content))
        if outcome is None:
            message = "A policy is tried before it is taken: hand it in over HTTP, which waits."
            raise Refusal.of("content", "not-tried", message)
        if isinstance(outcome, PolicyError):
            raise Refusal(outcome.problems) from outcome
        return outcome

    def _known(self, key: bytes) -> str | PolicyError | None:
        at, outcome = self._outcomes.get(key, (0.0, None))
        return outcome if monotonic() - at < VALID else None

    def _outcome(self, content: str) -> str | PolicyError:
        try:
            return rehearse_content("candidate", content.encode(), self.timeout)
        except PolicyError as error:
            return error


def _key(content: str) -> bytes:
    return sha256(content.encode()).digest()


def _refusal(file: str, code: str, message: str) -> PolicyError:
    return PolicyError(file, [Problem(field="", code=code, message=message)])
