"""durable-rules behind one small protocol, fenced in.

Why each fence stands is told in `docs/decisions/durable-rules-fenced.md`.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

# Only the extension: durable.engine.Host starts two threads that steal actions and crash.
import durable_rules_engine as ext  # type: ignore[import-not-found]

from shared.policy import interpreter
from shared.policy.compile import Chunk, Codes, Program, compile_table
from shared.policy.table import Facts, Table

REMEMBERED = 8192
"""Decisions remembered per table: about 2 MB when full."""

OnFallback = Callable[[str], None]
"""Told, with the error, each time the reference interpreter had to stand in for the engine."""

_SID = "0"
"""The one state of each ruleset: every message goes without a `sid`, which means this."""

_numbers = itertools.count()


class Engine(Protocol):
    """Finds the row of a table that decides."""

    def first(self, facts: Facts) -> int | None:
        """The index of the first row that matches, or None where none does."""


class EngineError(Exception):
    """durable-rules answered with an error or with nonsense."""


class _Closed(Exception):
    """The rulesets have been deleted on purpose."""


class DurableEngine:
    """One table in durable-rules: chunk by chunk, under one lock, remembered, with a fall-back."""

    def __init__(self, table: Table, on_fallback: OnFallback | None = None) -> None:
        self._table = table
        self._program = compile_table(table)
        self._on_fallback = on_fallback
        self._rulesets = _Rulesets(self._program)
        self._remembered = lru_cache(REMEMBERED)(self._rulesets.first)
        self._close = weakref.finalize(self, self._rulesets.close)
        # At the interpreter's end the process takes its memory with it.
        self._close.atexit = False
        self.fallbacks = 0

    def first(self, facts: Facts) -> int | None:
        """The index of the first row that matches, or None where none does."""
        try:
            return self._remembered(self._program.codes(facts))
        except _Closed:
            return interpreter.first(self._table, facts)
        except Exception as error:  # noqa: BLE001 - whatever happens there, a decision is owed
            self.fallbacks += 1
            if self._on_fallback is not None:
                self._on_fallback(f"{type(error).__name__}: {error}")
            return interpreter.first(self._table, facts)

    def close(self) -> None:
        """Free the engine's memory now; decisions go on by the reference interpreter."""
        self._close()


class _Rulesets:
    """The rulesets of one program.

    They know nothing of the engine that owns them, so that no cycle keeps their memory.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._lock = threading.Lock()
        self._handles: list[int] = []
        self._closed = False
        self._open()

    def first(self, codes: Codes) -> int | None:
        """The first row that matches the codes; on an error all rulesets are built anew."""
        with self._lock:
            if self._closed:
                raise _Closed
            try:
                for handle, chunk in zip(self._handles, self._program.chunks, strict=True):
                    row = _ask(handle, chunk.message(codes))
                    if row is not None:
                        return row
            except Exception:
                self._delete()
                self._open()
                raise
        return None

    def close(self) -> None:
        """Delete the rulesets."""
        with self._lock:
            self._closed = True
            self._delete()

    def _open(self) -> None:
        for chunk in self._program.chunks:
            self._handles.append(_create(chunk))

    def _delete(self) -> None:
        handles, self._handles = self._handles, []
        for handle in handles:
            # The state first: the other order leaks it.
            ext.delete_state(handle, _SID)
            ext.delete_ruleset(handle)


def _create(chunk: Chunk) -> int:
    handle: int = ext.create_ruleset(f"table-{next(_numbers)}", chunk.definition)
    # Warm-up: deleting a state that never fired frees wild pointers.
    _ask(handle, '{"on":1}')
    return handle


def _ask(handle: int, message: str) -> int | None:
    """Post a message, take the one rule that fires, and complete its action."""
    code, state = ext.assert_event(handle, message)
    if code:
        raise EngineError(f"the engine answered {code} to {message}")
    action: tuple[str, str] | None = ext.start_action_for_state(handle, state)
    if action is None:
        raise EngineError(f"no rule fired for {message}")
    # {"ROW":{"m":{…}}}: the rule's name is what stands in the first quotes.
    name = action[1][2 : action[1].index('"', 2)]
    if ext.complete_and_start_action(handle, state) is not None:
        raise EngineError(f"more than one rule fired for {message}")
    return None if name == "-" else int(name)
