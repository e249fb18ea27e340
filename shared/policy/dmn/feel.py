"""The S-FEEL of decision tables: unary tests, literals and names (DMN 1.5, 9.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from shared.domain.case import Scalar
from shared.policy.dmn.conditions import NoneOf, OneOf, Present, Range, Test
from shared.policy.dmn.errors import NotSayable

_KEYWORDS = frozenset({
    "and", "between", "else", "every", "external", "false", "for", "function", "if", "in",
    "instance", "item", "list", "not", "null", "of", "or", "return", "satisfies", "some",
    "then", "true",
})  # fmt: skip

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>"(?:[^"\\]|\\.)*")
    |(?P<number>-?\d+(?:\.(?!\.)\d+)?)
    |(?P<dots>\.\.)
    |(?P<compare><=|>=|<|>)
    |(?P<word>[^\W\d][\w-]*)
    |(?P<sign>[\[\](),])
    )""",
    re.VERBOSE | re.DOTALL,
)

MEND = "write a value, several with commas, `not(…)`, `>= 5`, `[5..9]`, `null` or `-`"


def name_of(fact: str) -> str:
    """A fact's id as a name that every engine reads: `-` would be a minus for some."""
    name = fact.replace("-", "_")
    return f"_{name}" if name[0].isdigit() or name in _KEYWORDS else name


def fact_of(name: str) -> str:
    """The fact that `name_of` names."""
    return name.strip().removeprefix("_").replace("_", "-")


def literal(value: Scalar) -> str:
    """A value as FEEL writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value}" if isinstance(value, int) else json.dumps(value, ensure_ascii=False)


def write_test(test: Test) -> str:
    """A test as an unary test."""
    match test:
        case OneOf(values):
            return ", ".join(map(literal, values))
        case NoneOf(values):
            return f"not({', '.join(map(literal, values))})"
        case Present(known):
            return "not(null)" if known else "null"
        case Range(low, None):
            return f">= {low}"
        case Range(None, high):
            return f"<= {high}"
        case Range(low, high):
            return f"[{low}..{high}]"


def write_output(value: Any) -> str:
    """What a row decides, as an expression."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    return literal(value)


def read_tests(text: str) -> tuple[Test, ...]:
    """The tests of a cell; none for `-`.

    Raises:
        NotSayable: it is no S-FEEL, or asks what a policy cannot ask.
    """
    if text.strip() in {"", "-"}:
        return ()
    reader = _Reader(text)
    tests = reader.tests()
    reader.end()
    return tests


def read_output(text: str) -> Any:
    """A literal, a list of them, or None for nothing.

    Raises:
        NotSayable: it is something else.
    """
    if text.strip() in {"", "-"}:
        return None
    reader = _Reader(text)
    found = reader.output()
    reader.end()
    return found


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._cut(text)
        self._at = 0

    def _cut(self, text: str) -> list[tuple[str, str]]:
        tokens, at = [], 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise self._refuse()
            tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        return tokens

    def _refuse(self, why: str = "is not known here") -> NotSayable:
        return NotSayable(f"`{self._text.strip()[:80]}` {why}: {MEND}")

    def _peek(self, *texts: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at][1] in texts

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._refuse("ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, *texts: str) -> str:
        kind, text = self._next()
        if kind == "string" or text not in texts:
            raise self._refuse()
        return text

    def end(self) -> None:
        """Nothing may be left."""
        if self._at < len(self._tokens):
            raise self._refuse()

    def tests(self) -> tuple[Test, ...]:
        if self._peek("not"):
            self._next()
            self._expect("(")
            values = self._values(")")
            absent, barred = None in values, tuple(one for one in values if one is not None)
            known = (Present(known=True),) if absent else ()
            return (*((NoneOf(barred),) if barred else ()), *known)
        if self._peek("[", "(", "]"):
            return (self._interval(),)
        if self._peek("<", "<=", ">", ">="):
            return (self._comparison(),)
        values = self._values(None)
        if None not in values:
            return (OneOf(tuple(one for one in values if one is not None)),)
        if len(values) > 1:
            raise self._refuse("mixes values with the absence of any, which takes two rows")
        return (Present(known=False),)

    def _values(self, closing: str | None) -> list[Scalar | None]:
        values = [self._literal()]
        while self._peek(","):
            self._next()
            values.append(self._literal())
        if closing is not None:
            self._expect(closing)
        return values

    def _literal(self) -> Scalar | None:
        kind, text = self._next()
        if kind == "string":
            return self._string(text)
        if kind == "number":
            return self._integer(text)
        words: dict[str, bool | None] = {"true": True, "false": False, "null": None}
        if text not in words:
            raise self._refuse()
        return words[text]

    def _string(self, text: str) -> str:
        try:
            return f"{json.loads(text, strict=False)}"
        except ValueError as error:
            raise self._refuse("has a string with an unknown escape") from error

    def _integer(self, text: str) -> int:
        if "." in text or len(text) > 18:
            raise self._refuse("has a number that is not whole, or is too large")
        return int(text)

    def _number(self) -> int:
        kind, text = self._next()
        if kind != "number":
            raise self._refuse("compares what is no number")
        return self._integer(text)

    def _comparison(self) -> Range:
        sign, number = self._next()[1], self._number()
        return {
            "<": Range(None, number - 1),
            "<=": Range(None, number),
            ">": Range(number + 1, None),
            ">=": Range(number, None),
        }[sign]

    def _interval(self) -> Range:
        opening = self._expect("[", "(", "]")
        low = self._number()
        self._expect("..")
        high = self._number()
        closing = self._expect("]", ")", "[")
        return Range(low + (opening != "["), high - (closing != "]"))

    def output(self) -> Any:
        if not self._peek("["):
            return self._literal()
        self._next()
        if self._peek("]"):
            self._next()
            return []
        return self._values("]")


def column(values: Sequence[Scalar]) -> str:
    """Values as the text of a list of allowed ones."""
    return ", ".join(map(literal, values))
