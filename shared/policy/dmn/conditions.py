"""What a cell of a table asks of one fact, and the policy file's conditions made of such tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.case import Scalar
from shared.policy.dmn.errors import NotSayable


@dataclass(frozen=True, slots=True)
class OneOf:
    """The fact is one of these."""

    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """The fact is none of these, or absent."""

    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """The fact is a number between these, both included; None leaves a side open."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Present:
    """The fact is known, or is not."""

    known: bool


Test = OneOf | NoneOf | Range | Present


def to_tests(condition: Any, members: Callable[[Any], Sequence[str]]) -> tuple[Test, ...]:
    """A condition of the policy file as tests, all of which must hold.

    `members` gives the values within the groups that a `within` names.
    """
    if not isinstance(condition, dict):
        return (OneOf(_values(condition)),)
    # what is null is as good as left out
    condition = {name: asked for name, asked in condition.items() if asked is not None}
    tests: list[Test] = []
    if "within" in condition:
        tests.append(OneOf(tuple(members(condition["within"]))))
    low, high = condition.get("between", (None, None))
    lows = [one for one in (condition.get("at_least"), low) if one is not None]
    highs = [one for one in (condition.get("at_most"), high) if one is not None]
    if lows or highs:
        tests.append(Range(max(lows, default=None), min(highs, default=None)))
    if "not" in condition:
        tests.append(NoneOf(_values(condition["not"])))
    if "present" in condition:
        tests.append(Present(condition["present"]))
    return tuple(tests)


def _values(given: Any) -> tuple[Scalar, ...]:
    return tuple(given) if isinstance(given, list | tuple) else (given,)


def to_condition(tests: Sequence[Test]) -> Any:
    """The condition of the policy file that asks all of this.

    Raises:
        NotSayable: nothing can satisfy all of it.
    """
    listed = [test for test in tests if isinstance(test, OneOf)]
    if listed:
        kept = [one for one in listed[0].values if all(_holds(test, one) for test in tests)]
        if not kept:
            raise NotSayable("nothing can satisfy all tests of this fact: remove one of them")
        return kept[0] if len(kept) == 1 else kept
    condition: dict[str, Any] = {}
    ranges = [test for test in tests if isinstance(test, Range)]
    lows = [test.low for test in ranges if test.low is not None]
    highs = [test.high for test in ranges if test.high is not None]
    if lows:
        condition["at_least"] = max(lows)
    if highs:
        condition["at_most"] = min(highs)
    barred = [one for test in tests if isinstance(test, NoneOf) for one in test.values]
    if barred:
        condition["not"] = barred[0] if len(barred) == 1 else barred
    known = {test.known for test in tests if isinstance(test, Present)}
    if len(known) > 1:
        raise NotSayable("a fact cannot be both known and absent: remove one of the tests")
    if known:
        condition["present"] = known.pop()
    return condition


def _holds(test: Test, value: Scalar) -> bool:
    """Whether a value satisfies a test; true and 1 are different things here."""
    match test:
        case OneOf(values):
            return any(type(one) is type(value) and one == value for one in values)
        case NoneOf(values):
            return not any(type(one) is type(value) and one == value for one in values)
        case Present(known):
            return known
        case Range(low, high):
            return (
                isinstance(value, int)
                and not isinstance(value, bool)
                and (low is None or value >= low)
                and (high is None or value <= high)
            )
