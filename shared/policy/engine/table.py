"""Decision tables as values: typed facts, tests over them, rows. Pure, and without an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.case import Scalar

Facts = Mapping[str, Scalar | None]
"""What a row is matched against: every fact of the table, an absent one as None."""


class FactType(StrEnum):
    """What kind of value a fact has; integers alone can be compared."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"

    def read(self, value: Scalar | None) -> Scalar | None:
        """The value as this type, or None where it is none.

        Register files hold everything as text, so that digits are read as an integer, and `true`
        and `false` as a boolean.
        """
        if self is FactType.TEXT:
            return value if isinstance(value, str) else None
        if self is FactType.BOOLEAN:
            return (
                value if isinstance(value, bool) else {"true": True, "false": False}.get(f"{value}")
            )
        if isinstance(value, str) and len(value) <= 18 and value.removeprefix("-").isdecimal():
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class Predicate:
    """What a row asks of one fact; every part that is given must hold.

    An absent fact has no value: it satisfies `none_of` and `present=False`, and nothing else.
    """

    fact: str
    any_of: tuple[Scalar, ...] | None = None
    none_of: tuple[Scalar, ...] | None = None
    at_least: int | None = None
    at_most: int | None = None
    present: bool | None = None

    def holds(self, value: Scalar | None) -> bool:
        """Whether the value, or its absence (None), satisfies the test."""
        if self.present is not None and (value is not None) != self.present:
            return False
        if self.any_of is not None and (value is None or value not in self.any_of):
            return False
        if self.none_of is not None and value is not None and value in self.none_of:
            return False
        if self.at_least is None and self.at_most is None:
            return True
        if not isinstance(value, int):
            return False
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )


class Hit(StrEnum):
    """Which of the rows that match decide; the words and their meanings are those of DMN 1.5."""

    FIRST = "first"
    """The first in the order of the file."""
    UNIQUE = "unique"
    """The only one: rows that overlap are a mistake."""
    ANY = "any"
    """Any of them, because all have the same outcome: different ones are a mistake."""
    PRIORITY = "priority"
    """The one with the most important outcome; among equals the first."""
    RULE_ORDER = "rule-order"
    """All of them, in the order of the file."""
    COLLECT = "collect"
    """All of them, as a set."""

    @property
    def takes_all(self) -> bool:
        """Whether several rows decide together."""
        return self in {Hit.RULE_ORDER, Hit.COLLECT}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: it matches where all its tests hold, always where it has none."""

    name: str
    tests: tuple[Predicate, ...]
    outcome: str = ""
    """What it decides, as a text that is equal for equal outcomes; `any` compares it."""
    rank: int = 0
    """How important its outcome is, 0 the most; `priority` goes by it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a table says of facts."""

    rows: tuple[int, ...] = ()
    """The rows that decide, in the order of the file: at most one, unless the table takes all."""
    conflict: tuple[int, int] | None = None
    """Two matching rows of a `unique` or `any` table that must not match together.

    The first row that matches decides all the same: a case is owed a decision.
    """

    @property
    def row(self) -> int | None:
        """The row that decides, or the first of those that do; None where none matches."""
        return self.rows[0] if self.rows else None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows over typed facts, and which of those that match decide."""

    name: str
    types: Mapping[str, FactType]
    """The facts that the rows use, in the order of their declaration."""
    rows: tuple[Row, ...]
    hit: Hit = Hit.FIRST
    otherwise: bool = False
    """Whether the file names an outcome for facts that no row matches."""

    @classmethod
    def of(
        cls,
        name: str,
        types: Mapping[str, FactType],
        rows: tuple[Row, ...],
        hit: Hit = Hit.FIRST,
        *,
        otherwise: bool = False,
    ) -> Table:
        """A table that knows only those of the facts which its rows use."""
        used = {test.fact for row in rows for test in row.tests}
        types = {fact: kind for fact, kind in types.items() if fact in used}
        return cls(name, types, rows, hit, otherwise)
