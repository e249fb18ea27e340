"""How much room text takes, and where its lines end. Estimated: no font is asked."""

from __future__ import annotations

import re
from unicodedata import east_asian_width

LINE = 1.3
"""Height of a line, in sizes of the font."""

_PIECES = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]|[^\s\u2e80-\u9fff\uff00-\uffef]+|\s+")
_NARROW = frozenset("iljtfrI.,:;|!'()[] ")
_NEVER_FIRST = frozenset("，。、；：）」！？")
"""Punctuation that no line begins with."""


def width(text: str, size: float) -> float:
    """The estimated width of one line, in pixels, rather too much than too little."""
    return sum(map(_share, text)) * size


def _share(character: str) -> float:
    if east_asian_width(character) in "WF":
        return 1.0
    if character in _NARROW:
        return 0.34
    return 0.72 if character.isupper() or character in "mwMW→" else 0.56


def wrap(text: str, room: float, size: float) -> list[str]:
    """The text in lines of at most this width; a longer word is broken."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for piece in _PIECES.findall(paragraph):
            for part in _broken(piece, room, size):
                fits = width((line + part).rstrip(), size) <= room or part in _NEVER_FIRST
                if fits or not line.strip():
                    line += part
                else:
                    lines.append(line.strip())
                    line = part.lstrip()
        lines.append(line.strip())
    return lines


def _broken(word: str, room: float, size: float) -> list[str]:
    if width(word, size) <= room:
        return [word]
    parts, part = [], ""
    for character in word:
        if part and width(part + character, size) > room:
            parts.append(part)
            part = ""
        part += character
    return [*parts, part]


def height(text: str, room: float, size: float) -> int:
    """The height of the wrapped text, in whole pixels."""
    return round(len(wrap(text, room, size)) * size * LINE + 0.5)


def clip(text: str, room: float, size: float) -> str:
    """The text in one line of at most this width, its end left out where it is longer."""
    if width(text, size) <= room:
        return text
    kept = text
    while kept and width(kept + "…", size) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def at_most(lines: list[str], number: int) -> list[str]:
    """The first lines, with a sign where others follow."""
    return lines if len(lines) <= number else [*lines[: number - 1], lines[number - 1] + " …"]
