"""durable-rules behind one small protocol, fenced in.

Why each fence stands is told in `docs/decisions/durable-rules-fenced.md`.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol

# Only the extension: durable.engine.Host starts two threads that steal actions and crash.
import durable_rules_engine as ext  # type: ignore[import-not-found]

from shared.policy.engine import interpreter
from shared.policy.engine.compile import Chunk, Codes, Program, compile_table
from shared.policy.engine.table import Facts, Hit, Table, Verdict

REMEMBERED = 8192
"""Decisions remembered per table: about 2 MB when full."""


class Fault(NamedTuple):
    """Why a decision did not go as it should; a decision was made all the same."""

    kind: Literal["engine", "overlap"]
    """The reference interpreter stood in for the engine, or rows matched that must not together."""
    text: str


OnFallback = Callable[[Fault], None]
"""Told of each decision that did not go as it should."""

_SID = "0"
"""The one state of each ruleset: every message goes without a `sid`, which means this."""

_numbers = itertools.count()


class Engine(Protocol):
    """Finds the rows of a table that decide."""

    def decide(self, facts: Facts) -> Verdict:
        """What the table says of these facts."""


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
        self._rulesets = _Rulesets(table, self._program)
        self._remembered = lru_cache(REMEMBERED)(self._rulesets.decide)
        self._close = weakref.finalize(self, self._rulesets.close)
        # At the interpreter's end the process takes its memory with it.
        self._close.atexit = False
        self.fallbacks = 0
        self.conflicts = 0

    def decide(self, facts: Facts) -> Verdict:
        """What the table says of these facts."""
        try:
            verdict = self._remembered(self._program.codes(facts))
        except _Closed:
            verdict = interpreter.decide(self._table, facts)
        except Exception as error:  # noqa: BLE001 - whatever happens there, a decision is owed
            self.fallbacks += 1
            self._tell(Fault("engine", f"{type(error).__name__}: {error}"))
            verdict = interpreter.decide(self._table, facts)
        if verdict.conflict is not None:
            self.conflicts += 1
            first, second = (self._table.rows[index].name for index in verdict.conflict)
            text = f"`{first}` and `{second}` of {self._table.name} both match"
            self._tell(Fault("overlap", text))
        return verdict

    def first(self, facts: Facts) -> int | None:
        """The index of the row that decides, or None where no row matches."""
        return self.decide(facts).row

    def unremembered(self, facts: Facts) -> Verdict:
        """As `decide`, by the engine itself whatever is remembered, and without a fall-back.

        Raises:
            EngineError: the engine failed.
        """
        return self._rulesets.decide(self._program.codes(facts))

    def warm(self) -> None:
        """Build all rulesets now instead of at the first case that needs them.

        Raises:
            EngineError: the engine does not take one of them.
        """
        self._rulesets.open()

    def close(self) -> None:
        """Free the engine's memory now; decisions go on by the reference interpreter."""
        self._close()

    def _tell(self, fault: Fault) -> None:
        if self._on_fallback is not None:
            self._on_fallback(fault)


class _Rulesets:
    """The rulesets of one program, each built when it is first asked: most of a large table rests.

    They know nothing of the engine that owns them, so that no cycle keeps their memory.
    """

    def __init__(self, table: Table, program: Program) -> None:
        self._table = table
        self._program = program
        self._lock = threading.Lock()
        self._handles: dict[int, int] = {}
        """By the chunk's number."""
        self._closed = False

    def decide(self, codes: Codes) -> Verdict:
        """What the table says of facts with these codes; an error does away with all rulesets."""
        with self._lock:
            if self._closed:
                raise _Closed
            try:
                return self._verdict(self._matching(codes))
            except Exception:
                self._delete()
                raise

    def open(self) -> None:
        """Build all that have not been built."""
        with self._lock:
            for number in range(len(self._program.chunks)):
                self._handle(number)

    def close(self) -> None:
        """Delete the rulesets."""
        with self._lock:
            self._closed = True
            self._delete()

    def _matching(self, codes: Codes) -> Iterator[int]:
        """The rows that match, in the order of trial.

        Only chunks that hold a candidate of the index are asked, each from its first candidate on.
        """
        program = self._program
        left = program.index.candidates(codes)
        while left:
            place = (left & -left).bit_length() - 1
            number = program.chunk_at[place]
            chunk = program.chunks[number]
            found = _ask(self._handle(number), chunk.message(codes, place))
            if found is not None:
                yield program.order[found]
            passed = chunk.end if found is None else found + 1
            left = left >> passed << passed

    def _verdict(self, matching: Iterator[int]) -> Verdict:
        hit, rows = self._table.hit, self._table.rows
        if hit.takes_all:
            return Verdict(tuple(matching))
        first = next(matching, None)
        if first is None:
            return Verdict()
        if hit is Hit.UNIQUE:
            other = next(matching, None)
        elif hit is Hit.ANY:
            outcome = rows[first].outcome
            other = next((index for index in matching if rows[index].outcome != outcome), None)
        else:
            other = None
        return Verdict((first,), None if other is None else (first, other))

    def _handle(self, number: int) -> int:
        handle = self._handles.get(number)
        if handle is None:
            handle = self._handles[number] = _create(self._program.chunks[number])
        return handle

    def _delete(self) -> None:
        handles, self._handles = self._handles, {}
        for handle in handles.values():
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
    # {"PLACE":{"m":{…}}}: the rule's name is what stands in the first quotes.
    name = action[1][2 : action[1].index('"', 2)]
    if ext.complete_and_start_action(handle, state) is not None:
        raise EngineError(f"more than one rule fired for {message}")
    return None if name == "-" else int(name)
