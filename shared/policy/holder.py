"""The policy of a process: which version is in force, and which come next.

A version is taken some seconds before it is in force, so that nobody waits while it is compiled.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

from shared.domain.policy import PolicyVersion
from shared.policy.engine.durable import OnFallback
from shared.policy.load import load_policy, parse_policy
from shared.policy.policy import CompiledPolicy


class PolicyHolder:
    """Holds the policy in force and those that were applied and are not yet in force.

    Whoever took one keeps it whole; its engine is freed when the last holder lets go of it.
    """

    def __init__(
        self,
        path: Path,
        *,
        on_fallback: OnFallback | None = None,
        stored: PolicyVersion | None = None,
    ) -> None:
        """Begin with the stored version; the house's first begins with the file.

        Raises:
            PolicyError: what it begins with cannot be used.
        """
        self.path = path
        """The house's own file, to which somebody else looks."""
        self.known = stored.number if stored else 0
        """The highest number that was taken, whether or not it could be used."""
        self._on_fallback = on_fallback
        self._taking = threading.Lock()
        self._turn = threading.Lock()
        self._current = load_policy(path, on_fallback) if stored is None else self._read(stored)
        self._coming: list[tuple[datetime, CompiledPolicy]] = []
        """By number."""

    @property
    def current(self) -> CompiledPolicy:
        """The policy in force at present."""
        return self.at(datetime.now(UTC))

    def at(self, now: datetime) -> CompiledPolicy:
        """The policy in force; one that has been superseded does not come back."""
        if self._coming:
            with self._turn:
                due = [place for place, (at, _) in enumerate(self._coming) if at <= now]
                if due:
                    self._current = self._coming[due[-1]][1]
                    del self._coming[: due[-1] + 1]
        return self._current

    @property
    def coming(self) -> bool:
        """Whether a version has been taken that was not yet in force when it was last asked for."""
        return bool(self._coming)

    def take(self, stored: PolicyVersion) -> bool:
        """Take a version over from its `effective_at` on; whether it was unknown.

        Raises:
            PolicyError: this release cannot use it: the one in force stays. It is not tried again.
        """
        with self._taking:
            if stored.number <= self.known:
                return False
            self.known = stored.number
            compiled = self._in_use(stored.version) or self._read(stored)
            with self._turn:
                self._coming.append((stored.effective_at, compiled))
            return True

    def _in_use(self, version: str) -> CompiledPolicy | None:
        """The policy of this version, where the same content is applied again."""
        with self._turn:
            held = (self._current, *(each for _, each in self._coming))
        return next((each for each in held if each.version == version), None)

    def _read(self, stored: PolicyVersion) -> CompiledPolicy:
        return parse_policy(stored.version, stored.content.encode(), self._on_fallback)
