"""An index in front of the engine: which rows can match, by the codes of the facts.

For each fact and each of its codes, the rows that accept the code are one number with a bit for
each row. What can match is what all these numbers have in common: a few operations on whole words
tell which of many rulesets need to be asked at all, which for one row of a thousand is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import xor

MAX_BYTES = 4_000_000
"""What the numbers of one table may take; beyond it only the most telling facts have theirs."""

RowCodes = dict[int, int]
"""What a row asks: by the position of each fact that it tests, the accepted codes as bits."""


class RowIndex:
    """The rows, in their order of trial, that are not excluded by any indexed fact."""

    def __init__(
        self, rows: Sequence[RowCodes], tops: Sequence[int], max_bytes: int = MAX_BYTES
    ) -> None:
        """An index of rows over facts with codes from 0 to `tops`."""
        self._all = (1 << len(rows)) - 1
        size = len(rows) // 8 + 40
        tables = [
            (position, _by_code(rows, position, top))
            for position, top in enumerate(tops)
            if size * (top + 1) <= max_bytes
        ]
        tables.sort(key=lambda table: _left(table[1]))
        self._facts: list[tuple[int, list[int]]] = []
        for position, by_code in tables:
            max_bytes -= size * len(by_code)
            if max_bytes >= 0:
                self._facts.append((position, by_code))

    def candidates(self, codes: Sequence[int]) -> int:
        """The rows that can match facts with these codes, bit `n` for row `n`."""
        left = self._all
        for position, by_code in self._facts:
            left &= by_code[codes[position]]
        return left


def bits(number: int) -> Iterator[int]:
    """The places of the bits that are set, from the lowest."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _by_code(rows: Sequence[RowCodes], position: int, top: int) -> list[int]:
    every = (1 << (top + 1)) - 1
    asking: dict[int, int] = {}
    for number, row in enumerate(rows):
        accepted = row.get(position, every)
        asking[accepted] = asking.get(accepted, 0) | 1 << number
    # Most rows accept few runs of codes, however long: so note where rows begin and end to accept.
    turns = [0] * (top + 2)
    for accepted, mask in asking.items():
        for code in bits(accepted ^ accepted << 1):
            turns[code] ^= mask
    return list(accumulate(turns[:-1], xor))


def _left(by_code: Iterable[int]) -> float:
    """How many rows a code leaves, on average: the fewer, the more telling the fact."""
    counts = [mask.bit_count() for mask in by_code]
    return sum(counts) / len(counts)
