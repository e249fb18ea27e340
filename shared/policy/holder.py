"""The running policy of a process: swapped when its file changes, kept when the file is bad."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from shared.policy.engine import OnFallback
from shared.policy.load import load_policy, parse_policy, read_bytes, version_of
from shared.policy.policy import CompiledPolicy
from shared.policy.rehearsal import rehearse_content

Rehearsal = Callable[[str, bytes], None]
"""Tries the content of a file, named for errors; raises PolicyError."""


class PolicyHolder:
    """Holds the policy of one file.

    Whoever took `current` before a swap keeps a whole version; its engine is freed when the last
    holder lets go of it.
    """

    def __init__(
        self,
        path: Path,
        *,
        on_fallback: OnFallback | None = None,
        rehearsal: Rehearsal | None = rehearse_content,
    ) -> None:
        """Load the file; None as `rehearsal` trusts changed files without trying them apart.

        Raises:
            PolicyError: the file cannot be used.
        """
        self._path = path
        self._on_fallback = on_fallback
        self._rehearsal = rehearsal
        self._lock = threading.Lock()
        self._seen = self._stamp()
        self._current = load_policy(path, on_fallback)

    @property
    def current(self) -> CompiledPolicy:
        """The running policy."""
        return self._current

    def refresh(self) -> bool:
        """Take over a changed file; whether the policy is another one now.

        Raises:
            PolicyError: the changed file cannot be used: the running policy stays, and the same
                bad file is not tried again before it changes.
        """
        with self._lock:
            stamp = self._stamp()
            if stamp == self._seen:
                return False
            self._seen = stamp
            content = read_bytes(self._path)
            if version_of(self._current.name, content) == self._current.version:
                return False
            if self._rehearsal is not None:
                self._rehearsal(f"{self._path}", content)
            self._current = parse_policy(f"{self._path}", content, self._on_fallback)
            return True

    def _stamp(self) -> tuple[int, int, int]:
        """What changes with every way of writing a file; zeros while it is away."""
        try:
            status = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (status.st_mtime_ns, status.st_size, status.st_ino)
