"""An index in front of the engine: which rows can match, by the codes of the facts.

For each fact and each of its codes, the rows that accept the code are one number with a bit for
each row. What can match is what all these numbers have in common: a few operations on whole words
tell which of many rulesets need to be asked at all, which for one row of a thousand is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MAX_BYTES = 4_000_000
"""What the numbers of one table may take; beyond it only the most telling facts have theirs."""

RowCodes = dict[int, frozenset[int]]
"""What a row asks: the accepted codes of each fact that it tests, by the fact's position."""


class RowIndex:
    """The rows, in their order of trial, that are not excluded by any indexed fact."""

    def __init__(
        self, rows: Sequence[RowCodes], tops: Sequence[int], max_bytes: int = MAX_BYTES
    ) -> None:
        """An index of rows over facts with codes from 0 to `tops`."""
        self._all = (1 << len(rows)) - 1
        size = len(rows) // 8 + 40
        tables = [(position, _by_code(rows, position, top)) for position, top in enumerate(tops)]
        tables.sort(key=lambda table: _left(table[1]))
        self._facts: list[tuple[int, list[int]]] = []
        for position, by_code in tables:
            max_bytes -= size * len(by_code)
            if max_bytes < 0:
                break
            self._facts.append((position, by_code))

    def candidates(self, codes: Sequence[int]) -> int:
        """The rows that can match facts with these codes, bit `n` for row `n`."""
        left = self._all
        for position, by_code in self._facts:
            left &= by_code[codes[position]]
        return left


def _by_code(rows: Sequence[RowCodes], position: int, top: int) -> list[int]:
    indifferent = 0
    asking: dict[frozenset[int], int] = {}
    for number, row in enumerate(rows):
        accepted = row.get(position)
        if accepted is None:
            indifferent |= 1 << number
        else:
            asking[accepted] = asking.get(accepted, 0) | 1 << number
    by_code = [indifferent] * (top + 1)
    for accepted, mask in asking.items():
        for code in accepted:
            by_code[code] |= mask
    return by_code


def _left(by_code: Iterable[int]) -> float:
    """How many rows a code leaves, on average: the fewer, the more telling the fact."""
    counts = [mask.bit_count() for mask in by_code]
    return sum(counts) / len(counts)
