"""Which of many keywords stand in a text, Chinese or English, in one pass.

Looking for each of 600 keywords alone takes 1 ms for 1,500 Chinese characters. So the text is read
as the numbers that its pairs of neighbouring characters make, the pairs with which a keyword
begins are picked out, and only those keywords are looked for: 0.14 ms on the same busy machine.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable

_UTF_16 = f"utf-16-{sys.byteorder[0]}e"
_WORDLIKE = re.compile(r"[a-z0-9]")
_FULL_WIDTH = re.compile("[０-９Ａ-Ｚａ-ｚ]")
_TO_HALF_WIDTH = {
    code: code - 0xFEE0
    for first, last in ("０９", "ＡＺ", "ａｚ")
    for code in range(ord(first), ord(last) + 1)
}


def fold(text: str) -> str:
    """The text as it is compared: composed, full-width letters and digits as narrow ones, small.

    White space, line breaks too, is one space, so that a phrase is found wherever a line ended.
    NFKC would do all of it, but takes 50 µs for a page with Chinese punctuation, this 5.
    """
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if _FULL_WIDTH.search(text):
        text = text.translate(_TO_HALF_WIDTH)
    return " ".join(text.casefold().split())


class KeywordIndex:
    """A fixed set of keywords of at least two characters each.

    A keyword that begins or ends with a Latin letter or a digit is a whole word there: `fire` does
    not stand in `firewall`. Chinese has no such borders: 漏电 stands in 电线漏电了.
    """

    def __init__(self, keywords: Iterable[str]) -> None:
        self._by_pair: dict[int, list[tuple[str, re.Pattern[str] | None]]] = {}
        for keyword in sorted({fold(keyword) for keyword in keywords}):
            first_pair = _pairs(keyword)[0][0]
            self._by_pair.setdefault(first_pair, []).append((keyword, _word(keyword)))
        self._first_pairs = frozenset(self._by_pair)

    def hits(self, folded: str) -> set[str]:
        """The keywords, folded, that stand in a folded text."""
        even, odd = _pairs(folded)
        found = self._first_pairs.intersection(even) | self._first_pairs.intersection(odd)
        return {
            keyword
            for pair in found
            for keyword, word in self._by_pair[pair]
            if (keyword in folded if word is None else word.search(folded))
        }


def _pairs(text: str) -> tuple[memoryview[int], memoryview[int]]:
    """Each two neighbouring UTF-16 units as one number: from even places, and from odd ones."""
    units = memoryview(text.encode(_UTF_16, "surrogatepass"))
    size = len(units)
    return units[: size // 4 * 4].cast("I"), units[2 : 2 + (size - 2) // 4 * 4].cast("I")


def _word(keyword: str) -> re.Pattern[str] | None:
    left = "(?<![a-z0-9])" if _WORDLIKE.match(keyword[0]) else ""
    right = "(?![a-z0-9])" if _WORDLIKE.match(keyword[-1]) else ""
    return re.compile(left + re.escape(keyword) + right) if left or right else None
